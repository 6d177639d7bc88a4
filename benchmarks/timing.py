"""Timing and printing that the benchmarks share."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["report", "seconds"]


def seconds(work: Callable[[], object], repeat: int = 3) -> float:
    """
    Time some work.

    Parameters
    ----------
    work : callable
        The work.
    repeat : int
        How often.

    Returns
    -------
    float
        The least time, seconds.
    """
    best = float("inf")
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best


def report(what: str, ours: float, **peers: float) -> None:
    """
    Print our time and how many times as long the peers take.

    Parameters
    ----------
    what : str
        The work.
    ours : float
        Seconds.
    **peers : float
        Seconds of each peer.
    """
    ratios = ", ".join(f"{name} {time_s / ours:.1f} x" for name, time_s in peers.items())
    print(f"{what}: {ours:.4f} s" + (f"; {ratios}" if ratios else ""))
