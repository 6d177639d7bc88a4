"""Load the bundled border of a country for a study that names a country but no areas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo.borders import BORDER_KM, countries, territory
from ocm_geo.checks import warn_user
from ocm_geo.errors import InexactMethod
from ocm_geo.geodesy import area_km2
from ocm_geo.query import StationQuery
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from ocm_geo.reference import ReferenceData

__all__ = ["Border", "load_border"]

_SMALL_KM2 = 2_000.0
"""For smaller countries the area in the bundled border was 8 to 35 % below the true area."""


@dataclass(frozen=True)
class Border:
    """
    The border of a country.

    Parameters
    ----------
    outline : geopandas.GeoDataFrame
        ``name`` (the code) and ``geometry``: the country as drawn, for shares of its area.
    territory : geopandas.GeoDataFrame
        The same with the sea along its coast, for what lies in the country: the outline lacks
        quays and small islands.
    note : str
        Source and accuracy of the border.
    """

    outline: gpd.GeoDataFrame
    territory: gpd.GeoDataFrame
    note: str


def load_border(country: str, reference: ReferenceData) -> Border | None:
    """
    Return the bundled border of a country.

    Parameters
    ----------
    country : str
        Code or name.
    reference : ReferenceData
        Reference data for the names of countries.

    Returns
    -------
    Border or None
        None if there is no border of that country.

    Warns
    -----
    InexactMethod
        If there is no border, so that coverage cannot be measured, or the country is so small
        that the area in the generalised border is inaccurate.
    """
    asked = StationQuery.build(None, reference=reference, countries=country)
    number = asked.describe()["countries"][0]
    code = str(reference.countries.loc[number, "iso_code"])
    rows = np.flatnonzero(countries()["code"] == code)
    if not len(rows):
        warn_user(
            f"coverage is not measured: there is no bundled border of {country}; set area.file to "
            "a file with its border",
            InexactMethod,
        )
        return None
    outlines = countries().geometry.to_numpy()[rows]
    apart = ", ".join(sorted(countries().loc[countries()["state"] == code, "code"].unique()))
    note = (
        f"The area is the bundled border of {code} (Natural Earth 1:50 million, rounded to 0.01 "
        f"degrees). It is generalised: it may be off by {BORDER_KM:g} km, and small islands are "
        "missing. Set area.file to measure with another border."
    )
    if apart:
        note += f" Territories with a country code of their own are not part of it ({apart})."
    outline = _merge_shapes(code, outlines)
    size_km2 = float(area_km2(outline.geometry.iloc[0]))
    if size_km2 < _SMALL_KM2:
        warn_user(
            f"the bundled border of {code} is too coarse for a country of its size (it encloses "
            f"{size_km2:,.0f} km2): shares of the area may be off by tens of per cent; set "
            "area.file to a file with its border",
            InexactMethod,
        )
    claimed = [territory(int(row)) for row in rows]
    return Border(outline, _merge_shapes(code, claimed), note)


def _merge_shapes(code: str, shapes: object) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"name": [code]}, geometry=[shapely.union_all(shapes)], crs=CRS)
