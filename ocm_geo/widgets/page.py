"""A map of stations as one HTML file that opens without network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ocm_geo.errors import QueryError
from ocm_geo.plots.maps import in_degrees
from ocm_geo.plots.style import POWER_CLASSES
from ocm_geo.provenance import read_attrs
from ocm_geo.reference.credit import ATTRIBUTION
from ocm_geo.widgets.clusters import group_points
from ocm_geo.widgets.facts import describe_stations, legend_entries
from ocm_geo.widgets.stations import land_features

if TYPE_CHECKING:
    import os

    import geopandas as gpd
    import numpy as np

    from ocm_geo.reference import ReferenceData

__all__ = ["MAX_MARKERS", "to_html"]

MAX_MARKERS = 5000
_ZOOMS = range(2, 12)
_ASSETS = Path(__file__).parent / "assets"


def to_html(
    stations: gpd.GeoDataFrame,
    path: str | os.PathLike[str],
    *,
    reference: ReferenceData | None = None,
    title: str = "Charging stations",
) -> Path:
    """
    Write a map of stations as one HTML file that opens without network.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.
    path : path
        The file.
    reference : ReferenceData, optional
        `ocm_geo.reference_data` of the source, so that operators read as words.
    title : str
        Heading.

    Returns
    -------
    pathlib.Path
        The file. Up to 5,000 stations are markers with popups; of more, groups are shown for
        each zoom and the page says that single stations were left out.

    Raises
    ------
    QueryError
        If it is no station table, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("BE", source=ocm.sample())
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = ocm.to_html(stations, f"{folder}/map.html").read_text(encoding="utf-8")
    >>> "<script src=" in page
    False
    """
    points = in_degrees(stations, "stations").geometry
    lon, lat = points.x.to_numpy(), points.y.to_numpy()
    many = len(stations) > MAX_MARKERS
    data: dict[str, Any] = {
        "stations": [] if many else describe_stations(stations, reference),
        "groups": _groups(lon, lat) if many else {},
        "land": land_features(lon, lat),
        "colours": [colour for _, _, colour in POWER_CLASSES],
        "bounds": _bounds(lon, lat),
    }
    target = Path(path)
    try:
        target.write_text(_page(title, data, _notes(stations, many=many)), encoding="utf-8")
    except OSError as error:
        raise QueryError(f"{target} cannot be written: {error.strerror}") from error
    return target


def _bounds(lon: np.ndarray, lat: np.ndarray) -> list[list[float]]:
    if not len(lon):
        return [[-60.0, -180.0], [80.0, 180.0]]
    low, high = (lat.min(), lon.min()), (lat.max(), lon.max())
    return [[float(v) for v in low], [float(v) for v in high]]


def _groups(lon: np.ndarray, lat: np.ndarray) -> dict[int, list[list[float]]]:
    """Group for each zoom, as far as the groups stay fewer than the markers may be."""
    levels = {}
    for zoom in _ZOOMS:
        groups = group_points(lon, lat, zoom)
        if len(groups.size) > MAX_MARKERS:
            break
        rows = zip(groups.lon, groups.lat, groups.size, strict=True)
        levels[zoom] = [[round(float(y), 4), round(float(x), 4), int(n)] for x, y, n in rows]
    return levels


def _notes(stations: gpd.GeoDataFrame, *, many: bool) -> dict[str, str]:
    count = f"{len(stations):,} stations"
    if many:
        count += f"; shown in groups, since a page holds at most {MAX_MARKERS:,} single ones"
    attrs = read_attrs(stations)
    date = attrs.get("data_date") or str(attrs.get("retrieved", ""))[:10]
    credit = str(attrs.get("attribution", ATTRIBUTION))
    borders = "Borders: Natural Earth."
    return {"count": count, "credit": f"{credit}. {f'Data to {date}. ' if date else ''}{borders}"}


def _page(title: str, data: dict[str, Any], notes: dict[str, str]) -> str:
    leaflet, script = _asset("leaflet.js"), _asset("map.js")
    hashes = " ".join(f"'sha256-{_digest(text)}'" for text in (leaflet, script))
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hashes}"
    # In a script element only "<" can end the text early.
    payload = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    rows = "".join(
        f'<li><i style="background:{colour or "none"}"></i>{html.escape(label)}</li>'
        for label, colour in legend_entries()
    )
    heading = html.escape(title)
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{_asset('leaflet.css')}{_asset('map.css')}</style></head>"
        f"<body><header><h1>{heading}</h1><p>{html.escape(notes['count'])}</p></header>"
        '<div id="map" role="application" aria-label="Map of charging stations"></div>'
        f'<aside aria-label="Legend"><b>Highest power</b><ul>{rows}</ul></aside>'
        f"<footer>{html.escape(notes['credit'])}</footer>"
        f'<script type="application/json" id="data">{payload}</script>'
        f"<script>{leaflet}</script><script>{script}</script></body></html>\n"
    )


@cache
def _asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
