"""Building maps, and what a view of 300,000 stations takes; ratios to ipyleaflet's own layers."""

from __future__ import annotations

import importlib
import importlib.util
import json
import time

import geopandas as gpd
import ipyleaflet
import numpy as np
import pandas as pd

import ocm_geo as ocm
from benchmarks.browser import measure_in_browser
from benchmarks.data import N_SITES, made_positions
from benchmarks.timing import report, seconds

CLUSTER_LIMIT_S = 60.0
"""ipyleaflet's MarkerCluster takes a widget for each marker: no longer than this is waited."""


def main() -> None:
    """Print the ratios."""
    for n in (1_000, 10_000, 100_000):
        stations = made_stations(n)
        ours = seconds(lambda s=stations: ocm.station_map(s, basemap="none"), 2)  # type: ignore[misc]
        peers = {"GeoData": seconds(lambda s=stations: _geodata(s), 1)}  # type: ignore[misc]
        peers |= _lonboard(stations)
        report(f"map of {n:,} stations, built", ours, **peers)
        _report_cluster(stations, ours)
    stations = made_stations(N_SITES)
    report(f"map of {N_SITES:,} stations, built", seconds(lambda: ocm.station_map(stations), 2))
    _views(ocm.station_map(stations, basemap="offline"))
    measure_in_browser(N_SITES)


def made_stations(n: int) -> gpd.GeoDataFrame:
    """Repeat the sample under new ids, at made positions."""
    base = ocm.stations(source=ocm.sample())
    table = base.iloc[np.arange(n) % len(base)]
    table.index = pd.RangeIndex(1, n + 1, name="ocm_id")
    lon, lat = made_positions(n)
    return table.set_geometry(gpd.points_from_xy(lon, lat, crs="EPSG:4326"))


def _geodata(stations: gpd.GeoDataFrame) -> ipyleaflet.Map:
    """Show the columns that a popup needs; dates are left out, for they are an error."""
    frame = stations[["title", "max_power_kw", "geometry"]]
    shown = ipyleaflet.Map(layers=())
    shown.add(ipyleaflet.GeoData(geo_dataframe=frame, point_style={"radius": 5}))
    return shown


def _report_cluster(stations: gpd.GeoDataFrame, ours: float) -> None:
    """Print the ratio to MarkerCluster, or how far it came."""
    start = time.perf_counter()
    markers: list[ipyleaflet.Marker] = []
    for point in stations.geometry:
        markers.append(ipyleaflet.Marker(location=(point.y, point.x)))
        if time.perf_counter() - start > CLUSTER_LIMIT_S:
            break
    shown = ipyleaflet.Map(layers=(), max_zoom=18)
    shown.add(ipyleaflet.MarkerCluster(markers=tuple(markers)))
    ratio = (time.perf_counter() - start) / ours
    if len(markers) == len(stations):
        print(f"  MarkerCluster {ratio:.1f} x")
    else:
        print(f"  MarkerCluster over {ratio:.0f} x: stopped at {len(markers):,} markers")


def _lonboard(stations: gpd.GeoDataFrame) -> dict[str, float]:
    """Measure its construction alone, where it is installed: without a network it is blank."""
    if importlib.util.find_spec("lonboard") is None:
        return {}
    viz = importlib.import_module("lonboard").viz
    frame = stations[["title", "max_power_kw", "geometry"]]
    return {"lonboard_construction": seconds(lambda: viz(frame), 1)}


def _views(shown: ipyleaflet.Map) -> None:
    """Print the answer and the bytes of views of 1200 by 480 pixels, from far to near."""
    for zoom in range(3, 14, 2):
        shown.zoom = zoom
        wide = 1200 * 360 / 256 / 2**zoom
        high = wide * 480 / 1200 * np.cos(np.radians(50))
        box = {"west": 10 - wide / 2, "east": 10 + wide / 2}
        box |= {"south": 50 - high / 2, "north": 50 + high / 2}
        answer = seconds(lambda b=box: _move(shown, b), 2)  # type: ignore[misc]
        print(f"view at zoom {zoom}: answer {answer:.3f} s, {_bytes(shown) / 1000:.0f} kB")


def _move(shown: ipyleaflet.Map, box: dict[str, float]) -> None:
    shown.set_state({name: value + 1e-9 for name, value in box.items()})
    shown.set_state(box)


def _bytes(shown: ipyleaflet.Map) -> int:
    # Land is a layer of its own; the stations are two in a group.
    layers = [part for top in shown.layers for part in (top.layers or (top,))]
    return sum(
        len(json.dumps(layer.data)) if hasattr(layer, "data") else len(layer.url)
        for layer in layers
        if hasattr(layer, "data") or hasattr(layer, "url")
    )


if __name__ == "__main__":
    main()
