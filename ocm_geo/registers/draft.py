"""What a reader finds in a file: stations, charging points and connectors, as columns."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ocm_geo.sources.records import Reject

__all__ = ["Connector", "Draft", "Point", "Site", "transpose"]

Columns = dict[str, Any]


class Site(NamedTuple):
    """One station: a row of the station table. Times are microseconds since 1970 UTC."""

    station_id: Any
    lon: float | None
    lat: float | None
    title: str | None = None
    address: str | None = None
    town: str | None = None
    state: str | None = None
    postcode: str | None = None
    country_code: str | None = None
    operator: str | None = None
    usage_type_id: int | None = None
    status_type_id: int | None = None
    n_points: int | None = None
    site_power_kw: float | None = None
    n_heavy_vehicle_bays: int | None = None
    updated: int | None = None
    created: int | None = None
    planned: int | None = None
    confirmed: int | None = None
    access_comments: str | None = None
    general_comments: str | None = None
    usage_cost: str | None = None
    phone: str | None = None
    url: str | None = None
    extra: str | None = None
    origin: str | None = None
    position: int | None = None


class Point(NamedTuple):
    """One charging point, or several of one kind; `site` is the row of its station."""

    site: int
    evse_id: str | None = None
    device_id: str | None = None
    power_kw: float | None = None
    quantity: int | None = 1
    status_type_id: int | None = None
    heavy_vehicle_bay: bool | None = None
    bay_length_m: float | None = None
    updated: int | None = None
    extra: str | None = None


class Connector(NamedTuple):
    """One connector of a charging point, or several of one kind; `point` is the row of it."""

    point: int
    connection_type_id: int | None = None
    current_type_id: int | None = None
    level_id: int | None = None
    power_kw: float | None = None
    amps: float | None = None
    voltage: float | None = None
    quantity: int | None = 1
    reference: str | None = None
    comments: str | None = None


@dataclass
class Draft:
    """
    What was read, before stations are chosen and numbers are checked.

    Parameters
    ----------
    unit : {"station", "point"}
        What one record of the file is: of these are read, kept and rejected ones counted.
    n_read : int
        Records met.
    sites, points, connectors : dict of str to column
        The fields of `Site`, `Point` and `Connector`; any may be left out but ``station_id``,
        ``lon``, ``lat``, ``site`` and ``point``.
    rejects : list of Reject
        Records that were not used.
    wrong : collections.Counter
        Values that could not be read and are missing, by column.
    unknown : collections.Counter
        Codes without a counterpart, as ``"connector pantograph"``.
    notes : dict
        Facts for the report: the version of the format, contradictions counted.
    has_points : bool
        Whether the format tells charging points apart.
    unique_evse_ids : bool
        Whether an EVSE id is the key of a charging point: of repeats one is kept.
    country : str, optional
        The country of a national register.
    data_date : str
        What the file says of its date.
    extra : dict of str to pyarrow.Array
        Columns of the stations that have no place in the schema, as texts.
    """

    unit: str
    n_read: int
    sites: Columns
    points: Columns
    connectors: Columns
    rejects: list[Reject] = field(default_factory=list)
    wrong: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    notes: dict[str, Any] = field(default_factory=dict)
    has_points: bool = True
    unique_evse_ids: bool = True
    country: str | None = None
    data_date: str = ""
    extra: Columns = field(default_factory=dict)


def transpose(rows: Sequence[Any], kind: Any) -> Columns:  # noqa: ANN401 - a NamedTuple's class
    """
    Turn rows into columns.

    Parameters
    ----------
    rows : sequence of Site, Point or Connector
        The rows.
    kind : type
        Their class.

    Returns
    -------
    dict of str to sequence
        A column a field.
    """
    if not rows:
        return dict.fromkeys(kind._fields, ())
    return dict(zip(kind._fields, zip(*rows, strict=True), strict=True))
