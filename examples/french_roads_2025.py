"""The published study of the French TEN-T roads, by the options that reproduce it.

The study (loco-labs/qualicharge-rtet, November 2025) prints 57.9 % (``some-path``) and 26.3 %
(``branch``) for the core network and the requirement of 2025. It differs from the text of the law
in four ways, each of them an option here:

- one pool may serve both ends of a line (`same_pool`), so that a gap of any length passes for the
  first 30 km beside each of its pools;
- power is compared with > (`strict_power`), where the law says at least;
- stations are matched to nodes of the network: service areas within 300 m, else exits and
  roundabouts within 2 km, and the straight way from the node to the station counts as driven: these
  ways are lines of its graph, which are driven on and do not count (`count_column`);
- lengths are those of its own table (`length_column`), not measured on the ellipsoid.

Run it on the edges and nodes of the study's graph (its files ``V1_0_0_afir_edge.geojson`` and
``V1_0_0_afir_node.geojson``, in metres, stations among the nodes)::

    python examples/french_roads_2025.py EDGES NODES
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd

import ocm_geo as ocm

RULE = "afir-ldv-core-2025"
OPTIONS = ocm.AssessmentOptions(
    strict_power=True,
    same_pool=True,
    offset_km=0.001,
    pool_rules=ocm.PoolRules(merge_m=0),
    network=ocm.NetworkOptions(
        snap_m=0, carriageway_m=0, length_column="km", count_column="is_road"
    ),
)


def roads_of(edges: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Prepare the edges of the core network and the ways to its stations.

    Parameters
    ----------
    edges : geopandas.GeoDataFrame
        ``weight`` (m), ``core`` ("True", "False" or missing) and ``nature``.

    Returns
    -------
    geopandas.GeoDataFrame
        With ``km`` and ``is_road``.
    """
    is_way = edges["nature"].str.startswith("liaison")
    is_core = edges["core"].astype("string").eq("True").fillna(value=False)
    used = edges[is_way | is_core]
    return used.assign(km=used["weight"] / 1000, is_road=~is_way[used.index])


def stations_of(nodes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """
    Make stations of the nodes that have power.

    Parameters
    ----------
    nodes : geopandas.GeoDataFrame
        ``node_id``, ``nature``, ``p_max`` and ``p_cum`` (kW: of the strongest point, of all).

    Returns
    -------
    geopandas.GeoDataFrame
        Stations with one point of the greatest power, and others for the rest of it.
    """
    found = nodes[(nodes["nature"] == "station_irve") & nodes["p_cum"].notna()].to_crs(4326)
    rest = (found["p_cum"] - found["p_max"]).clip(lower=0)
    count = np.maximum(np.ceil(rest / 50), 1)
    rows = {"id": found["node_id"], "lon": found.geometry.x, "lat": found.geometry.y}
    strongest = pd.DataFrame({**rows, "kw": found["p_max"], "points": 1})
    others = pd.DataFrame({**rows, "kw": rest / count, "points": count})
    plugs = pd.concat([strongest, others[others["kw"] > 0]]).sort_values("id", kind="stable")
    return ocm.stations_from_table(
        plugs.reset_index(drop=True),
        site="id",
        power_kw="kw",
        quantity="points",
        lon="lon",
        lat="lat",
        country="FR",
        attribution="QualiCharge, by loco-labs/qualicharge-rtet",
    )


def shares(edges: gpd.GeoDataFrame, nodes: gpd.GeoDataFrame) -> dict[str, float]:
    """
    Assess the graph by both readings of the study.

    Parameters
    ----------
    edges, nodes : geopandas.GeoDataFrame
        As for `roads_of` and `stations_of`.

    Returns
    -------
    dict of str to float
        The share of the length by reading.
    """
    network = ocm.road_network(roads_of(edges), options=OPTIONS.network)
    stations = stations_of(nodes)
    return {
        reading: ocm.assess_network(network, stations, RULE, reading=reading, options=OPTIONS).share
        for reading in ("some-path", "branch")
    }


if __name__ == "__main__":
    for reading, share in shares(*(gpd.read_file(Path(path)) for path in sys.argv[1:3])).items():
        print(f"{reading}, one pool at both ends: {100 * share:.3f} %")
