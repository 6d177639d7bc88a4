"""A map of stations as one HTML file that needs no network."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ocm_geo.paths import expand_path, replacing
from ocm_geo.plots.extent import Extent
from ocm_geo.plots.station_groups import POWER_GROUPS
from ocm_geo.plots.style import counted
from ocm_geo.widgets.facts import describe_stations
from ocm_geo.widgets.ground import folding
from ocm_geo.widgets.land import BORDER, land_features
from ocm_geo.widgets.legends import legend_html
from ocm_geo.widgets.packing import pack_points, pack_texts
from ocm_geo.widgets.positions import check_reference, placed, unplaced_words
from ocm_geo.widgets.rings import ring_colours
from ocm_geo.widgets.stations import credit_text
from ocm_geo.widgets.symbols import legend_rows, symbol_codes, symbol_style
from ocm_geo.widgets.view import box_around

if TYPE_CHECKING:
    import os

    import geopandas as gpd

    from ocm_geo.reference import ReferenceData

__all__ = ["MAX_BYTES", "MOST_POPUPS", "render_page", "to_html"]

MAX_BYTES = 5_000_000
MOST_POPUPS = 60_000
"""More popups never fit: a station has 90 bytes of text at least."""
_DIGITS = (5, 4, 3, 2, 1, 0)
"""Decimals of positions, from those of a garden down until the page fits."""
_SIDES = 3
_WORLD = (-180.0, -60.0, 180.0, 80.0)
_ASSETS = Path(__file__).parent / "assets"


def to_html(
    stations: gpd.GeoDataFrame,
    path: str | os.PathLike[str],
    *,
    reference: ReferenceData | None = None,
    title: str = "Charging stations",
) -> Path:
    """
    Write a map of stations as one HTML file that needs no network.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.
    path : path
        Path of the file; an existing file is replaced in one step.
    reference : ReferenceData, optional
        Meaning of ids; by default the reference data of the table's source.
    title : str
        Heading of the page.

    Returns
    -------
    pathlib.Path
        The file, at most 5 MB: stations with their classes and popups, shown as rings with the
        share of each class where there are many. If the popups do not fit, the page leaves them
        out, and names what it leaves out.

    Raises
    ------
    QueryError
        If the table is not a station table, or the file cannot be written.

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
    page = render_page(stations, reference=reference, title=title)
    target = expand_path(path)
    with replacing(target) as scratch:
        scratch.write_bytes(page)
    return target


def render_page(
    stations: gpd.GeoDataFrame,
    *,
    reference: ReferenceData | None = None,
    title: str = "Charging stations",
) -> bytes:
    """
    Return a map of stations as HTML that asks no server.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.
    reference : ReferenceData, optional
        Meaning of ids; by default the reference data of the table's source.
    title : str
        Heading.

    Returns
    -------
    bytes
        The page, 5 MB at most, as `to_html` writes it.

    Raises
    ------
    QueryError
        If the table is not a station table.
    """
    check_reference(reference)
    shown, missing = placed(stations)
    lon, lat, ground = _collect_land(shown)
    codes = symbol_codes(shown, reference)
    looks = {
        "styles": {code: symbol_style(code) for code in np.unique(codes).tolist()},
        "ring": ring_colours(POWER_GROUPS),
        **ground,
    }
    # The text of popups decides the size: it is known only when the page is written.
    if len(shown) <= MOST_POPUPS:
        points = pack_texts(describe_stations(shown, reference), lon, lat, codes)
        page = _write_page(title, {**looks, "points": points}, _write_notes(shown, missing))
        if len(page) <= MAX_BYTES:
            return page
    for digits in _DIGITS:
        points = pack_points(lon, lat, codes, digits)
        notes = _write_notes(shown, missing, digits)
        page = _write_page(title, {**looks, "points": points}, notes)
        if len(page) <= MAX_BYTES:
            break
    return page


def _collect_land(stations: gpd.GeoDataFrame) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Return positions on one side of the antimeridian, with the land around them and the view."""
    lon, lat = stations.geometry.x.to_numpy(), stations.geometry.y.to_numpy()
    west, south, east, north = box = box_around(lon, lat) or _WORLD
    span, middle = max(north - south, east - west, 1.0), (west + east) / 2
    # A page may be much wider than the stations: land must not end inside it.
    side = _SIDES * span
    about = (max(west - side, middle - 180), max(south - span, -90.0))
    far = (min(east + side, middle + 180), min(north + span, 90.0))
    land = land_features((*about, *far), span / 1500, BORDER)
    ground = {"land": land, "bounds": [[south, west], [north, east]]}
    return Extent(*box).turned(lon), lat, ground


def _write_notes(
    stations: gpd.GeoDataFrame, missing: int, digits: int | None = None
) -> dict[str, str]:
    """Return the number of stations with what is left out, and the credit."""
    count = counted(len(stations), "station")
    if digits is not None:
        count += f"; without popups, with which the page would exceed {MAX_BYTES // 10**6} MB"
        if digits < _DIGITS[0]:
            count += f"; positions are rounded to {10.0**-digits:g} degrees"
    if missing:
        count += f"; {unplaced_words(missing)}"
    return {"count": count, "credit": credit_text(stations)}


def _write_page(title: str, data: dict[str, Any], notes: dict[str, str]) -> bytes:
    """Return the page, whose policy allows only its own two scripts."""
    leaflet, script = _read_asset("leaflet.js"), _read_asset("map.js")
    hashes = " ".join(f"'sha256-{_hash_script(text)}'" for text in (leaflet, script))
    policy = f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {hashes}"
    # In a script element only "<" can end the text early.
    payload = json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    heading = html.escape(str(title))
    text = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{_read_asset('leaflet.css')}{_read_asset('map.css')}</style></head>"
        f"<body><header><h1>{heading}</h1><p>{html.escape(notes['count'])}</p></header>"
        '<div id="map" role="application" aria-label="Map of charging stations"></div>'
        f'<aside aria-label="Legend">{folding("<b>Legend</b>", legend_html(legend_rows()))}</aside>'
        f"<footer>{html.escape(notes['credit'])}</footer>"
        f'<script type="application/json" id="data">{payload}</script>'
        f"<script>{leaflet}</script><script>{script}</script></body></html>\n"
    )
    return text.encode()


@cache
def _read_asset(name: str) -> str:
    return (_ASSETS / name).read_text(encoding="utf-8")


def _hash_script(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
