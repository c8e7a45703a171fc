"""How much the bench sends: bounded in count and time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Load:
    """``requests`` in each of ``rounds`` bursts; ``seconds`` of ``calls_per_second``; and so on, row by row."""

    requests: int
    rounds: int
    seconds: float
    calls_per_second: float
    agents: int
    pushes: int
    few_calls: int
    many_calls: int
    few_numbers: int
    many_numbers: int
    kills: int
    calls_killed: int


FULL = Load(
    requests=150,
    rounds=5,
    seconds=3.0,
    calls_per_second=20,
    agents=1_000,
    pushes=10,
    few_calls=1_000,
    many_calls=1_000_000,
    few_numbers=10_000,
    many_numbers=1_000_000,
    kills=12,
    calls_killed=120,
)

QUICK = Load(
    requests=60,
    rounds=3,
    seconds=1.0,
    calls_per_second=20,
    agents=200,
    pushes=4,
    few_calls=1_000,
    many_calls=50_000,
    few_numbers=10_000,
    many_numbers=50_000,
    kills=2,
    calls_killed=20,
)
