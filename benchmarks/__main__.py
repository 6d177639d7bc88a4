"""Run every benchmark: ratios against named peers, measured in one run on the same work.

    python -m benchmarks [NAME…]

Seconds depend on the machine; ratios are what counts.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

NAMES = sorted(p.stem for p in Path(__file__).parent.glob("bench_*.py"))

if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        print(f"== {name}")
        import_module(f"benchmarks.{name}").main()
