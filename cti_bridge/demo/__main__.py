"""`python -m cti_bridge.demo [--port N] [--demo-port N] [--home DIR] [--open]`: the demo without the command."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from cti_bridge.demo.run import run


def main() -> int:
    """Parse the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m cti_bridge.demo", description=__doc__)
    parser.add_argument("--port", type=int, default=5080, help="of the bridge")
    parser.add_argument("--demo-port", type=int, default=5081, help="of the demo page and the simulated network")
    parser.add_argument("--home", type=Path, default=Path(".demo"), help="where the database and the secrets are kept")
    parser.add_argument("--open", action="store_true", help="open the page in a browser")
    given = parser.parse_args()
    return run(given.port, given.demo_port, given.home, open_browser=given.open)


if __name__ == "__main__":
    sys.exit(main())
