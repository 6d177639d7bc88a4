"""Serve a mirror as the Open Charge Map API, ask it, change it, and compare the two snapshots.

Run with ``python examples/served_mirror.py FOLDER``; needs the extra ``server``. The stations are
those of the bundled sample: nothing leaves this computer.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import ocm_geo as ocm


def main(folder: Path) -> None:
    """Build, serve, ask, change and compare a mirror in a folder."""
    mirror = ocm.Mirror.from_source(folder / "mirror", ocm.sample())
    server = mirror.serve(0, block=False)
    try:
        client = ocm.OpenChargeMap("no key needed", base_url=server.url, min_interval_s=0)
        near = ocm.stations_from_point((4.9, 52.37), 10, source=client)
        print(f"Served {server.url}: {len(near)} stations within 10 km of Amsterdam")
        answer = client.request("poi", countrycode="NL", maxresults=5000, output="json")
        records = answer.json()
    finally:
        server.stop()

    netherlands = ocm.Mirror.build(folder / "netherlands", _write(folder / "then.json", records))
    before = netherlands.snapshot
    # The same country a month later: one station closed, one moved, one with more power.
    closed, moved, faster, *others = records
    moved["AddressInfo"]["Longitude"] += 0.01
    faster["Connections"][0]["PowerKW"] = 22.0
    print(f"Without station {closed['ID']}:", end=" ")
    print(netherlands.update(data=_write(folder / "now.json", [moved, faster, *others])))
    changes = ocm.Mirror(folder / "netherlands").diff(before)
    # The connections are JSON, too long for a terminal.
    shown = changes[~changes["column"].isin(["connections"])]
    print(shown[["ocm_id", "change", "column", "old", "new", "moved_m"]].to_string(index=False))


def _write(path: Path, records: object) -> Path:
    path.write_text(json.dumps(records), encoding="utf-8")
    return path


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "served-mirror"))
