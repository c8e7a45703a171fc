"""Every check, each with its time; goes on after a failure and says at the end what failed. ``make test`` runs it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from build_widgets import WIDGETS, find_node, npm
from find_browser import HINT, find

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NOTHING_SKIPPED = os.environ.get("CTI_NOTHING_SKIPPED") == "1"


def main() -> None:
    node = find_node()
    npm_path = {"PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    browser = find()
    if NOTHING_SKIPPED and not browser:
        sys.exit("Nothing may be skipped, but there is no Chromium: install one or name it in CTI_CHROMIUM.")
    tests = [
        "pytest",
        "-q",
        "-n",
        "2",
        "--dist",
        "loadfile",
        "--cov",
        "--cov-report=",
        "tests",
        "--ignore=tests/browser",
    ]
    checks: list[tuple[str, list[str | Path], Path, dict[str, str]]] = [
        ("ruff format", [BIN / "ruff", "format", "--check", "--quiet", "."], ROOT, {}),
        ("ruff lint", [BIN / "ruff", "check", "--quiet", "."], ROOT, {}),
        ("mypy --strict", [BIN / "mypy"], ROOT, {}),
        ("import-linter", [BIN / "lint-imports", "--no-logo"], ROOT, {}),
        ("widgets: tsc", [*npm(node), "run", "--silent", "typecheck"], WIDGETS, npm_path),
        ("widgets: Vitest", [*npm(node), "run", "--silent", "test"], WIDGETS, npm_path),
        ("pytest", [BIN / tests[0], *tests[1:]], ROOT, {}),
        ("coverage of the core", [BIN / "python", ROOT / "scripts" / "core_coverage.py"], ROOT, {}),
    ]
    if browser:
        checks.append(("browser tests", [BIN / "pytest", "-q", "tests/browser"], ROOT, {"CTI_CHROMIUM": browser}))
    failed = [name for name, command, folder, extra in checks if not run(name, command, folder, extra)]
    if not browser:
        print(HINT)
    if failed:
        sys.exit(f"\nfailed: {', '.join(failed)}")
    print(f"\nall {len(checks)} checks passed")


def run(name: str, command: list[str | Path], folder: Path, extra: dict[str, str]) -> bool:
    print(f"\n── {name}", flush=True)
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, env={**os.environ, **extra}, check=False)
    word = "ok" if done.returncode == 0 else f"FAILED ({done.returncode})"
    print(f"── {name}: {word}, {time.monotonic() - began:.0f} s", flush=True)
    return done.returncode == 0


if __name__ == "__main__":
    main()
