"""A snapshot in memory: columns to choose by, and every record as JSON, in the order of ids."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.compute as pc

from ocm_geo.geodesy import PointIndex
from ocm_geo.schema import PUBLISHED, REMOVED
from ocm_geo.server.bodies import Bodies, encode_bodies
from ocm_geo.server.derived import derive_connections

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

    from ocm_geo.reference import ReferenceData
    from ocm_geo.server.options import Manner
    from ocm_geo.sources.mirror import Mirror

__all__ = ["HALF_YEAR", "NONE", "Connections", "Store", "microseconds"]

NONE = -(2**62)
"""A missing whole number or time; no filter can name it."""

HALF_YEAR = dt.timedelta(days=183)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_CODES = (
    *("country_id", "operator_id", "usage_type_id", "status_type_id", "submission_status_id"),
    "data_provider_id",
)
_TIMES = ("date_last_status_update", "date_created", "date_last_confirmed", "date_last_verified")


@dataclass(frozen=True)
class Connections:
    """
    The connections of all stations, those of a station side by side.

    Parameters
    ----------
    type_id, level_id : numpy.ndarray of int, shape (m,)
        Codes; `NONE` where missing.
    power_kw : numpy.ndarray of float, shape (m,)
        Power, kW; NaN where missing.
    start : numpy.ndarray of int, shape (n + 1,)
        Where the connections of each of the n stations begin; the last is m.
    """

    type_id: NDArray[np.int64]
    level_id: NDArray[np.int64]
    power_kw: NDArray[np.float64]
    start: NDArray[np.intp]

    def rows_of(self, positions: NDArray[np.intp]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """
        Find the connections of some stations.

        Parameters
        ----------
        positions : numpy.ndarray of int
            Positions of stations.

        Returns
        -------
        rows : numpy.ndarray of int
            Rows of connections.
        of : numpy.ndarray of int
            The rank in ``positions`` of the station of each.
        """
        first = self.start[positions]
        size = self.start[positions + 1] - first
        of = np.repeat(np.arange(len(positions)), size)
        within = np.arange(len(of)) - np.repeat(np.cumsum(size) - size, size)
        return first[of] + within, of


class Store:
    """
    A snapshot of a mirror, ready to be asked. All arrays are in ascending order of ids.

    Parameters
    ----------
    mirror : Mirror
        The snapshot.
    manner : {"exact", "ocm"}
        Whether powers and levels are those recorded or those that OCM's server derives.
    """

    def __init__(self, mirror: Mirror, manner: Manner) -> None:
        stations, connections = mirror.arrow_tables()
        self.mirror = mirror
        self.manner = manner
        self._stations = stations
        ids = stations["ocm_id"].to_numpy()
        self.file_position: NDArray[np.intp] = np.argsort(ids, kind="stable")
        """The position of each station in the snapshot, where neighbours in space are near."""
        self.ids: NDArray[np.int64] = ids[self.file_position]
        self.lon, self.lat = (self._take(name) for name in ("lon", "lat"))
        self.points = PointIndex(self.lon, self.lat)
        self.codes = {name: self._read_whole(name) for name in _CODES}
        self.times = {name: self._read_whole(name) for name in _TIMES}
        derived = derive_connections(connections) if manner == "ocm" else None
        self.connections = _order_connections(ids, self.file_position, connections, derived)
        self.bodies: Bodies = encode_bodies(stations, self.file_position, connections, derived)
        self.shown: NDArray[np.bool_] = self._are_published() & ~self.are_removed
        # Trees are built now, not in the middle of the first request.
        _ = self.points.tree, self.points.in_box(0, 0, 0, 0)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def reference(self) -> ReferenceData:
        """The reference data of the snapshot."""
        return self.mirror.reference_data()

    @cached_property
    def are_removed(self) -> NDArray[np.bool_]:
        """Return whether each station is removed: OCM shows such ones to nobody."""
        return np.isin(self.codes["status_type_id"], REMOVED)

    @cached_property
    def postcodes(self) -> NDArray[np.object_]:
        """Postal codes; None where missing."""
        return self._take("postcode")

    @cached_property
    def level_of_detail(self) -> NDArray[np.int64]:
        """``LevelOfDetail``; `NONE` where missing, as it mostly is."""
        has_any = pc.match_substring(self._stations["extra"], '"LevelOfDetail":').fill_null(
            fill_value=False
        )
        found = np.full(len(self), NONE, dtype=np.int64)
        texts = self._stations["extra"]
        for row in np.flatnonzero(has_any.to_numpy()):
            value = json.loads(texts[int(row)].as_py()).get("LevelOfDetail")
            found[row] = value if type(value) is int else NONE
        return found[self.file_position]

    @cached_property
    def has_comment(self) -> NDArray[np.bool_]:
        """Return whether each station has a comment."""
        return self._match("comments", bool)

    @cached_property
    def has_checkin(self) -> NDArray[np.bool_]:
        """Return whether a comment of each station is a check-in, a "did not visit" included."""
        return self._match(
            "comments", lambda items: any("CheckinStatusTypeID" in item for item in items)
        )

    @cached_property
    def has_media(self) -> NDArray[np.bool_]:
        """Return whether each station has an enabled photo."""
        return self._match("media", lambda items: any(item.get("IsEnabled") for item in items))

    def text_of(self, column: str, position: int) -> str | None:
        """
        Return a text of a station that is kept outside its record.

        Parameters
        ----------
        column : {"comments", "media"}
            Which.
        position : int
            The station.

        Returns
        -------
        str or None
            JSON, or None where there is nothing.
        """
        text: str | None = self._stations[column][int(self.file_position[position])].as_py()
        return text

    def find_positions(self, ids: tuple[int, ...]) -> NDArray[np.intp]:
        """Find the stations with some ids; ascending, unknown ids left out."""
        asked = np.unique(np.array(ids, dtype=np.int64))
        where = np.searchsorted(self.ids, asked)
        known = where < len(self)
        known[known] = self.ids[where[known]] == asked[known]
        return where[known]

    def _take(self, name: str) -> NDArray[Any]:
        values: NDArray[Any] = self._stations[name].to_numpy()[self.file_position]
        return values

    def _read_whole(self, name: str) -> NDArray[np.int64]:
        """Read a column of whole numbers or times in microseconds; `NONE` where missing."""
        column = self._stations[name].cast("int64").fill_null(NONE)
        return np.asarray(column.to_numpy()[self.file_position])

    def _are_published(self) -> NDArray[np.bool_]:
        """Return which stations are published; exports without a status contain no others."""
        return np.isin(self.codes["submission_status_id"], [*PUBLISHED, NONE])

    def _match(self, column: str, test: Any) -> NDArray[np.bool_]:  # noqa: ANN401 - a test of a list
        """Test the decoded list of each station that has one."""
        found = np.zeros(len(self), dtype=bool)
        texts = self._stations[column]
        for row in np.flatnonzero(texts.is_valid().to_numpy()):
            found[row] = test(json.loads(texts[int(row)].as_py()))
        return found[self.file_position]


def _order_connections(
    ids: NDArray[np.int64],
    order: NDArray[np.intp],
    table: pa.Table,
    derived: pa.Table | None,
) -> Connections:
    """Bring the connections into the order of the stations."""
    of = np.searchsorted(ids[order], table["ocm_id"].to_numpy())
    rows = np.argsort(of, kind="stable")
    start = np.searchsorted(of[rows], np.arange(len(ids) + 1))
    values = table if derived is None else derived
    power = values["power_kw"].to_numpy().astype(np.float64)
    type_id = table["connection_type_id"].fill_null(NONE).to_numpy()
    level_id = values["level_id"].fill_null(NONE).to_numpy()
    return Connections(type_id[rows], level_id[rows], power[rows], start)


def microseconds(moment: dt.datetime) -> int:
    """Return a time as microseconds since 1970, as the columns hold times."""
    return (moment - _EPOCH) // dt.timedelta(microseconds=1)
