"""What a popup says about a station. Texts are written by strangers: nothing here is HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd

from ocm_geo.connections import connection_rows
from ocm_geo.ids import ID_NAMES
from ocm_geo.provenance import NOT_RECORDED, credit_line
from ocm_geo.reference import ReferenceData, add_labels, links, reference_of
from ocm_geo.reference.labels import LABEL_COLUMNS
from ocm_geo.widgets.places import placed, plain_id

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Station", "describe_stations", "one_line", "safe_url"]

Station = dict[str, Any]

_LABELS = {"operator": "Operator", "usage_type": "Access", "status": "Status", "usage_cost": "Cost"}
_DATES = {"date_last_verified": "Last verified", "date_last_status_update": "Last changed"}
_MAX_TEXT = 300
# Control characters, and those that turn round the order in which the rest of a line is read.
_UNSEEN = dict.fromkeys(
    (*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
)


def describe_stations(
    stations: gpd.GeoDataFrame, reference: ReferenceData | None = None
) -> list[Station]:
    """
    Say of each station what a popup shows.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.
    reference : ReferenceData, optional
        What ids stand for; by default the labels of the table, else the reference data of the
        source that it came from.

    Returns
    -------
    list of dict
        ``id``, ``title``, ``lon``, ``lat``, ``facts`` (pairs of plain text) and ``links`` (pairs
        of text and address), for each station that has a position.

    Raises
    ------
    QueryError
        If it is no station table.
    """
    frame, _ = placed(stations)
    known = reference or reference_of(frame, ask=False)
    # Labels that the table has already are kept, unless other names were passed.
    has_labels = reference is None and "usage_type" in frame
    words = frame if has_labels else _with_labels(frame, known, keep_own=reference is None)
    records = pd.DataFrame(words.drop(columns=words.geometry.name)).to_dict("records")
    plugs = _plug_words(frame, known)
    # An index without a name may hold row numbers: they are shown to nobody.
    is_named, is_ocm = frame.index.name in ID_NAMES, frame.index.name == "ocm_id"
    return [
        {
            "id": plain_id(label),
            "title": one_line(row.get("title")) or (f"Station {label}" if is_named else "Station"),
            "lon": round(point.x, 6),
            "lat": round(point.y, 6),
            "facts": _facts(row, words_of),
            "links": _links(int(label) if is_ocm else None, row),
        }
        for label, point, row, words_of in zip(
            frame.index, frame.geometry, records, plugs, strict=True
        )
    ]


def one_line(value: object, most: int = _MAX_TEXT) -> str:
    """
    Put what a stranger typed on one line that reads as it was typed.

    Parameters
    ----------
    value : object
        Text, or anything else.
    most : int
        Longest line, characters.

    Returns
    -------
    str
        Without control characters and overrides of direction; empty where there is no text.
    """
    if not isinstance(value, str):
        return ""
    folded = " ".join(" ".join(value.split()).translate(_UNSEEN).split())
    return folded if len(folded) <= most else folded[: most - 1] + "…"


def safe_url(text: object) -> str | None:
    """
    Let through only web addresses.

    Parameters
    ----------
    text : object
        What a stranger typed.

    Returns
    -------
    str or None
        The address, if it is ``http`` or ``https``.
    """
    if not isinstance(text, str):
        return None
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return None
    return text.strip() if parts.scheme in {"http", "https"} and parts.netloc else None


def _with_labels(
    stations: gpd.GeoDataFrame, reference: ReferenceData, *, keep_own: bool
) -> gpd.GeoDataFrame:
    """Return stations with labels; those they have already are kept, or replaced."""
    import warnings  # noqa: PLC0415 - used here alone

    with warnings.catch_warnings():
        # A popup shows "Unknown (1234)"; a warning beside the map would say it again.
        warnings.simplefilter("ignore")
        own = [name for name in LABEL_COLUMNS if name in stations]
        labelled = add_labels(stations.drop(columns=own), reference)
        if keep_own:
            labelled[own] = stations[own]
    if credit_line(stations) == NOT_RECORDED:
        # Ids of an unknown source must not credit a provider of Open Charge Map.
        return labelled.drop(columns=["data_provider", "license"], errors="ignore")
    return labelled


def _plug_words(stations: gpd.GeoDataFrame, reference: ReferenceData) -> list[list[str]]:
    """Return the connections of each station in words."""
    station, table = connection_rows(stations)
    titles = reference.titles("connection_types")
    words: list[list[str]] = [[] for _ in range(len(stations))]
    table["implausible"] = ~table["power_plausible"].fillna(value=True)
    columns = ["connection_type_id", "power_kw", "quantity", "implausible"]
    rows = table[columns].itertuples(index=False, name=None)
    for at, (kind, power, quantity, implausible) in zip(station.tolist(), rows, strict=True):
        name = "connector" if pd.isna(kind) else titles.get(kind, f"Unknown ({kind})")
        power_text = "power not known" if pd.isna(power) else f"{power:,g} kW"
        power_text += " (implausible)" if implausible else ""
        count = "" if pd.isna(quantity) else f"{quantity} \u00d7 "
        words[at].append(f"{count}{name}, {power_text}")
    return words


def _facts(row: dict[Any, Any], plugs: list[str]) -> list[tuple[str, str]]:
    facts = [(label, one_line(row.get(column))) for column, label in _LABELS.items()]
    facts.insert(1, ("Connections", "; ".join(plugs) or "none recorded"))
    for column, label in _DATES.items():
        if not pd.isna(date := row.get(column)):
            facts.append((label, f"{date:%Y-%m-%d}"))
    provider, licence = one_line(row.get("data_provider")), one_line(row.get("license"))
    facts.append(("Data", ", ".join(part for part in (provider, licence) if part)))
    return [(label, text) for label, text in facts if text]


def _links(ocm_id: int | None, row: dict[Any, Any]) -> list[tuple[str, str]]:
    """List the pages about a station: of Open Charge Map only where it has an id there."""
    found = []
    if ocm_id is not None and ocm_id > 0:
        found = [
            ("details", links.details(ocm_id)),
            ("add a comment", links.add_comment(ocm_id)),
            ("add a photo", links.add_photo(ocm_id)),
        ]
    if url := safe_url(row.get("url")):
        found.append(("web page", url))
    return found
