"""Stations of a page in little room: every text once, positions as differences."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.widgets.facts import Station

__all__ = ["pack_points", "pack_texts"]


def pack_points(
    lon: NDArray[np.float64], lat: NDArray[np.float64], codes: NDArray[np.intp], digits: int
) -> dict[str, Any]:
    """
    Return positions and symbols as short whole numbers; stations with equal ones are counted.

    Parameters
    ----------
    lon, lat : numpy.ndarray
        Degrees.
    codes : numpy.ndarray of int
        Made by `symbol_codes`.
    digits : int
        Decimals of the positions.

    Returns
    -------
    dict
        ``unit`` in degrees; ``lon`` and ``lat``, each the difference to the one before, in units;
        ``code``, the same; and ``n``, the number of stations, empty if each is one.
    """
    unit = 10.0**-digits
    places = np.column_stack([codes, np.round(lon / unit), np.round(lat / unit)]).astype(np.int64)
    rows, counts = np.unique(places, axis=0, return_counts=True)
    return {**_pack_columns(rows, unit), "n": counts.tolist() if (counts > 1).any() else []}


def _pack_columns(rows: NDArray[np.int64], unit: float) -> dict[str, Any]:
    """Return columns of code, lon and lat as differences."""
    steps = np.diff(rows, axis=0, prepend=0)
    code, x, y = (column.tolist() for column in steps.T)
    return {"unit": unit, "lon": x, "lat": y, "code": code}


def pack_texts(
    stations: list[Station],
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    codes: NDArray[np.intp],
) -> dict[str, Any]:
    """
    Return stations with the texts of their popups, each text once.

    Parameters
    ----------
    stations : list of dict
        Made by `describe_stations`.
    lon, lat : numpy.ndarray
        Degrees.
    codes : numpy.ndarray of int
        Made by `symbol_codes`.

    Returns
    -------
    dict
        As `pack_points`, with ``words`` and ``texts``: for each station its id, the position of
        its title among the words, and positions of labels and facts, and of texts and addresses
        of links. A negative position is that of a text, less one, in which ``{id}`` is the id.
    """
    words: dict[str, int] = {}
    order = np.argsort(codes, kind="stable")
    texts = []
    for i in order.tolist():
        station = stations[i]
        title = words.setdefault(station["title"], len(words))
        facts = [words.setdefault(t, len(words)) for fact in station["facts"] for t in fact]
        links = [
            place
            for text, url in station["links"]
            for place in (
                words.setdefault(text, len(words)),
                _pack_address(url, str(station["id"]), words),
            )
        ]
        texts.append([station["id"], title, facts, links])
    unit = 1e-6
    rows = np.column_stack([codes, np.round(lon / unit), np.round(lat / unit)]).astype(np.int64)
    packed = _pack_columns(rows[order], unit)
    return {**packed, "n": [], "words": list(words), "texts": texts}


def _pack_address(url: str, label: str, words: dict[str, int]) -> int:
    """Return the position of an address; addresses that end with the id share one text."""
    if not url.endswith(f"/{label}"):
        return words.setdefault(url, len(words))
    return -1 - words.setdefault(f"{url.removesuffix(label)}{{id}}", len(words))
