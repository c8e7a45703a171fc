"""A TCP proxy that makes a server on loopback as far away as a data centre: what goes through it arrives later.

Each direction takes half the round trip. A connection's first bytes take a whole one more: that is what its handshake
costs over a real distance (with TLS it would be two).
"""

from __future__ import annotations

import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

CHUNK = 65_536


@contextmanager
def far_away(port: int, round_trip: float) -> Iterator[int]:
    """Run the proxy in a process of its own, before the server on ``port``; gives its port. ``round_trip`` in seconds."""
    command = [sys.executable, "-m", "cti_bridge.bench.far", str(port), str(round_trip)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  (our own module)
        try:
            yield int(process.stdout.readline() if process.stdout else 0)
        finally:
            process.terminate()


def _serve(port: int, round_trip: float) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        print(listener.getsockname()[1], flush=True)
        while True:
            near, _ = listener.accept()
            far = socket.create_connection(("127.0.0.1", port))
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            _carry(near, far, round_trip / 2, handshake=round_trip)
            _carry(far, near, round_trip / 2)


def _carry(source: socket.socket, target: socket.socket, delay: float, handshake: float = 0.0) -> None:
    """Everything from one end to the other, in order, each piece ``delay`` seconds after it came."""
    on_the_way: queue.SimpleQueue[tuple[float, bytes]] = queue.SimpleQueue()

    def take() -> None:
        extra = handshake
        piece = b"-"
        while piece:
            try:
                piece = source.recv(CHUNK)
            except OSError:
                piece = b""
            on_the_way.put((time.perf_counter() + delay + extra, piece))
            extra = 0.0

    def give() -> None:
        while True:
            due, piece = on_the_way.get()
            time.sleep(max(0.0, due - time.perf_counter()))  # the distance
            with suppress(OSError):  # whoever hung up wants no more
                if piece:
                    target.sendall(piece)
                    continue
                target.shutdown(socket.SHUT_WR)
            return

    for work in (take, give):
        threading.Thread(target=work, daemon=True).start()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), float(sys.argv[2]))
