"""The columns of a draft and of the tables made of it, as Arrow layouts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ocm_geo.registers.draft import Connector, Point, Site
from ocm_geo.registers.values import MOMENT
from ocm_geo.schema import STATION_COLUMNS, arrow_schema

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["CONNECTOR_LAYOUT", "POINT_LAYOUT", "SITE_LAYOUT", "STATION_LAYOUT", "lay_out"]

_FLOATS = {"lon", "lat", "site_power_kw", "power_kw", "amps", "voltage", "bay_length_m"}
_TIMES = {"updated", "created", "planned", "confirmed"}
_COUNTS = {"n_points", "n_heavy_vehicle_bays", "site", "point", "position", "quantity"}


def _kind_of(name: str) -> pa.DataType:
    """Return the Arrow type of a column by its name."""
    if name in _FLOATS:
        return pa.float64()
    if name in _TIMES:
        return MOMENT
    if name == "heavy_vehicle_bay":
        return pa.bool_()
    is_code = name.endswith(("_type_id", "level_id"))
    return pa.int64() if is_code or name in _COUNTS else pa.string()


def _layout_of(fields: tuple[str, ...]) -> pa.Schema:
    return pa.schema([pa.field(name, _kind_of(name)) for name in fields])


SITE_LAYOUT = _layout_of(Site._fields)
POINT_LAYOUT = _layout_of(Point._fields)
CONNECTOR_LAYOUT = _layout_of(Connector._fields)
STATION_LAYOUT = pa.schema(
    [
        *arrow_schema(STATION_COLUMNS),
        pa.field("lon", pa.float64(), nullable=False),
        pa.field("lat", pa.float64(), nullable=False),
    ]
)


def lay_out(columns: Mapping[str, Any], layout: pa.Schema, n: int) -> pa.Table:
    """
    Make a table of the columns that are known; the others are missing.

    Parameters
    ----------
    columns : mapping of str to array
        Sequences, NumPy or Arrow arrays of n values; None for a column that is not known.
    layout : pyarrow.Schema
        The columns of the table.
    n : int
        How many rows.

    Returns
    -------
    pyarrow.Table
        One chunk a column.
    """
    arrays = [_to_arrow(columns.get(field.name), field.type, n) for field in layout]
    return pa.Table.from_arrays(arrays, schema=layout)


def _to_arrow(values: Any, kind: pa.DataType, n: int) -> pa.Array:  # noqa: ANN401 - any array
    """Bring the values of a column into its Arrow type; None is a column of nulls."""
    if values is None:
        return pa.nulls(n, kind)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.Array):
        return values.cast(kind, safe=False)
    if isinstance(values, np.ndarray) and values.dtype.kind == "f" and kind == pa.int64():
        return pa.array(values, pa.float64(), from_pandas=True).cast(kind, safe=False)
    return pa.array(values, kind, from_pandas=True)
