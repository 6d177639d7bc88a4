"""Return the pages of openchargemap.org about stations, and those for contributions."""

from __future__ import annotations

from ocm_geo.checks import check_ocm_id

__all__ = ["add_comment", "add_photo", "add_station", "details"]

_SITE = "https://openchargemap.org/site/poi"


def details(ocm_id: int) -> str:
    """
    Return the address of the page of a station.

    Parameters
    ----------
    ocm_id : int
        Id of the station in Open Charge Map.

    Returns
    -------
    str
        A web address.

    Raises
    ------
    QueryError
        If it is not a positive whole number.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.links.details(12345)
    'https://openchargemap.org/site/poi/details/12345'
    """
    return f"{_SITE}/details/{check_ocm_id(ocm_id)}"


def add_station() -> str:
    """
    Return the address of the page where a new station is added.

    Returns
    -------
    str
        A web address.
    """
    return f"{_SITE}/add"


def add_comment(ocm_id: int) -> str:
    """
    Return the address of the page where a comment or check-in is added to a station.

    Parameters
    ----------
    ocm_id : int
        Id of the station in Open Charge Map.

    Returns
    -------
    str
        A web address.
    """
    return f"{_SITE}/addcomment/{check_ocm_id(ocm_id)}"


def add_photo(ocm_id: int) -> str:
    """
    Return the address of the page where a photo is added to a station.

    Parameters
    ----------
    ocm_id : int
        Id of the station in Open Charge Map.

    Returns
    -------
    str
        A web address.
    """
    return f"{_SITE}/addmediaitem/{check_ocm_id(ocm_id)}"
