"""Finds the Chromium for the browser tests, and with --install installs one where it can. Prints its path.

Looks at CTI_CHROMIUM, then at Debian's places, then at what Playwright installed. Installing: Debian's packages when
root (with a Japanese font), else Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGES = ("chromium", "fonts-noto-cjk")
HINT = (
    "browser: no Chromium; the browser tests are skipped. To run them install one "
    "(as root: apt-get install chromium fonts-noto-cjk) or name one in CTI_CHROMIUM."
)


def find() -> str | None:
    """The path of a Chromium, or None."""
    named = os.environ.get("CTI_CHROMIUM")
    if named:
        return named if Path(named).exists() else None
    on_path = next((found for name in NAMES if (found := shutil.which(name))), None)
    return on_path or _playwrights_own()


def _playwrights_own() -> str | None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def install() -> str | None:
    """Install one if there is none; its path, or None where that cannot be done."""
    found = find()
    if found:
        return found
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print("browser: installing Debian's Chromium", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (("update", "-qq"), ("install", "-y", "-qq", *PACKAGES)):
            command = ("apt-get", *arguments)
            if subprocess.run(command, env=quiet, check=False, stdout=subprocess.DEVNULL).returncode:
                break
    if not find():
        print("browser: trying Playwright's own Chromium", flush=True)
        command = (sys.executable, "-m", "playwright", "install", "chromium")
        subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return find()


if __name__ == "__main__":
    path = install() if "--install" in sys.argv else find()
    print(f"browser: {path}" if path else HINT)
