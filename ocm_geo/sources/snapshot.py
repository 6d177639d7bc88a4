"""One immutable snapshot of a mirror on disk: GeoParquet, connections, reference, manifest.

.. code-block:: text

    mirror/
    ├── current                  the id of the snapshot in use, replaced in one step
    └── snapshots/<id>/
        ├── stations.parquet     GeoParquet 1.1: zstd, Hilbert order, box column
        ├── connections.parquet  one row a connection, sites in the same order
        ├── reference.json       the objects that ids refer to
        ├── rejects.jsonl        what could not be kept, with reason and place
        └── manifest.json        counts, countries, sizes and checksums

A snapshot made by an update holds, in place of the first two files, the parts that
`ocm_geo.sources.parts` describes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from ocm_geo.errors import MirrorCorrupt, MirrorMissing
from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, arrow_schema
from ocm_geo.sources.content import PIECE_ROWS, ContentHash

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from ocm_geo.sources.stack import Stack

__all__ = [
    "CONNECTIONS",
    "CURRENT",
    "FORMAT",
    "FORMAT_OF_PARTS",
    "MANIFEST",
    "REJECTS",
    "SNAPSHOTS",
    "STATIONS",
    "ImportReport",
    "check_files",
    "check_hash",
    "checksum",
    "open_manifest",
    "seal_of",
    "write_connections",
    "write_stations",
]

FORMAT = 3
FORMAT_OF_PARTS = 4
"""Of snapshots whose stations are in several parts."""
CURRENT = "current"
SNAPSHOTS = "snapshots"
STATIONS = "stations.parquet"
CONNECTIONS = "connections.parquet"
REJECTS = "rejects.jsonl"
MANIFEST = "manifest.json"

ROW_GROUP = PIECE_ROWS
_NEEDED = {
    **dict.fromkeys(("snapshot", "built", "data_date", "attribution"), str),
    **dict.fromkeys(("report", "files"), dict),
    "complete": bool,
    "countries": list,
}
"""What a manifest says in any case, and of what type."""
_BOX = pa.struct([(name, pa.float64()) for name in ("xmin", "ymin", "xmax", "ymax")])


@dataclass(frozen=True)
class ImportReport:
    """
    What became of the records of an import: ``n_read == n_kept + n_rejected``.

    Parameters
    ----------
    n_read, n_kept, n_rejected : int
        Records.
    n_connections : int
        Connections of the records kept.
    n_published : int
        Records kept that are published and not removed: those that questions are answered with.
    n_published_connections : int
        Connections of these.
    n_without_status : int
        Records kept that have no submission status; they count as published.
    n_unnamed_operators : int
        Operators of the records kept of which no name is known.
    reasons : dict
        Reason to number of records rejected.
    coerced : dict
        Column to number of values of a wrong type, made missing.
    cut : dict
        Files that end too early, and how that shows.
    """

    n_read: int
    n_kept: int
    n_rejected: int
    n_connections: int
    n_published: int
    n_published_connections: int
    n_without_status: int = 0
    n_unnamed_operators: int = 0
    reasons: dict[str, int] = field(default_factory=dict)
    coerced: dict[str, int] = field(default_factory=dict)
    cut: dict[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """Return whether every file could be read to its end."""
        return not self.cut

    def __str__(self) -> str:
        lines = [
            f"read {self.n_read:,} records: kept {self.n_kept:,}, rejected {self.n_rejected:,}",
            f"  stations {self.n_kept:,}, published {self.n_published:,}",
            f"  connections {self.n_connections:,}, published {self.n_published_connections:,}",
        ]
        if self.n_without_status:
            lines.append(f"  without a submission status, as published {self.n_without_status:,}")
        if self.n_unnamed_operators:
            lines.append(f"  operators without a name {self.n_unnamed_operators:,}")
        lines += [f"  NOT COMPLETE: {file} {why}" for file, why in self.cut.items()]
        lines += [f"  rejected {n:,}: {reason}" for reason, n in sorted(self.reasons.items())]
        lines += [f"  made missing {n:,}: {column}" for column, n in sorted(self.coerced.items())]
        return "\n".join(lines)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as plain JSON."""
        return asdict(self)


def write_stations(path: Path, table: Stack, order: NDArray[np.int64], attribution: str) -> str:
    """
    Write stations as GeoParquet 1.1.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    table : Stack
        The columns of `STATION_COLUMNS`, ``lon`` and ``lat``.
    order : numpy.ndarray of int
        The order to write the rows in.
    attribution : str
        Credit line for the metadata.

    Returns
    -------
    str
        The content hash of the rows, as `ContentHash` makes it.
    """
    lon, lat = (table.column(name).to_numpy()[order] for name in ("lon", "lat"))
    fields = [*arrow_schema(STATION_COLUMNS), pa.field("bbox", _BOX), ("geometry", pa.binary())]
    metadata = {
        "geo": _describe_geometry_column(lon, lat),
        "ocm": json.dumps({"attribution": attribution}),
    }
    schema = pa.schema(fields, metadata=metadata)
    names = [column.name for column in STATION_COLUMNS]
    content = ContentHash()
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        # Row group by row group: the whole is never held twice.
        for rows in table.pieces(order, ROW_GROUP):
            content.add(rows)
            x, y = (rows[name].combine_chunks() for name in ("lon", "lat"))
            box = pa.StructArray.from_arrays([x, y, x, y], fields=list(_BOX))
            points = shapely.points(x.to_numpy(), y.to_numpy())
            wkb = pa.array(shapely.to_wkb(points), pa.binary())
            columns = [*rows.select(names).columns, box, wkb]
            writer.write_table(pa.Table.from_arrays(columns, schema=schema), ROW_GROUP)
    return content.digest()


def write_connections(path: Path, table: Stack, order: NDArray[np.int64]) -> None:
    """
    Write connections as Parquet.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    table : Stack
        The columns of `CONNECTION_COLUMNS`.
    order : numpy.ndarray of int
        The order to write the rows in.
    """
    schema = arrow_schema(CONNECTION_COLUMNS)
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for rows in table.pieces(order, 5 * ROW_GROUP):
            writer.write_table(rows, 5 * ROW_GROUP)


def _describe_geometry_column(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> str:
    """Describe the geometry column as GeoParquet 1.1 asks."""
    corners = ("xmin", "ymin", "xmax", "ymax")
    column: dict[str, Any] = {
        "encoding": "WKB",
        "geometry_types": ["Point"],
        "crs": pyproj.CRS("EPSG:4326").to_json_dict(),
        "covering": {"bbox": {corner: ["bbox", corner] for corner in corners}},
    }
    if len(lon):
        west, east, south, north = np.min(lon), np.max(lon), np.min(lat), np.max(lat)
        column["bbox"] = [float(west), float(south), float(east), float(north)]
    document = {"version": "1.1.0", "primary_column": "geometry", "columns": {"geometry": column}}
    return json.dumps(document)


def checksum(path: Path) -> str:
    """
    Hash a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    str
        SHA-256, hexadecimal.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def open_manifest(root: Path, snapshot: str | None) -> tuple[Path, dict[str, Any]]:
    """
    Find a snapshot and read its manifest.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.
    snapshot : str, optional
        Its id; the current one by default.

    Returns
    -------
    folder : pathlib.Path
        The snapshot.
    manifest : dict
        What it should hold.

    Raises
    ------
    MirrorMissing
        If there is no mirror, or no such snapshot.
    MirrorCorrupt
        If the manifest cannot be read, or is of another format.
    """
    pointer = root / CURRENT
    if not pointer.is_file():
        raise MirrorMissing(
            f"there is no mirror at {root}: build one with Mirror.build({str(root)!r}, data) or "
            "`ocm-geo mirror build`"
        )
    name = snapshot or pointer.read_text(encoding="utf-8", errors="replace").strip()
    folder = root / SNAPSHOTS / name
    if not folder.is_dir():
        raise MirrorMissing(f"the mirror {root} has no snapshot {name!r}")
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        version = manifest["format"]
        seal = manifest.pop("seal", "")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise MirrorCorrupt(
            f"snapshot {name} of {root} has no readable manifest ({error}): build it again"
        ) from error
    if version not in {FORMAT, FORMAT_OF_PARTS}:
        raise MirrorCorrupt(
            f"snapshot {name} of {root} has format {version}; this version of ocm_geo reads "
            f"formats {FORMAT} and {FORMAT_OF_PARTS}: build it again"
        )
    if seal != seal_of(manifest) or not _is_whole(manifest):
        raise MirrorCorrupt(
            f"{folder / MANIFEST} is damaged (checksum): build the mirror again, or open another "
            "snapshot"
        )
    return folder, manifest


def _is_whole(manifest: dict[str, Any]) -> bool:
    """Return whether a manifest says all that is read from it: whoever wrote it may seal it."""
    return all(isinstance(manifest.get(key), kind) for key, kind in _NEEDED.items())


def seal_of(manifest: dict[str, Any]) -> str:
    """
    Hash a manifest.

    Parameters
    ----------
    manifest : dict
        The manifest without its seal.

    Returns
    -------
    str
        SHA-256 of its JSON, hexadecimal.
    """
    return hashlib.sha256(json.dumps(manifest).encode()).hexdigest()


def check_files(folder: Path, manifest: dict[str, Any], *, fully: bool = False) -> None:
    """
    Compare the files of a snapshot with its manifest.

    Parameters
    ----------
    folder : pathlib.Path
        The snapshot.
    manifest : dict
        Its manifest.
    fully : bool
        Compare checksums and not only sizes.

    Raises
    ------
    MirrorCorrupt
        If a file is missing or differs.
    """
    for name, facts in manifest["files"].items():
        path = folder / name
        if not path.is_file():
            raise MirrorCorrupt(f"{path} is missing: build the mirror again")
        if path.stat().st_size != facts["bytes"]:
            raise MirrorCorrupt(
                f"{path} has {path.stat().st_size} bytes, not {facts['bytes']}: it is damaged; "
                "build the mirror again"
            )
        if fully:
            check_hash(path, facts["sha256"])


def check_hash(path: Path, sha256: str) -> None:
    """
    Compare a file with its checksum.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    sha256 : str
        What it should be.

    Raises
    ------
    MirrorCorrupt
        If it differs, or cannot be read.
    """
    try:
        found = checksum(path)
    except OSError as error:
        raise MirrorCorrupt(f"{path} cannot be read ({error}): build the mirror again") from error
    if found != sha256:
        raise MirrorCorrupt(
            f"{path} is damaged (checksum): build the mirror again, or open another snapshot"
        )
