"""Findings in three tempers, and moments as people say them. What is found stands in the modules beside this one."""

from __future__ import annotations

from datetime import timedelta

from cti_bridge.model import Finding, Severity


def well(subject: str, ja: str, en: str) -> Finding:
    return Finding(Severity.OK, subject, ja, en)


def worth_knowing(subject: str, ja: str, en: str) -> Finding:
    return Finding(Severity.WARNING, subject, ja, en)


def bad(subject: str, ja: str, en: str) -> Finding:
    return Finding(Severity.ERROR, subject, ja, en)


def ago(age: timedelta) -> tuple[str, str]:
    """``("3分前", "3 minutes ago")``."""
    seconds = max(0, int(age.total_seconds()))
    for size, ja, en in ((86_400, "日前", "day"), (3_600, "時間前", "hour"), (60, "分前", "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count}{ja}", f"{count} {en}{'s' if count > 1 else ''} ago"
    return "たった今", "just now"
