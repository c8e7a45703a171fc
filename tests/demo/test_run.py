"""The demo as a process: it starts, says where to look, keeps its things to itself, and stops when told."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from cti_bridge.demo import office
from cti_bridge.demo.run import CannotRun, check_ports
from cti_bridge.widgets import DIST


@pytest.fixture(autouse=True)
def widgets() -> None:
    if not (DIST / "embed.js").exists():
        pytest.fail("The widgets are not built. Build them with: make widgets", pytrace=False)


@contextmanager
def started(home: Path, port: int, demo_port: int) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "cti_bridge.demo", "--home", str(home)]
    command += ["--port", str(port), "--demo-port", str(demo_port)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)


def read_until(process: subprocess.Popen[str], pattern: str) -> str:
    """What the demo says until this comes. Fails when it ends before."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if re.search(pattern, line):
            return said
    pytest.fail(f"the demo ended after saying: {said}{process.stderr.read() if process.stderr else ''}")


def test_it_starts_twice_keeps_its_secrets_and_stops_when_told(tmp_path: Path) -> None:
    home = tmp_path / "home"
    port, demo_port = free_ports()
    kept: list[str] = []
    for start in (1, 2):
        with started(home, port, demo_port) as demo:
            said = read_until(demo, "Stop with Ctrl-C")
            assert f"http://127.0.0.1:{demo_port}/" in said
            assert office.PASSWORD in said
            assert requests.get(f"http://127.0.0.1:{port}/readyz", timeout=5).ok
            scene = requests.get(f"http://127.0.0.1:{demo_port}/scene", timeout=5).json()
            assert len(scene["agents"]) == len(office.AGENTS), f"start {start}"
            secrets = home / "secrets.json"
            assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
            kept.append(secrets.read_text("utf-8"))
            assert json.loads(kept[-1])["auth_token"] not in said
            demo.send_signal(signal.SIGINT if start == 1 else signal.SIGTERM)
            assert demo.wait(timeout=15) == 0
        check_ports({"--port": port, "--demo-port": demo_port})  # both are free again
    assert kept[0] == kept[1]


def test_a_taken_port_is_said_in_one_line_with_the_mend(tmp_path: Path) -> None:
    port, demo_port = free_ports()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", demo_port))
        taken.listen()
        with started(tmp_path, port, demo_port) as demo:
            _, complaint = demo.communicate(timeout=30)
            assert demo.returncode == 1
    assert complaint.count("\n") == 1
    assert f"Port {demo_port}" in complaint
    assert f"--demo-port {demo_port + 10 if demo_port < 65000 else 5090}" in complaint


def test_a_port_out_of_range_is_refused_like_a_taken_one() -> None:
    with pytest.raises(CannotRun, match="--port"):
        check_ports({"--port": 70_000})


def test_both_sides_need_a_port_each() -> None:
    with pytest.raises(CannotRun, match="two numbers"):
        check_ports({"--port": 5080, "--demo-port": 5080})


def test_the_bridge_gets_no_other_bridges_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "TWILIO_AUTH_TOKEN", "CTI_CONNECTOR", "SALESFORCE_USERNAME", "WEB_CONCURRENCY"):
        monkeypatch.setenv(name, "of another bridge")
    made = office.Secrets("s" * 32, "AC" + "0" * 32, "token")
    settings = office.environment(made, tmp_path, bridge_url="http://127.0.0.1:1", demo_url="http://127.0.0.1:2")
    assert "of another bridge" not in settings.values()
    assert settings["CTI_LOCAL_RECORD_URL"] == "http://127.0.0.1:2/?open={id}"
    assert settings["PATH"]


def test_secrets_that_cannot_be_read_are_made_anew(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text("{", "utf-8")
    made = office.keep_secrets(tmp_path)
    assert len(made.secret_key) >= 32
    assert office.keep_secrets(tmp_path) == made
    assert (tmp_path / ".gitignore").read_text("utf-8") == "*\n"


def free_ports() -> tuple[int, int]:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return one.getsockname()[1], two.getsockname()[1]
