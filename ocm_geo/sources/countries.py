"""The countries of records, and what a snapshot covers: its countries and where they are."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import pandas as pd

from ocm_geo.reference import bundled

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["count_by_country", "coverage_table", "covered_codes", "fill_countries"]

_CODE_KEYS = {"countrycode", "country_code", "isocode", "iso_code", "countryisocode", "country"}
_WORDS = ("ISOCode", "isoCode", "iso_code", "Title", "title")

_SIDES = ("west", "south", "east", "north")


def fill_countries(
    address: dict[str, Any], unknown: Sequence[dict[str, Any] | None], coerced: Counter[str]
) -> None:
    """
    Fill the country ids of records that name their country by a code or a label alone.

    Parameters
    ----------
    address : dict of str to sequence
        The fields of the addresses; ``country_id`` is changed.
    unknown : sequence of dict or None
        What each record holds beside the known fields.
    coerced : collections.Counter
        Counts the countries that are not known; changed in place.
    """
    if None not in address["country_id"]:
        return
    ids = list(address["country_id"])
    for row in [i for i, value in enumerate(ids) if value is None]:
        words = _collect_country_words(address["country"][row], unknown[row] or {})
        if words:
            known = _load_country_ids()
            ids[row] = next((known[word] for word in words if word in known), None)
            coerced["country_id"] += ids[row] is None
    address["country_id"] = ids


def _collect_country_words(raw: msgspec.Raw, unknown: dict[str, Any]) -> list[str]:
    """Collect what a record calls its country, folded."""
    try:
        country = msgspec.json.decode(raw) if raw else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        country = None
    named = [country.get(key) for key in _WORDS] if isinstance(country, dict) else [country]
    beside = unknown.get("AddressInfo")
    for members in (beside if isinstance(beside, dict) else {}, unknown):
        named += [value for key, value in members.items() if key.casefold() in _CODE_KEYS]
    return [word.strip().casefold() for word in named if isinstance(word, str) and word.strip()]


@cache
def _load_country_ids() -> dict[str, int]:
    """Return the ids of countries by ISO code and by label, folded."""
    table = bundled().countries
    ids = table.index.to_list()
    words = [*zip(table["title"], ids, strict=True), *zip(table["iso_code"], ids, strict=True)]
    return {str(word).casefold(): country_id for word, country_id in words if pd.notna(word)}


def count_by_country(
    codes: pd.Series[Any],
    published: NDArray[np.bool_],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
) -> list[dict[str, Any]]:
    """
    Count the stations of each country and bound the published ones.

    Parameters
    ----------
    codes : pandas.Series of str
        ISO 3166 alpha-2 code of each station; missing where the record has no country.
    published : numpy.ndarray of bool
        Whether each station is published.
    lon, lat : numpy.ndarray of float
        Positions, degrees.

    Returns
    -------
    list of dict
        By code, the stations without a country last: ``country_code`` (None without one),
        ``n_stations``, ``n_published`` and ``bbox`` of the published stations (west, south,
        east, north; west > east crosses the antimeridian; None without any).
    """
    # By number and not as one array of texts, which would be as wide as the longest "code".
    numbers, names = pd.factorize(codes.fillna("").astype(object), sort=True)
    by_country = np.argsort(numbers, kind="stable")
    bounds = np.searchsorted(numbers[by_country], np.arange(len(names) + 1))
    found = []
    for code, (start, end) in zip(names, pairwise(bounds), strict=True):
        inside = by_country[start:end]
        shown = inside[published[inside]]
        found.append(
            {
                "country_code": code or None,
                "n_stations": len(inside),
                "n_published": len(shown),
                "bbox": _bound_points(lon[shown], lat[shown]),
            }
        )
    return sorted(found, key=lambda country: country["country_code"] is None)


def _bound_points(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> list[float] | None:
    """Return the narrowest box: it leaves out the widest empty range of longitudes."""
    if not lon.size:
        return None
    east = np.sort(lon)
    gaps = np.diff(east, append=east[0] + 360.0)
    widest = int(np.argmax(gaps))
    west = east[(widest + 1) % east.size]
    return [float(west), float(np.min(lat)), float(east[widest]), float(np.max(lat))]


def coverage_table(countries: Iterable[Mapping[str, Any]]) -> pd.DataFrame:
    """
    Return the countries of a manifest as a table.

    Parameters
    ----------
    countries : iterable of mapping
        What `count_by_country` returned.

    Returns
    -------
    pandas.DataFrame
        ``country_code``, ``n_stations``, ``n_published``, ``west``, ``south``, ``east``,
        ``north`` (degrees).
    """
    rows = list(countries)
    columns: dict[str, Any] = {
        "country_code": pd.array([r["country_code"] for r in rows], dtype="string"),
        "n_stations": pd.array([r["n_stations"] for r in rows], dtype="Int64"),
        "n_published": pd.array([r["n_published"] for r in rows], dtype="Int64"),
    }
    for number, side in enumerate(_SIDES):
        values = [None if r["bbox"] is None else r["bbox"][number] for r in rows]
        columns[side] = pd.array(values, dtype="Float64")
    return pd.DataFrame(columns)


def covered_codes(countries: Iterable[Mapping[str, Any]]) -> str:
    """
    Return the countries with published stations as one text.

    Parameters
    ----------
    countries : iterable of mapping
        What `count_by_country` returned.

    Returns
    -------
    str
        ISO 3166 alpha-2 codes, such as ``"BE DE NL"``.
    """
    return " ".join(r["country_code"] for r in countries if r["country_code"] and r["n_published"])
