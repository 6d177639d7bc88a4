"""What matching compares: the traits of each station, in arrays of one value a station."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.frames import point_lonlat
from ocm_geo.geodesy import PointIndex
from ocm_geo.provenance import read_attrs
from ocm_geo.reference.finding import fold_name
from ocm_geo.reference.own import OWN_SOURCE, own_reference
from ocm_geo.reference.registry import reference_of

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

__all__ = ["Traits", "fold_texts", "name_operators", "read_traits"]

_GENERIC_OPERATORS = (1, 44, 45)
"""Unknown operator, private individual, business owner: they name no company."""


@dataclass(frozen=True)
class Traits:
    """
    Traits of n stations, one value each.

    Parameters
    ----------
    ids : pandas.Index
        Ids of the stations.
    points : PointIndex
        Positions.
    names : list of str
        Title and address, folded to lower-case words; may be empty.
    titles : list of str
        Title alone, folded.
    operators : numpy.ndarray of str
        Name of the operator, folded, or ``#`` and its id where no reference data name it; empty
        where unknown.
    postcodes : numpy.ndarray of str
        Letters and digits of the postcode, upper case; may be empty.
    power_kw, has_dc, n_points : numpy.ndarray of float
        Highest power, 1 or 0 for direct current, charging points; NaN where unknown.
    """

    ids: pd.Index[Any]
    points: PointIndex
    names: list[str]
    titles: list[str]
    operators: NDArray[np.object_]
    postcodes: NDArray[np.object_]
    power_kw: NDArray[np.float64]
    has_dc: NDArray[np.float64]
    n_points: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.ids)


def read_traits(stations: gpd.GeoDataFrame, what: str) -> Traits:
    """
    Read the traits of stations.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A checked station table: ids in its index, points. Only the geometry is needed; every
        other column that is missing counts as unknown.
    what : str
        Name of the argument.

    Returns
    -------
    Traits
        One value a station, in the order of the table.
    """
    titles, addresses = (_fold_column(stations, name) for name in ("title", "address"))
    return Traits(
        ids=stations.index,
        points=PointIndex(*point_lonlat(stations, what)),
        names=[f"{a} {b}".strip() for a, b in zip(titles, addresses, strict=True)],
        titles=titles,
        operators=name_operators(stations),
        postcodes=_plain_postcodes(stations),
        power_kw=_read_numbers(stations, "max_power_kw"),
        has_dc=_read_numbers(stations, "has_dc"),
        n_points=_read_numbers(stations, "n_points"),
    )


def name_operators(stations: pd.DataFrame) -> NDArray[np.object_]:
    """
    Name the operators of stations so that equal companies have equal names.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table.

    Returns
    -------
    numpy.ndarray of str
        Folded names; ``#74`` where no reference data name operator 74; empty where unknown.
    """
    names = np.full(len(stations), "", dtype=object)
    if "operator_id" not in stations:
        return names
    ids = stations["operator_id"]
    own = read_attrs(stations).get("source") == OWN_SOURCE
    reference = own_reference(stations) if own else reference_of(stations, ask=False)
    titles = reference.titles("operators")
    for code in ids.dropna().unique():
        if code in _GENERIC_OPERATORS:
            continue
        title = titles.get(code)
        name = fold_name(title) if isinstance(title, str) else ""
        rows = (ids == code).fillna(value=False).to_numpy(dtype=bool)
        names[rows] = name or f"#{int(code)}"
    return names


def fold_texts(texts: pd.Series[Any]) -> list[str]:
    """
    Fold texts to lower-case words without accents and punctuation.

    Parameters
    ----------
    texts : pandas.Series
        Texts; missing ones become empty.

    Returns
    -------
    list of str
        One text a row.
    """
    codes, distinct = pd.factorize(texts.astype("string").fillna(""))
    folded = _fold_distinct(pa.array(distinct, pa.string()))
    return [folded[code] for code in codes]


def _fold_distinct(texts: pa.Array) -> list[str]:
    """Fold texts as `fold_name` does; most are ASCII, which Arrow folds at once."""
    is_ascii = pc.string_is_ascii(texts)
    plain = pc.replace_substring(pc.ascii_lower(texts), ".", "")
    plain = pc.replace_substring(plain, "&", " and ")
    plain = pc.ascii_trim(pc.replace_substring_regex(plain, "[^a-z0-9]+", " "), " ")
    folded: list[str] = pc.replace_substring_regex(plain, "^the(?: |$)", "").to_pylist()
    for row in np.flatnonzero(~is_ascii.to_numpy(zero_copy_only=False)):
        folded[row] = fold_name(texts[int(row)].as_py())
    return folded


def _fold_column(stations: pd.DataFrame, name: str) -> list[str]:
    return fold_texts(stations[name]) if name in stations else [""] * len(stations)


def _plain_postcodes(stations: pd.DataFrame) -> NDArray[np.object_]:
    """Return the postcodes without spaces and punctuation; "4931 Geertruidenberg" is "4931"."""
    if "postcode" not in stations:
        return np.full(len(stations), "", dtype=object)
    texts = stations["postcode"].astype("string").fillna("").str.upper()
    # Some records have the town after the code.
    return (
        texts.str.replace(r"\s+[A-Z]{3,}.*$", "", regex=True)
        .str.replace(r"\W", "", regex=True)
        .to_numpy(dtype=object)
    )


def _read_numbers(stations: pd.DataFrame, name: str) -> NDArray[np.float64]:
    """Return a column as numbers; NaN where it is missing."""
    if name not in stations:
        return np.full(len(stations), np.nan)
    values: NDArray[np.float64] = pd.to_numeric(stations[name], errors="coerce").to_numpy(
        dtype=np.float64, na_value=np.nan
    )
    return values
