"""A map as a page that others embed: one file of HTML that asks no server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ocm_geo.query import Ids, StationQuery
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
        OCM ids.
    title : str
        Heading.

    Returns
    -------
    bytes
        HTML.
    """
    # Nobody has the id 2**31: an empty table with the provenance of the mirror.
    asked = tuple(ids.tolist()) or (2**31,)
    return render_page(mirror.fetch(StationQuery(where=Ids(asked))), title=title)
