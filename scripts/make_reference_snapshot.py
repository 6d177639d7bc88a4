"""Make the bundled reference snapshot from a referencedata document of Open Charge Map.

    python scripts/make_reference_snapshot.py reference.json 2021-08-13

Only ids, codes, titles, flags and licences of the small, stable tables are kept; operators are
left to the source that is asked, but for the three that mean no company.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ocm_geo.reference.reading import from_json, write
from ocm_geo.reference.tables import COLUMNS, ReferenceData, make_reference, make_table

FOLDER = Path(__file__).parents[1] / "ocm_geo" / "reference"
KEPT = {
    "operators": ["title", "is_private_individual"],
    "connection_types": ["title", "formal_name", "is_discontinued", "is_obsolete"],
    "current_types": ["title"],
    "levels": ["title", "is_fast_charge_capable"],
    "data_providers": ["title", "license", "is_open_data_licensed", "is_restricted_edit"],
}
NO_COMPANY = [1, 44, 45]
# Later additions to the server's own lists.
LATER_CONNECTIONS = {1043: "Type M", 1044: "ChaoJi"}
# Feeds that the server imports since; whether they are openly licensed is not known.
LATER_PROVIDERS = {
    30: "go-evio",
    31: "sitronics",
    32: "lakd.lt",
    33: "gaia",
    34: "toger",
    35: "electricera",
    36: "itcharge.ru",
    37: "voltrelli",
    38: "powergo",
    39: "punkt-e",
    40: "ezvolt",
    42: "otopriz",
    44: "zepto.pl",
    45: "greems",
}
# The API does not print who may charge; the titles say it: "Public…" is public.
PUBLIC = {0: None, 1: True, 2: False, 3: False, 4: True, 5: True, 6: False, 7: True}
CONTRIBUTORS = 1
CONTRIBUTORS_LICENSE = (
    "Licensed under Creative Commons Attribution 4.0 International (CC BY 4.0); in the document of "
    "2021 it was CC BY-SA 4.0"
)
MAX_LICENSE = 300


def main(document: str, date: str) -> None:
    """Write ``snapshot.json``."""
    whole = from_json(Path(document).read_bytes(), origin="bundled snapshot", date=date)
    path = write(_small(whole), FOLDER)
    path.replace(FOLDER / "snapshot.json")


def _small(whole: ReferenceData) -> ReferenceData:
    tables = {}
    for name, columns in COLUMNS.items():
        table = whole.table(name)
        rows = json.loads(table[KEPT.get(name, list(columns))].to_json(orient="index"))
        tables[name] = {int(i): row for i, row in rows.items()}
    tables["operators"] = {i: tables["operators"][i] for i in NO_COMPANY}
    tables["connection_types"] |= {i: {"title": t} for i, t in LATER_CONNECTIONS.items()}
    tables["data_providers"] |= {i: {"title": t} for i, t in LATER_PROVIDERS.items()}
    tables["data_providers"][CONTRIBUTORS]["license"] = CONTRIBUTORS_LICENSE
    for row in tables["data_providers"].values():
        if row.get("license"):
            row["license"] = " ".join(row["license"].split())[:MAX_LICENSE]
    for i, is_public in PUBLIC.items():
        tables["usage_types"][i]["is_public"] = is_public
    made = {name: make_table(name, rows) for name, rows in tables.items()}
    return make_reference(made, date=whole.date, origin=whole.origin)


if __name__ == "__main__":
    main(*sys.argv[1:])
