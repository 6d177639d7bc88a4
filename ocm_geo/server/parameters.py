"""The parameters of ``GET /v3/poi`` as data: what is read, checked and documented, once.

Meanings of filters come from `ocm_geo.query.FILTERS`; the OpenAPI document is made from the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from ocm_geo.query import FILTERS

__all__ = [
    "FORMATS",
    "NOT_OFFERED",
    "OF_FILTERS",
    "PARAMETERS",
    "READ_AS",
    "SORTS",
    "UNITS",
    "Kind",
    "Parameter",
]

Kind: TypeAlias = Literal[
    "text", "texts", "whole", "wholes", "number", "truth", "choice", "date", "points"
]

FORMATS = ("json", "geojson", "csv", "kml", "xml")
SORTS = ("id_asc", "modified_asc", "created_asc")
UNITS = ("miles", "km", "kilometers")
INT_MAX = 2**31 - 1
# The text ids of a register are served as numbers that every reader of JSON keeps exact.
ID_MAX = 2**53 - 1

OF_FILTERS = {
    "countries": "countryid",
    "operators": "operatorid",
    "connection_types": "connectiontypeid",
    "levels": "levelid",
    "usage_types": "usagetypeid",
    "status_types": "statustypeid",
    "data_providers": "dataproviderid",
    "min_power_kw": "minpowerkw",
    "max_power_kw": "maxpowerkw",
    "open_data": "opendata",
    "modified_since": "modifiedsince",
    "created_since": "createdsince",
}
"""The parameter of each filter; the others of `FILTERS` choose no stations, or OCM has none."""

NOT_OFFERED = ("fastchargeonly", "locationtitle", "address")
"""Names that Open Charge Map reads without any effect: manner ``exact`` refuses them."""

_SAME = " All filters on connections are met by one and the same connection."
_COMMA = " Several: separated by commas."


@dataclass(frozen=True)
class Parameter:
    """
    One parameter.

    Parameters
    ----------
    name : str
        Its name, lower case.
    kind : str
        What its value is.
    meaning : str
        Its exact meaning.
    choices : tuple of str
        The values of a choice.
    low, high : float, optional
        The range of a number, inclusive.
    alias : str
        Another name of it.
    default : object
        What holds where it is not given.
    """

    name: str
    kind: Kind
    meaning: str
    choices: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    alias: str = ""
    default: Any = None


def _list_filters() -> list[Parameter]:
    """List the parameters that are filters of ours, with the meaning that those have."""
    kinds: dict[str, Kind] = {"codes": "wholes", "power": "number", "date": "date", "flag": "truth"}
    rows = []
    for name, parameter in OF_FILTERS.items():
        row = FILTERS[name]
        meaning = row.meaning.replace("``", "")
        if row.kind == "codes":
            meaning = f"OCM ids of {name.replace('_', ' ')}.{_COMMA}"
        if row.level == "connection":
            meaning += _SAME
        low = 0.0 if row.kind == "power" else None
        rows.append(Parameter(parameter, kinds[row.kind], meaning, low=low))
    return rows


_ROWS = (
    Parameter("key", "text", "API key, where the server asks for one; or the header X-API-Key."),
    Parameter("client", "text", "Name of the asking program; not used."),
    Parameter("output", "choice", "Format of the answer.", FORMATS, default="json"),
    Parameter(
        "maxresults", "whole",
        "At most this many stations, in the order of the answer; the header X-Total-Count says "
        "how many match. By default all, and an error if they are more than the server sends.",
        low=0, high=INT_MAX,
    ),
    Parameter(
        "chargepointid", "wholes", f"OCM ids of stations.{_COMMA}", low=1, high=ID_MAX, alias="id"
    ),
    Parameter("greaterthanid", "whole", "OCM id greater than this.", low=0, high=ID_MAX),
    Parameter("countrycode", "text", "ISO 3166 code of two letters of one country."),
    *_list_filters(),
    Parameter("latitude", "number", "Latitude of a point, degrees.", low=-90, high=90),
    Parameter("longitude", "number", "Longitude of a point, degrees.", low=-180, high=180),
    Parameter(
        "distance", "number",
        "Geodesic distance on WGS84, inclusive: from the polyline where one is given (by default "
        "5 km), else from the point (by default 50 km, or unlimited beside a box or polygon).",
        high=20_000,
    ),
    Parameter("distanceunit", "choice", "Unit of distances.", UNITS, default="miles"),
    Parameter(
        "boundingbox", "points",
        "Two opposite corners, (lat,lng),(lat,lng), the left one first; the border counts. "
        "Corners that are less than half a turn apart over the antimeridian cross it.",
    ),
    Parameter(
        "polygon", "points",
        "Encoded polyline, or (lat,lng),(lat,lng),...; edges are straight in longitude and "
        "latitude, and the border counts.",
    ),
    Parameter(
        "polyline", "points",
        "Route as an encoded polyline, or (lat,lng),(lat,lng),...; its edges are geodesics.",
    ),
    Parameter(
        "sortby", "choice",
        "Order of the stations; by default nearest first for a point, else newest id first.",
        SORTS,
    ),
    Parameter(
        "submissionstatustypeid", "wholes",
        f"Submission statuses; by default the published ones, 100 and 200.{_COMMA}",
    ),
    Parameter(
        "levelofdetail", "whole", "2 or 3: records of detail 1 or 2; more: of 1 alone.", low=0,
        high=INT_MAX,
    ),
    Parameter("postcodes", "texts", f"Postal codes; case does not count.{_COMMA}"),
    Parameter("hasmedia", "truth", "Whether the station has an enabled photo."),
    Parameter("hascomment", "truth", "Whether the station has a comment."),
    Parameter("hascheckins", "truth", "Whether a comment of the station is a check-in."),
    Parameter("operatorname", "text", "Name of the operator, exactly."),
    Parameter("dataprovidername", "text", "Name of the data provider, exactly."),
    Parameter("connectiontype", "text", "Name of a connection type, exactly."),
    Parameter("includecomments", "truth", "Send comments and photos.", default=False),
    Parameter("verbose", "truth", "Write what is missing as null.", default=True),
    Parameter("compact", "truth", "Leave out the objects that ids refer to.", default=False),
    Parameter("camelcase", "truth", "Names in camel case (JSON).", default=False),
    Parameter("excludecomputed", "truth", "Not used.", default=False),
    Parameter("callback", "text", "Name of a JSONP function (JSON and GeoJSON)."),
    Parameter("allowmirror", "truth", "Not used.", default=True),
    Parameter("enablecaching", "truth", "Not used.", default=True),
)  # fmt: skip

PARAMETERS: dict[str, Parameter] = {row.name: row for row in _ROWS}
"""The rows by name."""

READ_AS: dict[str, str] = {row.alias or row.name: row.name for row in _ROWS} | {
    name: name for name in PARAMETERS
}
"""The parameter that each accepted name means."""
