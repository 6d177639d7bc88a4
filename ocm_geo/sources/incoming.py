"""What an update takes in: from bulk data, a clone of the export, or any source of stations."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ocm_geo.connections import connections
from ocm_geo.query import Everywhere, StationQuery
from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, arrow_schema
from ocm_geo.sources.account import Account
from ocm_geo.sources.build import read_given_reference
from ocm_geo.sources.clones import clone_state, find_clone_changes
from ocm_geo.sources.plugged import open_register
from ocm_geo.sources.readers import read_batches, read_record_files
from ocm_geo.sources.tables import Parsed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import geopandas as gpd
    import pandas as pd

    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.base import Source
    from ocm_geo.sources.loaded import LoadedSnapshot

__all__ = ["Incoming", "take_bulk", "take_snapshot", "take_source", "wrap_tables"]


@dataclass
class Incoming:
    """
    What an update takes in.

    Parameters
    ----------
    batches : iterable of Parsed
        New and changed records; read once.
    is_whole : bool
        Whether they are all that the source has: what is not among them is gone.
    published_only : bool
        Whether the source shows published stations alone. Stations of the mirror that are not
        published stay then, and records that are not are taken only of stations that it has.
    gone : frozenset of int
        Stations that are gone beside those.
    origin : callable
        Returns what the next update has to know, once the batches are read.
    reference : callable
        Returns the reference data that come with the records, or None, likewise.
    is_complete : callable
        Returns whether the batches held all that was asked for, likewise.
    count_requests : callable
        Returns how many requests were sent, likewise.
    finish : callable
        Called when the new snapshot is in place, or was refused.
    account : Account
        What is to be told about files.
    """

    batches: Iterable[Parsed]
    is_whole: bool = True
    published_only: bool = False
    gone: frozenset[int] = frozenset()
    origin: Callable[[], dict[str, Any]] = dict
    reference: Callable[[], ReferenceData | None] = lambda: None
    is_complete: Callable[[], bool] = lambda: True
    count_requests: Callable[[], int] = lambda: 0
    finish: Callable[[], None] = lambda: None
    account: Account = field(default_factory=Account)


def take_bulk(
    data: Any,  # noqa: ANN401 - checked where it is read
    origin: dict[str, Any],
    *,
    full: bool,
    register: dict[str, Any] | None = None,
) -> Incoming:
    """
    Take bulk data; of a clone of the export, the files that changed.

    Parameters
    ----------
    data : path or iterable of paths
        Files or folders, as for `Mirror.build`.
    origin : dict
        What the last update left.
    full : bool
        Read everything.
    register : dict, optional
        What the manifest says of the register that the mirror holds.

    Returns
    -------
    Incoming
        The records.

    Raises
    ------
    QueryError
        If there is nothing to read.
    """
    reference = read_given_reference(data)
    state = {"kind": "files", **clone_state(data)}
    changes = None if full else find_clone_changes(data, origin.get("commit"))
    account = Account()
    if changes is None:
        batches: Iterable[Parsed] = (
            read_batches(data, account=account)
            if register is None
            else open_register(register["kind"], data, account).batches
        )
        return Incoming(batches, origin=lambda: state, reference=lambda: reference, account=account)
    return Incoming(
        read_record_files(changes.changed, changes.folder),
        is_whole=False,
        gone=changes.deleted,
        origin=lambda: state,
        reference=lambda: reference,
    )


def take_snapshot(loaded: LoadedSnapshot) -> Incoming:
    """
    Take all stations of another mirror, published or not.

    Parameters
    ----------
    loaded : LoadedSnapshot
        Its snapshot.

    Returns
    -------
    Incoming
        The stations.
    """
    table = loaded.read_connections()
    parsed = wrap_tables(loaded.rows, table, loaded.count_connections(table["ocm_id"].to_numpy()))
    return Incoming(
        [parsed],
        origin=lambda: {"kind": "mirror", "snapshot": loaded.name},
        reference=lambda: loaded.reference,
        is_complete=lambda: bool(loaded.manifest["complete"]),
    )


def take_source(source: Source) -> Incoming:
    """
    Take the published stations of any source.

    Parameters
    ----------
    source : Source
        The source; it is asked once, for everything.

    Returns
    -------
    Incoming
        The stations.
    """
    everything = StationQuery.build(Everywhere(), include_comments=True, allow_bulk=True)
    found = source.fetch(everything)
    return Incoming(
        [_parse_frame(found)],
        published_only=True,
        origin=lambda: {"kind": "source"},
        reference=source.reference_data,
    )


def _parse_frame(stations: gpd.GeoDataFrame) -> Parsed:
    """Turn a station table back into columns of Arrow."""
    frame = stations.rename_axis("ocm_id").reset_index()
    frame = frame.assign(lon=stations.geometry.x.to_numpy(), lat=stations.geometry.y.to_numpy())
    position = [pa.field(name, pa.float64()) for name in ("lon", "lat")]
    rows = _convert_frame(frame, pa.schema([*arrow_schema(STATION_COLUMNS), *position]))
    # They are in the order of the stations.
    table = connections(stations)
    counts = frame["ocm_id"].map(table["ocm_id"].value_counts()).fillna(0).to_numpy(np.int64)
    return wrap_tables(rows, _convert_frame(table, arrow_schema(CONNECTION_COLUMNS)), counts)


def _convert_frame(frame: pd.DataFrame, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pandas(frame[schema.names], schema=schema, preserve_index=False)


def wrap_tables(stations: pa.Table, connections: pa.Table, counts: Any) -> Parsed:  # noqa: ANN401
    """
    Make a batch of tables that were parsed before.

    Parameters
    ----------
    stations : pyarrow.Table
        The columns of `STATION_COLUMNS`, ``lon`` and ``lat``.
    connections : pyarrow.Table
        Their connections, in the order of the stations.
    counts : numpy.ndarray of int
        How many connections each station has.

    Returns
    -------
    Parsed
        The batch; its records have no places, since none is read anew.
    """
    return Parsed(
        stations=stations,
        connections=connections,
        n_read=len(stations),
        rejects=(),
        coerced={},
        harvest={},
        origins=["another snapshot"] * len(stations),
        positions=np.arange(len(stations)),
        n_connections=np.asarray(counts),
    )
