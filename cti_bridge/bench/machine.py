"""How busy the machine is with others: how late a process wakes that only sleeps. Milliseconds mean nothing beside it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from cti_bridge.bench.table import percentile

NAP = 0.003


class Lateness:
    """``p99`` in seconds, once the watch is over."""

    p99 = 0.0

    def verdict(self, value: float, budget: float) -> tuple[bool | None, str]:
        """Whether the budget is kept, or None and why when the machine was too busy to say that it is not."""
        if value <= budget:
            return True, ""
        if self.p99 > budget / 4:
            return None, (
                f" Not judged: the machine was busy with others, a process that only slept woke {self.p99 * 1e3:.0f} ms "
                "late (p99)."
            )
        return False, ""


@contextmanager
def watched() -> Iterator[Lateness]:
    """Watch the machine, from a process of its own, for as long as the block lasts."""
    lateness = Lateness()
    command = [sys.executable, "-m", "cti_bridge.bench.machine"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        yield lateness
        told, _ = process.communicate("\n")
    lateness.p99 = float(json.loads(told))


def _watch() -> float:
    late: list[float] = []
    over = threading.Event()

    def wait_for_the_end() -> None:
        sys.stdin.readline()
        over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    while not (late and over.is_set()):
        began = time.perf_counter()
        time.sleep(NAP)
        late.append(time.perf_counter() - began - NAP)
    return percentile(late, 99)


if __name__ == "__main__":
    print(_watch())
