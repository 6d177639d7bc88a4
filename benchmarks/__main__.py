"""Run every benchmark: ratios against named peers, measured in one run on the same work.

    python -m benchmarks [NAME…] [--markdown]

Seconds depend on the machine; ratios are what counts. With --markdown the results of the benchmarks
that ran replace theirs in docs/about/measured.txt, which the documentation shows.
"""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import sys
from importlib import import_module
from pathlib import Path

from benchmarks.timing import MEASURED, Measured

HERE = Path(__file__).parent
NAMES = sorted(p.stem for p in HERE.glob("bench_*.py"))
PAGE = HERE.parent / "docs" / "about" / "measured.txt"


def write_section(name: str, rows: list[Measured]) -> str:
    """
    Return the results of one benchmark.

    Parameters
    ----------
    name : str
        Its module.
    rows : list of Measured
        What it printed.

    Returns
    -------
    str
        Markdown: date, machine and a table.
    """
    title = (import_module(f"benchmarks.{name}").__doc__ or name).partition("\n")[0]
    today = dt.datetime.now(dt.UTC).date()
    load = os.getloadavg()[0]
    lines = [
        f"## {name}",
        "",
        title,
        "",
        (
            f"{today}, {os.cpu_count()} cores ({platform.machine()}), Python "
            f"{platform.python_version()}, load average {load:.1f} at the end."
        ),
        "",
        "| work | ocm_geo | times as long |",
        "|---|---|---|",
    ]
    for row in rows:
        peers = ", ".join(f"{peer} {ratio:.1f}" for peer, ratio in row.ratios.items())
        lines.append(f"| {row.work} | {row.seconds:.3g} s | {peers} |")
    return "\n".join([*lines, ""])


def replace_section(text: str, name: str, section: str) -> str:
    """
    Return a page of results with those of one benchmark replaced or added.

    Parameters
    ----------
    text : str
        The page.
    name : str
        The benchmark.
    section : str
        Its new results.

    Returns
    -------
    str
        The page, benchmarks in order of their names.
    """
    parts = dict(re.findall(r"(?ms)^## (\w+)\n(.*?)(?=^## |\Z)", text))
    parts[name] = section.partition("\n")[2]
    return "\n".join(f"## {key}\n{parts[key].rstrip()}\n" for key in sorted(parts))


def main(arguments: list[str]) -> None:
    """
    Run benchmarks.

    Parameters
    ----------
    arguments : list of str
        Their names, by default all, and ``--markdown``.
    """
    names = [name for name in arguments if name != "--markdown"]
    for name in names or NAMES:
        print(f"== {name}")
        MEASURED.clear()
        import_module(f"benchmarks.{name}").main()
        if "--markdown" in arguments and MEASURED:
            before = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
            after = replace_section(before, name, write_section(name, MEASURED))
            PAGE.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
