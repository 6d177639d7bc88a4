"""Stations in words: one address line, one list of connections, for formats without records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ocm_geo.server.forms import Form
    from ocm_geo.server.lookups import Lookups

__all__ = ["SITE_URL", "describe_connection", "join_address"]

SITE_URL = "https://openchargemap.org/site/poi/details/"
_LINES = ("AddressLine1", "AddressLine2", "Town", "StateOrProvince", "Postcode")


def join_address(address: dict[str, Any], lookups: Lookups, form: Form, *, is_exact: bool) -> str:
    """
    Join an address to one line.

    Parameters
    ----------
    address : dict
        ``AddressInfo``.
    lookups : Lookups
        The objects that ids refer to.
    form : Form
        Without the country where it is compact.
    is_exact : bool
        Without the comma that Open Charge Map leaves at the end.

    Returns
    -------
    str
        The line.
    """
    parts = [address[key] for key in _LINES if address.get(key)]
    country = "" if form.compact else lookups.title("countries", address.get("CountryID"))
    if is_exact:
        return ", ".join([*parts, country] if country else parts)
    return "".join(f"{part}," for part in parts) + country


def describe_connection(connection: dict[str, Any], lookups: Lookups) -> str:
    """Describe a connection: its type, power and number, as far as known."""
    title = lookups.title("connection_types", connection.get("ConnectionTypeID"))
    power, number = connection.get("PowerKW"), connection.get("Quantity")
    told = [title or "Unknown connection"]
    told += [] if power is None else [f"{power:g} kW"]
    told += [] if number is None else [f"x {number}"]
    return " ".join(told)
