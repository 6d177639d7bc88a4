"""Write GeoJSON (RFC 7946) as a plain dict for other programs, and as a file; read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import msgspec
import numpy as np
import pandas as pd
import shapely

from ocm_geo.errors import QueryError
from ocm_geo.files.columns import pack
from ocm_geo.files.restoring import ID_COLUMNS, is_facts
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ocm_geo.files.columns import Packed

__all__ = ["read_geojson", "to_geojson", "write_geojson"]

_KEY = "ocm_geo"


def to_geojson(table: gpd.GeoDataFrame) -> dict[str, Any]:
    """
    Return a table as a GeoJSON FeatureCollection, a dict of plain JSON values.

    ``folium.GeoJson``, ``ipyleaflet.GeoJSON``, ``json.dumps`` and other programs accept it.

    Parameters
    ----------
    table : geopandas.GeoDataFrame
        Any table with geometry, in any coordinate reference system.

    Returns
    -------
    dict
        A feature for each row, in longitude and latitude. An index of one level is the ``id``
        of the feature and also a property. Times are texts of ISO 8601 (UTC ends
        with ``Z``), lists and dicts are kept, and missing values, NaN and infinity are None.

    Raises
    ------
    QueryError
        If the table has no geometry, its geometry has no coordinate reference system, or a
        column cannot be written as JSON.

    Examples
    --------
    >>> import json
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("BE", source=ocm.sample()).head(2)
    >>> collection = ocm.to_geojson(stations)
    >>> collection["features"][0]["id"] == int(stations.index[0])
    True
    >>> len(json.dumps(collection, allow_nan=False)) > 1000
    True
    """
    packed = pack(table)
    if packed.geometry is None:
        raise QueryError("to_geojson needs a GeoDataFrame with geometry")
    features: list[dict[str, Any]] = json.loads(
        b"[%b]" % b",".join(_encode_features(packed, lists=True))
    )
    return {"type": "FeatureCollection", "features": features}


def write_geojson(packed: Packed, path: Path) -> None:
    """
    Write a table as a FeatureCollection with its provenance as ``ocm_geo``.

    Parameters
    ----------
    packed : Packed
        The table.
    path : pathlib.Path
        The path to write.
    """
    with path.open("wb") as file:
        head = msgspec.json.encode({"type": "FeatureCollection", _KEY: packed.facts})
        file.write(head[:-1] + b',"features":[\n')
        for i, feature in enumerate(_encode_features(packed)):
            file.write((b",\n" if i else b"") + feature)
        file.write(b"\n]}\n")


def _encode_features(packed: Packed, *, lists: bool = False) -> Iterator[bytes]:
    """Yield each feature as JSON."""
    columns = packed.columns
    as_json = {c["name"] for c in packed.facts["columns"] if c["kind"] == "json" and lists}
    values = [_list_plain_values(columns[name], raw=name in as_json) for name in columns]
    names = list(columns)
    shapes = _encode_shapes(packed.geometry)
    id_at = _find_id_position(packed)
    for shape, *row in zip(shapes, *values, strict=True):
        feature: dict[str, Any] = {"type": "Feature"}
        if id_at is not None and row[id_at] is not None:
            feature["id"] = row[id_at]
        properties = dict(zip(names, row, strict=True))
        yield msgspec.json.encode({**feature, "properties": properties, "geometry": shape})


def _find_id_position(packed: Packed) -> int | None:
    """Return the position of the column that identifies rows."""
    if packed.facts["n_index"]:
        return 0 if packed.facts["n_index"] == 1 else None
    names = list(packed.columns)
    return next((names.index(name) for name in ID_COLUMNS if name in names), None)


def _encode_shapes(geometry: gpd.GeoSeries | None) -> list[msgspec.Raw | None]:
    """Return each geometry as JSON."""
    if geometry is None:
        return []
    texts = shapely.to_geojson(geometry.array)
    return [None if text is None else msgspec.Raw(text.encode()) for text in texts]


def _list_plain_values(values: pd.Series, *, raw: bool) -> list[Any]:
    """Return the values of a plain column for JSON."""
    if pd.api.types.is_datetime64_any_dtype(values.dtype):
        values = _format_iso_times(values)
    found = values.astype(object).where(values.notna(), None).tolist()
    if raw:
        return [None if text is None else msgspec.Raw(text.encode()) for text in found]
    if pd.api.types.is_float_dtype(values.dtype):
        return [v if v is not None and np.isfinite(v) else None for v in found]
    return found


def _format_iso_times(values: pd.Series) -> pd.Series:
    """Return times as texts of ISO 8601, UTC with Z at the end."""
    texts = values.map(pd.Timestamp.isoformat, na_action="ignore").astype("string")
    return texts.str.replace(r"\+00:00$", "Z", regex=True)


def read_geojson(path: Path) -> tuple[pd.DataFrame, gpd.GeoSeries, dict[str, Any]]:
    """
    Read a FeatureCollection.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Returns
    -------
    tuple
        Columns, geometry and the facts of `write_geojson`.

    Raises
    ------
    QueryError
        If it is not GeoJSON.
    """
    try:
        document = msgspec.json.decode(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise QueryError(f"{path.name} is not JSON or is cut off: {error}") from error
    features = _extract_features(document, path.name)
    facts = document.get(_KEY)
    facts = facts if is_facts(facts) else {}
    crs = _read_old_crs(document, path.name)
    try:
        shapes = [
            None if f.get("geometry") is None else json.dumps(f["geometry"]) for f in features
        ]
        geometry = gpd.GeoSeries(shapely.from_geojson(np.array(shapes, dtype=object)), crs=crs)
        rows = [f.get("properties") or {} for f in features]
        columns = pd.DataFrame(_collect_properties(rows, facts))
    except (
        AttributeError,
        TypeError,
        ValueError,
        OverflowError,
        shapely.errors.ShapelyError,
    ) as error:
        raise QueryError(f"{path.name} contains damaged features: {error}") from error
    return columns, geometry.rename("geometry"), facts


def _extract_features(document: object, file: str) -> list[dict[str, Any]]:
    """Return the features of a document."""
    kind = document.get("type") if isinstance(document, dict) else None
    features = document.get("features") if isinstance(document, dict) else None
    if kind == "Feature":
        return [document]  # type: ignore[list-item] # a dict, as its kind says
    if kind == "FeatureCollection" and isinstance(features, list):
        return features
    raise QueryError(f"{file} is JSON but not a FeatureCollection of GeoJSON")


def _read_old_crs(document: dict[str, Any], file: str) -> Any:  # noqa: ANN401 - of pyproj
    """Return the reference system of a file of the older GeoJSON."""
    import pyproj  # noqa: PLC0415 - only for such files

    named = document.get("crs")
    if named is None:
        return CRS
    try:
        return pyproj.CRS.from_user_input(named["properties"]["name"])
    except (KeyError, TypeError, pyproj.exceptions.CRSError) as error:
        raise QueryError(f"{file} has an unknown coordinate reference system") from error


def _collect_properties(rows: list[dict[str, Any]], facts: dict[str, Any]) -> dict[str, pd.Series]:
    """Return properties as columns, in the order of their first use."""
    names = {c["name"]: None for c in facts.get("columns", [])} if facts else {}
    for row in rows:
        names.update(dict.fromkeys(row))
    return {name: _build_json_column([row.get(name) for row in rows]) for name in names}


def _build_json_column(values: list[Any]) -> pd.Series:
    """Return JSON values as a column of one type."""
    kinds = {type(v) for v in values if v is not None}
    dtypes = {bool: "boolean", int: "Int64", float: "Float64", str: "string"}
    if kinds <= {int, float} and len(kinds) > 1:
        kinds = {float}
    if len(kinds) != 1 or next(iter(kinds)) not in dtypes:
        return pd.Series(values, dtype="string" if not kinds else object)
    return pd.Series(values, dtype=dtypes[kinds.pop()])
