"""Prints the tests' coverage, and fails when the core's branches are covered less than it promises."""

from __future__ import annotations

import io
import sys

from coverage import Coverage

CORE = (
    "cti_bridge/model/*",
    "cti_bridge/calls.py",
    "cti_bridge/replies.py",
    "cti_bridge/outbox.py",
    "cti_bridge/twilio/*",
)
PROMISE = 95.0


def main() -> None:
    coverage = Coverage()
    coverage.load()
    total = coverage.report(file=sys.stdout)
    core = coverage.report(include=list(CORE), file=io.StringIO())
    print(f"\ncoverage: {total:.1f} % of everything; the core (model, calls, outbox, twilio): {core:.1f} %")
    if core < PROMISE:
        sys.exit(f"The core is to stay above {PROMISE:.0f} %.")


if __name__ == "__main__":
    main()
