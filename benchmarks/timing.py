"""Timing and printing that the benchmarks share."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["MEASURED", "Fresh", "Measured", "report", "run_fresh", "seconds"]

_CHILD = """
import json, sys, time

def read_peak_mib():
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:")) / 1024

before, work = sys.argv[1:]
names = {}
exec(before, names)
base_mib, start = read_peak_mib(), time.perf_counter()
exec(work, names)
print(json.dumps([time.perf_counter() - start, base_mib, read_peak_mib()]))
"""


class Fresh(NamedTuple):
    """
    What some work took in a process of its own.

    Parameters
    ----------
    seconds : float
        Its time, without what came before.
    base_mib : float
        Peak of the resident memory before it, MiB: the imports.
    peak_mib : float
        Peak of the resident memory at its end, MiB.
    """

    seconds: float
    base_mib: float
    peak_mib: float

    def __str__(self) -> str:
        over = self.peak_mib - self.base_mib
        return f"{self.seconds:.1f} s, peak {self.peak_mib:,.0f} MiB, {over:,.0f} over the imports"


def run_fresh(before: str, work: str) -> Fresh:
    """
    Run some work in a fresh process and measure its time and memory; requires Linux.

    The peak is ``VmHWM`` of the process itself. What ``getrusage`` returns of children begins
    with the memory of the parent that forked them.

    Parameters
    ----------
    before : str
        Python that does not count: imports.
    work : str
        Python that does.

    Returns
    -------
    Fresh
        Time and peaks.
    """
    command = [sys.executable, "-W", "ignore", "-c", _CHILD, before, work]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603 - our own text
    return Fresh(*json.loads(done.stdout.splitlines()[-1]))


class Measured(NamedTuple):
    """One line of a benchmark."""

    work: str
    seconds: float
    ratios: dict[str, float]
    """How many times as long each peer takes."""


MEASURED: list[Measured] = []
"""What `report` printed in this run."""


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
    ratios = {name: time_s / ours for name, time_s in peers.items()}
    MEASURED.append(Measured(what, ours, ratios))
    shown = ", ".join(f"{name} {ratio:.1f} x" for name, ratio in ratios.items())
    print(f"{what}: {ours:.4f} s" + (f"; {shown}" if shown else ""))
