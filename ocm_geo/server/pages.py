"""A map as a page that others embed: one file of HTML that asks no server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocm_geo.query import Ids, StationQuery
from ocm_geo.server.parameters import ID_MAX
from ocm_geo.sources.plugged import name_ids
from ocm_geo.widgets.page import render_page

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ocm_geo.sources.mirror import Mirror

__all__ = ["draw_page", "pick_title"]

_TITLE = "Charging stations"
_LONGEST = 100


def pick_title(pairs: list[tuple[str, str]]) -> tuple[str, list[tuple[str, str]]]:
    """Part the title of a page from the parameters that choose stations."""
    titles = [text for name, text in pairs if name.lower() == "title" and text.strip()]
    others = [pair for pair in pairs if pair[0].lower() != "title"]
    return (titles[0][:_LONGEST] if titles else _TITLE), others


def draw_page(mirror: Mirror, ids: NDArray[np.int64], title: str) -> bytes:
    """
    Draw a map of stations.

    Parameters
    ----------
    mirror : Mirror
        The snapshot.
    ids : numpy.ndarray of int
        Numbers of the stations, as served.
    title : str
        Heading.

    Returns
    -------
    bytes
        HTML.
    """
    names = name_ids(mirror.loaded, ids)
    asked = tuple(ids.tolist() if names is None else names)
    # An id that no station can have: an empty table with the provenance of the mirror.
    where = Ids(asked, are_texts=mirror.has_text_ids) if asked else Ids((ID_MAX + 1,))
    return render_page(mirror.fetch(StationQuery(where=where)), title=title)
