"""Doing what a plan says, and saying how far it got. Safe to repeat: whoever is broken off makes a new plan and goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from cti_bridge.connectors.kintone.setup.administrator import Administrator
from cti_bridge.connectors.kintone.setup.plan import Plan


def carry_out(
    plans: Sequence[Plan],
    administrator: Administrator,
    *,
    made: Callable[[Plan], object] = lambda _: None,
    progress: Callable[[float], object] = lambda _: None,
) -> list[Plan]:
    """Do all of it, the deployment at the end; the plans with their apps' numbers.

    ``made`` is told at once of an app that was made: until the end it can be found by its number only. Raises
    ConnectorError, DeploymentFailed among them.
    """
    done: list[Plan] = []
    revisions: dict[int, str] = {}
    for wish in plans:
        plan = wish
        if plan.app is None:
            plan = replace(plan, app=administrator.make_app(plan.name))
            made(plan)
        if plan.app is not None and plan.deploys:
            revisions[plan.app] = _edit(plan, plan.app, administrator)
        done.append(plan)
    if revisions:
        administrator.deploy(revisions)
        administrator.await_deployment(list(revisions), progress)
    return done


def _edit(plan: Plan, app: int, administrator: Administrator) -> str:
    """Change the app's preview; its revision then."""
    revision = plan.revision
    if plan.adds:
        revision = administrator.add_fields(app, plan.adds, revision)
    if plan.changes:
        revision = administrator.change_fields(app, plan.changes, revision)
    if plan.views:
        revision = administrator.put_views(app, plan.views, revision)
    return revision
