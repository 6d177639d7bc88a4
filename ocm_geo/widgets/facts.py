"""Facts about a station for a popup. Contributors write the texts: nothing here is HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd

from ocm_geo.connections import connection_rows
from ocm_geo.ids import ID_NAMES
from ocm_geo.provenance import NOT_RECORDED, credit_line
from ocm_geo.reference import ReferenceData, add_labels, links, reference_of
from ocm_geo.reference.labels import LABEL_COLUMNS
from ocm_geo.widgets.positions import placed, plain_id

if TYPE_CHECKING:
    import geopandas as gpd

__all__ = ["Station", "describe_stations", "one_line", "safe_url"]

Station = dict[str, Any]

_LABELS = {"operator": "Operator", "usage_type": "Access", "status": "Status", "usage_cost": "Cost"}
_DATES = {"date_last_verified": "Last verified", "date_last_status_update": "Last changed"}
_MAX_TEXT = 300
# Control characters, and those that reverse the reading direction of the rest of a line.
_UNSEEN = dict.fromkeys(
    (*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A))
)


def describe_stations(
    stations: gpd.GeoDataFrame, reference: ReferenceData | None = None
) -> list[Station]:
    """
    Return the facts that a popup shows of each station.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table in any coordinate reference system.
    reference : ReferenceData, optional
        Meaning of ids; by default the labels of the table, else the reference data of its
        source.

    Returns
    -------
    list of dict
        ``id``, ``title``, ``lon``, ``lat``, ``facts`` (pairs of plain text) and ``links`` (pairs
        of text and address), for each station that has a position.

    Raises
    ------
    QueryError
        If the table is not a station table.
    """
    frame, _ = placed(stations)
    known = reference or reference_of(frame, ask=False)
    # Labels of the table are kept, unless the user passed other reference data.
    has_labels = reference is None and "usage_type" in frame
    words = frame if has_labels else _label_stations(frame, known, keep_own=reference is None)
    records = pd.DataFrame(words.drop(columns=words.geometry.name)).to_dict("records")
    connections = _describe_connections(frame, known)
    # An index without a name may contain row numbers, which mean nothing to a reader.
    is_named, is_ocm = frame.index.name in ID_NAMES, frame.index.name == "ocm_id"
    return [
        {
            "id": plain_id(label),
            "title": one_line(row.get("title")) or (f"Station {label}" if is_named else "Station"),
            "lon": round(point.x, 6),
            "lat": round(point.y, 6),
            "facts": _list_facts(row, words_of),
            "links": _list_links(int(label) if is_ocm else None, row),
        }
        for label, point, row, words_of in zip(
            frame.index, frame.geometry, records, connections, strict=True
        )
    ]


def one_line(value: object, most: int = _MAX_TEXT) -> str:
    """
    Return a contributor's text on one line.

    Parameters
    ----------
    value : object
        Text, or anything else.
    most : int
        Longest line, characters.

    Returns
    -------
    str
        Text without control characters and overrides of direction; empty for other values.
    """
    if not isinstance(value, str):
        return ""
    folded = " ".join(" ".join(value.split()).translate(_UNSEEN).split())
    return folded if len(folded) <= most else folded[: most - 1] + "…"


def safe_url(text: object) -> str | None:
    """
    Return a contributor's text if it is a web address.

    Parameters
    ----------
    text : object
        Text, or anything else.

    Returns
    -------
    str or None
        The address, if its scheme is ``http`` or ``https``.
    """
    if not isinstance(text, str):
        return None
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        return None
    return text.strip() if parts.scheme in {"http", "https"} and parts.netloc else None


def _label_stations(
    stations: gpd.GeoDataFrame, reference: ReferenceData, *, keep_own: bool
) -> gpd.GeoDataFrame:
    """Return stations with labels; labels of the table are kept, or replaced."""
    import warnings  # noqa: PLC0415 - used here alone

    with warnings.catch_warnings():
        # A popup shows "Unknown (1234)": a warning beside the map would repeat it.
        warnings.simplefilter("ignore")
        own = [name for name in LABEL_COLUMNS if name in stations]
        labelled = add_labels(stations.drop(columns=own), reference)
        if keep_own:
            labelled[own] = stations[own]
    if credit_line(stations) == NOT_RECORDED:
        # Ids of an unrecorded source must not credit a provider of Open Charge Map.
        return labelled.drop(columns=["data_provider", "license"], errors="ignore")
    return labelled


def _describe_connections(stations: gpd.GeoDataFrame, reference: ReferenceData) -> list[list[str]]:
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


def _list_facts(row: dict[Any, Any], connections: list[str]) -> list[tuple[str, str]]:
    """Return labels and values of the facts that are known."""
    facts = [(label, one_line(row.get(column))) for column, label in _LABELS.items()]
    facts.insert(1, ("Connections", "; ".join(connections) or "none recorded"))
    for column, label in _DATES.items():
        if not pd.isna(date := row.get(column)):
            facts.append((label, f"{date:%Y-%m-%d}"))
    provider, licence = one_line(row.get("data_provider")), one_line(row.get("license"))
    facts.append(("Data", ", ".join(part for part in (provider, licence) if part)))
    return [(label, text) for label, text in facts if text]


def _list_links(ocm_id: int | None, row: dict[Any, Any]) -> list[tuple[str, str]]:
    """Return the pages about a station; those of Open Charge Map only for its own ids."""
    found = []
    # A register's own id would open the page of another station.
    if ocm_id is not None and ocm_id > 0:
        found = [
            ("details", links.details(ocm_id)),
            ("add a comment", links.add_comment(ocm_id)),
            ("add a photo", links.add_photo(ocm_id)),
        ]
    if url := safe_url(row.get("url")):
        found.append(("web page", url))
    return found
