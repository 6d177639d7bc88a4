"""The text of a popup. What strangers wrote is escaped, every time."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocm_geo.widgets.facts import Station

__all__ = ["popup_html", "popups_html"]

_MAX_SITES = 5


def popup_html(station: Station) -> str:
    """
    Make the text of a popup; everything that strangers wrote is escaped.

    Parameters
    ----------
    station : dict
        As `describe_stations` gives it.

    Returns
    -------
    str
        HTML.
    """
    rows = "".join(
        f"<div style='margin:.15em 0;overflow-wrap:anywhere'>"
        f"<span style='color:#595959'>{html.escape(label)}:</span> "
        f"<bdi>{html.escape(text)}</bdi></div>"
        for label, text in station["facts"]
    )
    anchors = " · ".join(
        f'<a href="{html.escape(url)}" target="_blank" rel="noopener noreferrer">'
        f"{html.escape(text)}</a>"
        for text, url in station["links"]
    )
    title = html.escape(station["title"])
    heading = f"<b dir='auto' style='font-size:1.1em;overflow-wrap:anywhere'>{title}</b>"
    return (
        f"<article style='line-height:1.3'>{heading}<div style='margin:.3em 0 .5em'>{rows}</div>"
        f"{anchors}</article>"
    )


def popups_html(stations: list[Station], n_all: int) -> str:
    """
    Make the text of a popup for sites that stand at one and the same place.

    Parameters
    ----------
    stations : list of dict
        The first few of them.
    n_all : int
        How many there are.

    Returns
    -------
    str
        HTML.
    """
    texts = [popup_html(station) for station in stations]
    if n_all > 1:
        shown = "" if len(texts) == n_all else f"; the first {len(texts)} are shown"
        texts.insert(0, f"<p style='margin:0'>{n_all:,} sites at this place{shown}</p>")
    return "<hr style='margin:.5em 0'>".join(texts)
