"""`cti-bridge demo`: everything on this machine, from one command, until Ctrl-C. What is played is told elsewhere."""

from __future__ import annotations

import signal
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from cti_bridge.demo import office
from cti_bridge.demo.bridge import BridgeFailed, BridgeProcess
from cti_bridge.demo.server import DemoPages
from cti_bridge.demo.weather import WeatherStation
from cti_bridge.simulator import Simulator
from cti_bridge.widgets import DIST

HOST = "127.0.0.1"
Tell = Callable[[str], None]


class CannotRun(Exception):
    """The demo cannot be shown here; the message is one plain line with the mend."""


class Demo:
    """The whole demonstration: `with Demo(5080, 5081, Path(".demo")) as demo: …`. The tests hold it in their hand, too.

    ``prepare`` makes what is kept in ``home``; ``start`` starts the outside world in this process and the bridge in its
    own. Raises CannotRun.
    """

    def __init__(
        self,
        port: int,
        demo_port: int,
        home: Path,
        *,
        tell: Tell = lambda _: None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.url = f"http://{HOST}:{demo_port}"
        self.bridge_url = f"http://{HOST}:{port}"
        self.home = home
        self.weather = WeatherStation()
        self._ports = {"--port": port, "--demo-port": demo_port}
        self._tell = tell
        self._settings = settings
        self._secrets: office.Secrets | None = None

    def prepare(self) -> None:
        """Secrets, tables, customers, lines and agents; what is there already stays."""
        if not (DIST / "embed.js").exists():
            raise CannotRun("The widgets are not built yet. Build them with: make widgets")
        check_ports(self._ports)
        with self._step("Secrets and database"):
            self._secrets = office.keep_secrets(self.home)
            self.database = office.open_database(self.home)
        with self._step("Tables, customers, lines and agents"):
            office.furnish(self.database, self._secrets)

    def start(self, *, give_up: Callable[[], bool] = lambda: False) -> Self:
        """Start both sides and wait until the bridge is ready."""
        if self._secrets is None:
            self.prepare()
        made = self.secrets
        with self._step("Simulated phone network and demo page"):
            self.simulator = Simulator(
                host=HOST,
                port=self._ports["--demo-port"],
                account_sid=made.account_sid,
                auth_token=made.auth_token,
                strict=False,
                say_seconds=2.5,
                history=300,
            )
            self.connect_lines()
            pages = DemoPages(self.simulator, self.database, self.weather, self.bridge_url)
            self.simulator.app.register_blueprint(pages.blueprint())
            self.simulator.start()
        with self._step("Bridge"):
            settings = office.environment(
                made, self.home, bridge_url=self.bridge_url, demo_url=self.url, more=self._settings
            )
            self.bridge = BridgeProcess(self._ports["--port"], settings, self.home.resolve() / "bridge.log")
            self.bridge.start()
            try:
                self.bridge.wait_until_ready(give_up=give_up)
            except BridgeFailed as problem:
                self.stop()
                raise CannotRun(str(problem)) from None
        return self

    @property
    def secrets(self) -> office.Secrets:
        """The secrets that ``prepare`` made or found."""
        if self._secrets is None:
            raise RuntimeError("prepare() comes first")
        return self._secrets

    def connect_lines(self) -> None:
        """Have the phone network ring the bridge for every line there is."""
        for line in office.read_lines(self.database):
            self.simulator.set_number(line, voice_url=f"{self.bridge_url}/twilio/voice/incoming")

    def stop(self) -> None:
        """The bridge first, so that it can say goodbye; then the outside world."""
        self.bridge.stop()
        self.simulator.close()
        self.database.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        self._tell(f"  {name} …")
        yield
        self._tell(f"  {name}: done ({time.monotonic() - began:.1f} s)")


def run(
    port: int = 5080,
    demo_port: int = 5081,
    home: Path = Path(".demo"),
    *,
    open_browser: bool = False,
    tell: Tell = lambda line: print(line, flush=True),
) -> int:
    """Show the demo until Ctrl-C or SIGTERM. The exit status: 0 when it was stopped, 1 when it could not run."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    demo = Demo(port, demo_port, home, tell=tell)
    tell("CTI Bridge, the demonstration")
    try:
        demo.start(give_up=stop.is_set)
    except CannotRun as problem:
        if stop.is_set():
            return 0
        print(problem, file=sys.stderr)
        return 1
    try:
        tell(_welcome(demo))
        if open_browser:
            webbrowser.open(demo.url)
        while demo.bridge.running and not stop.wait(0.5):
            pass
        if not stop.is_set():
            print(f"The bridge has stopped by itself. See {demo.home / 'bridge.log'}.", file=sys.stderr)
            return 1
        tell("Stopping …")
    finally:
        demo.stop()
    tell("Stopped. Everything is kept in " + str(home) + "; delete it to begin anew.")
    return 0


def check_ports(ports: Mapping[str, int]) -> None:
    """Raises CannotRun naming the option to change when a port is taken, given twice, or none."""
    if len(set(ports.values())) < len(ports):
        raise CannotRun("The bridge and the demo page need a port each. Give --port and --demo-port two numbers.")
    for option, port in ports.items():
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except (OSError, OverflowError) as problem:
                why = problem.strerror if isinstance(problem, OSError) else "there is no such port"
                raise CannotRun(
                    f"Port {port} cannot be used ({why}). Choose another one: "
                    f"cti-bridge demo {option} {port + 10 if port < 65000 else 5090}"
                ) from None


def _welcome(demo: Demo) -> str:
    width = max(len(agent.email) for agent in office.AGENTS)
    agents = "\n".join(f"    {agent.email:<{width}}  {agent.name}" for agent in office.AGENTS)
    return (
        f"\n  Look here:  {demo.url}/\n\n"
        f"  Sign in as one of these, password {office.PASSWORD}\n{agents}\n\n"
        "  Stop with Ctrl-C.\n"
    )
