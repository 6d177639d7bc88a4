"""The text of popups, in which every text of a contributor is escaped."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ocm_geo.widgets.facts import Station

__all__ = ["popup_html", "popups_html"]


def popup_html(station: Station) -> str:
    """
    Return the text of a popup, with contributors' texts escaped.

    Parameters
    ----------
    station : dict
        Made by `describe_stations`.

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
    Return the text of a popup for stations at the same position.

    Parameters
    ----------
    stations : list of dict
        The first few stations.
    n_all : int
        Number of all stations there.

    Returns
    -------
    str
        HTML.
    """
    texts = [popup_html(station) for station in stations]
    if n_all > 1:
        shown = "" if len(texts) == n_all else f"; the first {len(texts)} are shown"
        texts.insert(0, f"<p style='margin:0'>{n_all:,} stations at this position{shown}</p>")
    return "<hr style='margin:.5em 0'>".join(texts)
