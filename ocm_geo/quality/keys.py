"""Pairs that share an identifier: EVSE ids, serial numbers, ids of another register."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ocm_geo.connections import connection_rows
from ocm_geo.reference.own import own_id

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Keys", "pair_by_keys", "read_keys"]

Keys = dict[str, pd.DataFrame]
"""For each kind of identifier a table with the columns ``row`` and ``key``."""

_MIN_LENGTH = 4
_MOST_STATIONS = 3
"""An identifier on more stations than this names a site or a model, not a station."""
_OWN_FROM = 10**12
_DEVICE_KM, _RECORD_KM = 1.0, 2.0
"""Greatest distances. A device takes its number along when it is moved; a record that was imported
from another keeps its id, and may have had its position corrected."""
_NAMESPACES = (
    ("evse", "evse", _DEVICE_KM),
    ("code", "code", _DEVICE_KM),
    ("evse", "code", _DEVICE_KM),
    ("code", "evse", _DEVICE_KM),
    ("record", "record", _RECORD_KM),
    ("record", "id", _RECORD_KM),
    ("id", "record", _RECORD_KM),
    ("uuid", "uuid", _RECORD_KM),
)
"""Kinds of identifiers that mean the same. Bare ids of two registers do not: both count from 1."""
_SURE, _LIKELY = 10.0, 5.0
_SURE_LENGTH = 8
"""Codes of this length hardly ever agree by chance; shorter ones of two networks do."""


def read_keys(stations: pd.DataFrame) -> Keys:
    """
    Read the identifiers of stations.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table with unique ids as its index.

    Returns
    -------
    Keys
        ``evse``: normalised EVSE ids; ``code``: references of the operator and of connections;
        ``record``: ids in the register that a record was imported from; ``id``: the station's
        own; ``uuid``.
    """
    rows = np.arange(len(stations))
    keys = {
        "record": _plain_keys(rows, _read_key_texts(stations, "provider_reference")),
        "id": _plain_keys(rows, pd.Series(stations.index, dtype="string")),
        "uuid": _plain_keys(rows, _read_key_texts(stations, "uuid")),
    }
    codes = [_split_codes(rows, _read_operator_codes(stations))]
    keys["evse"] = pd.DataFrame({"row": [], "key": []}).astype({"row": np.intp, "key": "string"})
    if "connections" in stations:
        of_station, table = connection_rows(stations)
        keys["evse"] = _plain_keys(of_station, table["evse_id"].astype("string"))
        codes.append(_split_codes(of_station, table["reference"].astype("string")))
    keys["code"] = pd.concat(codes, ignore_index=True).drop_duplicates()
    return keys


def pair_by_keys(some: Keys, others: Keys) -> pd.DataFrame:
    """
    Find the pairs of stations that share an identifier.

    Parameters
    ----------
    some, others : Keys
        Identifiers of two tables.

    Returns
    -------
    pandas.DataFrame
        ``first``, ``second`` (rows of the two tables), ``key`` (the shared identifier that says
        most), ``weight`` (its log-likelihood ratio) and ``most_km`` (the distance up to which it
        holds). Identifiers on more than three stations of a table are left out.
    """
    found = [
        _rare_keys(some[a])
        .merge(_rare_keys(others[b]), on="key")
        .assign(most_km=km, is_code=a == b == "code")
        for a, b, km in _NAMESPACES
    ]
    pairs = pd.concat(found, ignore_index=True)
    pairs = pairs.rename(columns={"row_x": "first", "row_y": "second"})
    is_short = pairs.pop("is_code") & (pairs["key"].str.len() < _SURE_LENGTH)
    pairs["weight"] = np.where(is_short, _LIKELY, _SURE)
    best = pairs.sort_values(["weight", "most_km", "key"], ascending=False)
    return best.drop_duplicates(["first", "second"]).sort_values(
        ["first", "second"], ignore_index=True
    )


def _read_key_texts(stations: pd.DataFrame, name: str) -> pd.Series[Any]:
    """Return a column of texts; missing values where the table does not have it."""
    if name not in stations:
        return pd.Series(pd.NA, index=stations.index, dtype="string")
    return stations[name].astype("string")


def _read_operator_codes(stations: pd.DataFrame) -> pd.Series[Any]:
    """Return the operators' references; tables of users keep the operator's name there."""
    texts = _read_key_texts(stations, "operator_reference")
    if "operator_id" not in stations:
        return texts
    own = (stations["operator_id"] >= _OWN_FROM).fillna(value=False).to_numpy(dtype=bool)
    ids = stations["operator_id"].to_numpy(dtype=object)
    is_name = [o and own_id(str(t)) == i for o, t, i in zip(own, texts, ids, strict=True)]
    return texts.mask(np.array(is_name, dtype=bool))


def _split_codes(rows: NDArray[np.intp], texts: pd.Series[Any]) -> pd.DataFrame:
    """List the codes in texts such as ``PP-12393,DBTN442`` or ``Allego NLALLEGO0002191``."""
    parts = texts.reset_index(drop=True).dropna().str.split(r"[,;|/\s]+", regex=True).explode()
    return _plain_keys(rows[parts.index.to_numpy()], parts)


def _plain_keys(rows: NDArray[np.intp], texts: pd.Series[Any]) -> pd.DataFrame:
    """Return identifiers without punctuation, upper case; those without a digit are words."""
    given = pc.utf8_upper(pa.array(texts, pa.string(), from_pandas=True))
    plain = pc.replace_substring_regex(given, r"[^\p{L}\p{N}]", "")
    is_key = pc.and_(
        pc.greater_equal(pc.utf8_length(plain), _MIN_LENGTH),
        pc.match_substring_regex(plain, r"\p{Nd}"),
    ).fill_null(fill_value=False)
    keys = pd.array(plain.filter(is_key), dtype="string")
    kept = is_key.to_numpy(zero_copy_only=False)
    return pd.DataFrame({"row": rows[kept], "key": keys}).drop_duplicates()


def _rare_keys(keys: pd.DataFrame) -> pd.DataFrame:
    """Leave out identifiers that many stations have."""
    return keys[keys.groupby("key")["row"].transform("size") <= _MOST_STATIONS]
