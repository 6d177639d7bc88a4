"""Registers into a mirror: against general readers that only parse the file.

50 MB of IRVE, AFDC and OCPI: real files repeated under new ids. pandas, pyarrow and DuckDB read
cells; they check nothing, group no points into stations and write no mirror.
"""

from __future__ import annotations

import gzip
import importlib
import importlib.util
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow.csv
import pyarrow.json

import ocm_geo as ocm
from benchmarks.data import SHARED
from benchmarks.timing import report, seconds

if TYPE_CHECKING:
    from collections.abc import Callable

N_BYTES = 50_000_000
REGISTERS = SHARED / "registers"
IRVE = REGISTERS / "irve" / "v2_3_1_consolidated_dirty_2024-06-05.csv.gz"
AFDC = REGISTERS / "us_afdc" / "wa_all_fuels_2023-03.csv.gz"
OCPI = REGISTERS / "ocpi" / "fr_driveco_2_1_1_2026-06-23.json.gz"


def main() -> None:
    """Print the ratios."""
    with tempfile.TemporaryDirectory() as text:
        folder = Path(text)
        irve = _repeat_rows(IRVE, folder, ("id_pdc_itinerance", "id_station_itinerance"))
        _compare("irve", irve, folder, _csv_readers(irve))
        afdc = _repeat_rows(AFDC, folder, ("ID",))
        _compare("afdc", afdc, folder, _csv_readers(afdc))
        ocpi = _repeat_locations(folder)
        _compare("ocpi", ocpi, folder, _json_readers(ocpi))


def _compare(kind: str, path: Path, folder: Path, readers: dict[str, Callable[[], Any]]) -> None:
    """Build a mirror of a file, read it with each general reader, print the ratios."""
    number = iter(range(100))
    ours = seconds(lambda: ocm.Mirror.build(folder / f"{kind}{next(number)}", path, register=kind))
    peers = {name: seconds(read) for name, read in readers.items()}
    report(f"{kind}, {path.stat().st_size / 1e6:.0f} MB into a mirror", ours, **peers)


def _csv_readers(path: Path) -> dict[str, Callable[[], Any]]:
    """Return the general readers of a CSV file."""
    lines = pyarrow.csv.ParseOptions(newlines_in_values=True)
    readers: dict[str, Callable[[], Any]] = {
        "pandas": lambda: pd.read_csv(path, low_memory=False),
        "pyarrow": lambda: pyarrow.csv.read_csv(path, parse_options=lines),
    }
    if importlib.util.find_spec("duckdb"):
        duckdb: Any = importlib.import_module("duckdb")

        text = f"select * from read_csv('{path}', all_varchar=true, quote='\"')"  # noqa: S608 - our own path
        readers["duckdb"] = lambda: duckdb.sql(text).to_arrow_table()
    return readers


def _json_readers(path: Path) -> dict[str, Callable[[], Any]]:
    """Return the general readers of a file of JSON lines made of the same records."""
    records = json.loads(path.read_bytes())
    lines = path.with_suffix(".jsonl")
    lines.write_text("\n".join(json.dumps(r) for r in records), encoding="utf-8")
    big = pyarrow.json.ReadOptions(block_size=1 << 24)
    readers: dict[str, Callable[[], Any]] = {
        "json": lambda: json.loads(path.read_bytes()),
        "pyarrow": lambda: pyarrow.json.read_json(lines, read_options=big),
    }
    if importlib.util.find_spec("duckdb"):
        duckdb: Any = importlib.import_module("duckdb")

        readers["duckdb"] = lambda: duckdb.read_json(str(lines)).to_arrow_table()
    return readers


def _repeat_rows(source: Path, folder: Path, ids: tuple[str, ...]) -> Path:
    """Repeat the rows of a CSV file under new ids until they fill the size."""
    with gzip.open(source) as stream:
        size = len(stream.read())
    rows = pd.read_csv(source, dtype=str, keep_default_na=False)
    parts = []
    for number in range(N_BYTES // size + 1):
        part = rows.copy()
        for name in ids:
            part[name] = part[name] + str(number)
        parts.append(part)
    target = folder / source.name.removesuffix(".gz")
    pd.concat(parts).to_csv(target, index=False)
    return target


def _repeat_locations(folder: Path) -> Path:
    """Repeat the locations of an OCPI file under new ids until they fill the size."""
    with gzip.open(OCPI) as stream:
        text = stream.read()
    locations = json.loads(text)
    locations = locations.get("data", locations) if isinstance(locations, dict) else locations
    many = [
        {**place, "id": f"{place['id']}-{number}"}
        for number in range(N_BYTES // len(text) + 1)
        for place in locations
    ]
    target = folder / "ocpi.json"
    target.write_text(json.dumps(many), encoding="utf-8")
    return target


if __name__ == "__main__":
    main()
