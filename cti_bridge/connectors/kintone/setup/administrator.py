"""Changing apps themselves, as a user of the domain with a password: no API token may make an app.

https://cybozu.dev/ja/kintone/docs/rest-api/apps/ — everything is changed in the app's preview first and goes live by a
deployment, which takes a while.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import SecretStr

from cti_bridge.connectors.kintone.budget import Budget
from cti_bridge.connectors.kintone.domain import Domain
from cti_bridge.connectors.kintone.problems import KintoneRefused
from cti_bridge.connectors.kintone.settings import KintoneSettings
from cti_bridge.connectors.kintone.setup.patience import Patience
from cti_bridge.errors import ConnectorError
from cti_bridge.model import Language

SECONDS_FOR_AN_ANSWER = 30.0
LOOK_EVERY = 1.0
LONGEST_DEPLOYMENT = 300.0
"""Seconds. A deployment of a small app takes a few; kintone names no limit."""

Json = dict[str, Any]


class DeploymentFailed(ConnectorError):
    """kintone did not put the changes into use.

    ``status`` is FAIL, CANCEL, or PROCESSING when we have waited long enough.
    """

    def __init__(self, status: str) -> None:
        super().__init__(f"deployment: {status}")
        self.status = status


@dataclass(frozen=True, slots=True)
class AppInPreview:
    """An app as its administrator edits it, and as it is in use (``live``, None before the first deployment)."""

    app: int
    name: str
    revision: str
    properties: Mapping[str, Json]
    views: Mapping[str, Json]
    live: Mapping[str, Json] | None
    live_views: Mapping[str, Json]


class Administrator:
    """A signed-in administrator of the domain."""

    def __init__(
        self,
        settings: KintoneSettings,
        login: str,
        password: SecretStr,
        *,
        guest_space: int | None = None,
        language: Language = "ja",
        patience: Patience | None = None,
    ) -> None:
        unhurried = settings.model_copy(update={"timeout_seconds": SECONDS_FOR_AN_ANSWER})
        self.domain = Domain(unhurried, Budget(settings.daily_limit, None), language=language)
        self.guest_space = guest_space or settings.guest_space
        self._secret = SecretStr(base64.b64encode(f"{login}:{password.get_secret_value()}".encode()).decode())
        self._patience = patience or Patience()

    def app_url(self, app: int) -> str:
        """Where people see the app: ``https://acme.cybozu.com/k/15/``."""
        space = f"guest/{self.guest_space}/" if self.guest_space else ""
        return f"{self.domain.base_url}/k/{space}{app}/"

    def apps_called(self, name: str) -> list[int]:
        """The apps in use with exactly this name that the administrator can see."""
        told = self._ask("GET", "apps.json", {"name": name})
        return [int(app["appId"]) for app in told["apps"] if app["name"] == name]

    def look(self, app: int) -> AppInPreview:
        """The app's form and views, edited and in use. Waits out a deployment that is under way."""
        self.await_deployment([app], patient=True)
        form = self._ask("GET", "preview/app/form/fields.json", {"app": app}, app)
        views = self._ask("GET", "preview/app/views.json", {"app": app}, app)
        name = self._ask("GET", "preview/app/settings.json", {"app": app}, app)["name"]
        live: Mapping[str, Json] | None = None
        live_views: Mapping[str, Json] = {}
        try:
            live = self._ask("GET", "app/form/fields.json", {"app": app}, app)["properties"]
            live_views = self._ask("GET", "app/views.json", {"app": app}, app)["views"] or {}
        except KintoneRefused as problem:
            if problem.status != 404:
                raise
        # the views were read last: who edited between the two readings makes the change below fail, and nothing is lost
        revision = str(views["revision"])
        return AppInPreview(app, name, revision, form["properties"], views["views"] or {}, live, live_views)

    def make_app(self, name: str) -> int:
        """A new app with nothing in it, not in use yet; its number."""
        body: Json = {"name": name}
        if self.guest_space:
            space = self._ask("GET", "space.json", {"id": self.guest_space})
            body |= {"space": int(space["id"]), "thread": int(space["defaultThread"])}
        return int(self._ask("POST", "preview/app.json", body)["app"])

    def add_fields(self, app: int, properties: Mapping[str, Json], revision: str) -> str:
        """Add fields; the new revision. Raises KintoneUnavailable (conflict) when somebody edited the app since."""
        body = {"app": app, "properties": dict(properties), "revision": revision}
        return str(self._ask("POST", "preview/app/form/fields.json", body, app)["revision"])

    def change_fields(self, app: int, properties: Mapping[str, Json], revision: str) -> str:
        """Change properties of fields; what is not sent of a field stays as it is. The new revision."""
        body = {"app": app, "properties": dict(properties), "revision": revision}
        return str(self._ask("PUT", "preview/app/form/fields.json", body, app)["revision"])

    def put_views(self, app: int, views: Mapping[str, Json], revision: str) -> str:
        """Set the views, all of them: kintone deletes those that are not sent. The new revision."""
        body = {"app": app, "views": dict(views), "revision": revision}
        return str(self._ask("PUT", "preview/app/views.json", body, app)["revision"])

    def deploy(self, revisions: Mapping[int, str]) -> None:
        """Ask for the changes to be put into use ("Update App"), of these revisions of these apps."""
        apps = [{"app": app, "revision": revision} for app, revision in revisions.items()]
        self._ask("POST", "preview/app/deploy.json", {"apps": apps})

    def await_deployment(
        self, apps: list[int], progress: Callable[[float], object] = lambda _: None, *, patient: bool = False
    ) -> None:
        """Wait until kintone has put the changes into use. ``progress`` is told the seconds waited so far.

        Raises DeploymentFailed. With ``patient`` an earlier failure, or none to know of, is nothing to raise about.
        """
        waited = 0.0
        while True:
            try:
                told = self._ask("GET", "preview/app/deploy.json", {"apps": apps})["apps"]
            except KintoneRefused:
                if patient:
                    return
                raise
            now = {str(each["status"]) for each in told}
            progress(waited)
            if "PROCESSING" not in now:
                break
            if waited >= LONGEST_DEPLOYMENT:
                raise DeploymentFailed("PROCESSING")
            self._patience.wait(LOOK_EVERY)
            waited += LOOK_EVERY
        failed = next((status for status in ("FAIL", "CANCEL") if status in now), None)
        if failed and not patient:
            raise DeploymentFailed(failed)

    def _ask(self, method: str, path: str, params: Mapping[str, Any], app: int | None = None) -> Json:
        reading = method == "GET"

        def send() -> Json:
            response = self.domain.send(
                method,
                f"{self.domain.root(self.guest_space)}/{path}",
                app=app,
                headers={"X-Cybozu-Authorization": self._secret.get_secret_value()},
                params=dict(_query(params)) if reading else None,
                body=None if reading else params,
            )
            return dict(response.json())

        return self._patience.ask(send, repeatable=reading)


def _query(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Lists as kintone takes them in an address: ``apps[0]=7&apps[1]=8``."""
    for name, value in params.items():
        if isinstance(value, list):
            yield from ((f"{name}[{place}]", str(each)) for place, each in enumerate(value))
        else:
            yield name, str(value)
