"""`python -m cti_bridge.simulator +815031234567=http://127.0.0.1:8000/twilio/voice/incoming`: the command line."""

from __future__ import annotations

import argparse
import sys

from .serve import serve
from .simulator import Simulator


def _ready(simulator: Simulator) -> None:
    print(f"Simulated Twilio at {simulator.url}  account {simulator.account_sid}  auth token {simulator.auth_token}")
    print(f"Control it at {simulator.url}/simulator/state", flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve. Exit status 2 for a wrong argument, 1 when the port is taken."""
    parser = argparse.ArgumentParser(prog="python -m cti_bridge.simulator", description="Twilio on this machine.")
    parser.add_argument("number", nargs="*", help="one of our numbers and its voice URL: +815031234567=http://…")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    parser.add_argument("--account-sid")
    parser.add_argument("--auth-token")
    given = parser.parse_args(arguments)
    pairs = [text.partition("=") for text in given.number]
    try:
        serve(
            {number: url for number, _, url in pairs},
            host=given.host,
            port=given.port,
            account_sid=given.account_sid,
            auth_token=given.auth_token,
            ready=_ready,
        )
    except ValueError as error:
        parser.error(str(error))
    except OSError as error:
        print(f"cannot listen on {given.host}:{given.port}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
