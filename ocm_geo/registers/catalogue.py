"""The kinds of register that can be read, as data."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from ocm_geo.errors import QueryError

__all__ = ["KINDS", "Kind", "find_kind", "registers"]


@dataclass(frozen=True)
class Kind:
    """
    One kind of register.

    Parameters
    ----------
    name : str
        What `ocm_geo.read_register` calls it.
    title : str
        Its name.
    countries : str
        The countries it is about, ISO 3166 codes; empty for a format that many publish.
    formats : str
        The forms and versions that are read.
    station : str
        What a row of the station table is.
    holds : str
        What it states beyond position and connectors.
    attribution : str
        Whom to credit.
    licence : str
        Under which terms; where the publisher decides, that is said.
    """

    name: str
    title: str
    countries: str
    formats: str
    station: str
    holds: str
    attribution: str
    licence: str

    @property
    def is_open(self) -> bool | None:
        """Return whether the data are openly licensed; None where the publisher decides."""
        return None if "as the publisher states" in self.licence else True


# fmt: off
KINDS: tuple[Kind, ...] = (
    Kind(
        "afdc", "Alternative Fuels Data Center", "US CA",
        "station CSV of any year, charging-units CSV, JSON of the API",
        "station", "ports by level, access, status; powers in charging units and JSON only",
        "Alternative Fuels Data Center, U.S. Department of Energy", "public domain (NREL)",
    ),
    Kind(
        "bnetza", "Ladesäulenregister", "DE",
        "CSV and Excel of 2022 to 2026, JSON of the web API",
        "device (Ladeeinrichtung)", "device power, powers of connectors, EVSE ids since 2025",
        "Bundesnetzagentur.de", "CC BY 4.0",
    ),
    Kind(
        "datex2", "DATEX II energy infrastructure", "",
        "JSON and XML, level C profiles of the AFIR included; static and status publications",
        "site", "station power (a cap), bays and their vehicles, EVSE ids",
        "the publisher of the DATEX II data", "as the publisher states (often CC BY 4.0)",
    ),
    Kind(
        "irve", "Infrastructures de recharge pour véhicules électriques", "FR",
        "schemas 1.0, 2.x and 3.0.0-alpha; dynamic",
        "station", "power of each charging point, access, bay lengths in 3.0",
        "data.gouv.fr, base nationale des IRVE", "Licence Ouverte 2.0",
    ),
    Kind(
        "ncr", "National Chargepoint Registry", "GB",
        "CSV of 6 columns or all, JSON", "device", "connectors, not charging points",
        "National Chargepoint Registry, Department for Transport",
        "Open Government Licence v3.0",
    ),
    Kind(
        "nobil", "NOBIL", "NO SE", "JSON of the API, version 3", "station",
        "power as a class, charging points, access",
        "NOBIL, Enova SF", "CC BY 4.0",
    ),
    Kind(
        "ocm_csv", "Open Charge Map, flat CSV", "",
        "answers of the API with output=csv, and flat extracts with its column names",
        "station", "what the columns hold", "Open Charge Map contributors, openchargemap.org",
        "CC BY 4.0 and provider licences",
    ),
    Kind(
        "ocpi", "OCPI locations", "",
        "versions 2.1.1, 2.2, 2.2.1 and 3.0: answers, pages, arrays, single locations",
        "location", "EVSE ids, power or voltage and current",
        "the publisher of the OCPI feed", "as the publisher states",
    ),
    Kind(
        "oicp", "OICP EVSE data", "CH", "EVSEData and EVSEStatuses, as Switzerland publishes them",
        "charging points of one operator at one position", "EVSE ids, power of charging points",
        "Swiss Federal Office of Energy, ich-tanke-strom.ch", "open use, with attribution",
    ),
    Kind(
        "osm", "OpenStreetMap", "",
        ".osm.pbf, JSON of Overpass, GeoJSON of Overpass turbo; old and new tagging",
        "amenity=charging_station", "sockets and their powers",
        "© OpenStreetMap contributors", "ODbL 1.0 (share alike)",
    ),
)


# fmt: on


def find_kind(name: object) -> Kind:
    """
    Return a kind of register.

    Parameters
    ----------
    name : object
        What the caller passed.

    Returns
    -------
    Kind
        The kind.

    Raises
    ------
    QueryError
        If there is none of that name.
    """
    for kind in KINDS:
        if kind.name == name:
            return kind
    names = ", ".join(kind.name for kind in KINDS)
    raise QueryError(f"{name!r} is not a kind of register: choose {names}, or None to detect it")


def registers() -> pd.DataFrame:
    """
    List the kinds of register that can be read.

    Returns
    -------
    pandas.DataFrame
        Index ``kind``; ``title``, ``countries`` (ISO 3166 codes; empty for a format that many
        countries use), ``formats``, ``station`` (what a row is), ``holds``, ``attribution`` and
        ``licence``.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.registers().loc["irve", "countries"]
    'FR'
    """
    table = pd.DataFrame([vars(kind) for kind in KINDS]).rename(columns={"name": "kind"})
    return table.set_index("kind").astype("object")
