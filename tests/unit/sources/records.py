"""Invented records, and files of them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from typing import Any

TITLES = {25: "Type 2 (Socket Only)", 33: "CCS (Type 2)"}


def poi(ocm_id: int, lon: float = 5.0, lat: float = 52.0, **more: Any) -> dict[str, Any]:
    """Return a record of the API."""
    place = {"ID": ocm_id, "Title": f"S{ocm_id}", "Latitude": lat, "Longitude": lon}
    record = {
        "ID": ocm_id,
        "UUID": f"U{ocm_id}",
        "SubmissionStatusTypeID": 200,
        "StatusTypeID": 50,
        "DateLastStatusUpdate": "2024-05-01T10:00:00Z",
        "AddressInfo": {**place, "CountryID": 159},
    }
    return {**record, "Connections": [{"ID": ocm_id, "PowerKW": 50.0}], **more}


def zipped(**members: bytes) -> bytes:
    """Return a zip archive; ``__`` in a name stands for a folder, ``_`` for a dot."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), content)
    return out.getvalue()


def tarred(**members: bytes) -> bytes:
    """Return a tar archive; names as for `zipped`."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name.replace("__", "/").replace("_", "."))
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def array(n: int, first: int = 1) -> bytes:
    """Return an array of records."""
    return json.dumps([poi(i) for i in range(first, first + n)]).encode()


def lines(n: int, first: int = 1) -> bytes:
    """Return lines of records."""
    return "\n".join(json.dumps(poi(i)) for i in range(first, first + n)).encode()
