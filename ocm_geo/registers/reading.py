"""Read a register: recognise it, draft it, build the tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import pandas as pd

from ocm_geo.checks import check_flag, warn_user
from ocm_geo.errors import DroppedRows, RegisterError, SuspectInput, UnknownCode
from ocm_geo.provenance import attach
from ocm_geo.reference.own import REGISTER_SOURCE
from ocm_geo.registers.building import Built, build_tables
from ocm_geo.registers.catalogue import KINDS, find_kind
from ocm_geo.registers.content import Content, Document, Markup, OsmFile, read_contents
from ocm_geo.registers.delimited import TextTable
from ocm_geo.schema import CRS, stations_from_arrow, to_pandas
from ocm_geo.sources.account import Account

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable

    from ocm_geo.registers.catalogue import Kind
    from ocm_geo.registers.draft import Draft

__all__ = ["load_register", "read_register", "shorten_report", "warn_of_register"]

Recognise = Callable[[Content], bool]
Drafter = Callable[[Sequence[Content]], "Draft"]

_SHOWN = 6
_MANY = 8
_REPORT_BYTES = 900


def read_register(
    path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    kind: str | None = None,
    *,
    evses: bool = False,
) -> gpd.GeoDataFrame:
    r"""
    Read an official register of charging stations.

    Parameters
    ----------
    path : path or iterable of paths
        The file, plain, compressed or in an archive; a folder; or several files of one register,
        such as the pages of a feed, or a static and a dynamic file.
    kind : str, optional
        The kind of register, as `registers` lists them; by default it is recognised by content.
    evses : bool
        Return charging points (EVSEs) instead of stations.

    Returns
    -------
    geopandas.GeoDataFrame
        The columns of `ocm_geo.schema.STATION_COLUMNS` and ``geometry`` (EPSG:4326), by ascending
        ``station_id`` (the index). ``total_power_kw`` is the power of the station where the
        register states one, else the sum of its charging points, each counted once whatever its
        connectors. ``date_created`` is the day of commissioning. ``extra`` holds what has no
        column, as JSON; ``attrs["ocm"]["report"]`` counts records read, kept and rejected with
        reasons, values that are missing because they were wrong, and unknown codes.

        With ``evses=True`` a row for each charging point: ``station_id``, ``evse_id`` (in normal
        form; missing where it is none), ``evse_id_raw``, ``device_id``, ``n_points`` (charging
        points that the row represents), ``power_kw`` (kW, of one), ``current_type_id``,
        ``status_type_id`` (the live state where the file has it), ``n_connectors``,
        ``connectors`` (JSON), ``heavy_vehicle_bay``, ``bay_length_m`` (m),
        ``date_last_status_update``, ``extra`` and ``geometry``, that of the station.

    Raises
    ------
    RegisterError
        If the file is not a register, is damaged or of an unknown version, or states no positions
        and stations are asked for.
    QueryError
        If an argument is wrong, or there is no such file.

    Warns
    -----
    UnknownCode
        If connectors or states have no counterpart in Open Charge Map: they are Unknown, and the
        code stays in the comments of the connection.
    SuspectInput
        If stations lie in their country only with longitude and latitude exchanged.
    DroppedRows
        If a file ends too early, or no record could be kept.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> from pathlib import Path
    >>> _ = Path("stations.csv").write_text(
    ...     "Fuel Type Code,Station Name,Status Code,EV DC Fast Count,EV Connector Types,"
    ...     "Latitude,Longitude,ID\n"
    ...     "ELEC,City Hall,E,2,J1772COMBO,47.6,-122.3,33717\n"
    ... )
    >>> stations = ocm.read_register("stations.csv")
    >>> stations["n_points"].to_dict()
    {33717: 2}
    >>> stations.attrs["ocm"]["report"]["n_read"]
    1
    """
    check_flag(evses, "evses")
    built, found, account = load_register(path, kind, evses=evses)
    _warn_of_cuts(account)
    warn_of_register(built)
    table = _make_evses(built) if evses else _make_stations(built)
    codes = set(built.stations["country_code"].drop_null().to_pylist())
    return attach(
        table,
        source=REGISTER_SOURCE,
        register=found.name,
        attribution=found.attribution,
        licence=found.licence,
        data_date=built.data_date or None,
        complete=not account.cut,
        covers=" ".join(sorted(codes)) or None,
        report=shorten_report(built.report),
    )


def load_register(
    path: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
    kind: str | None,
    *,
    evses: bool = False,
) -> tuple[Built, Kind, Account]:
    """
    Load a register into tables.

    Parameters
    ----------
    path : path or iterable of paths
        As for `read_register`.
    kind : str, optional
        Likewise.
    evses : bool
        Whether the table of charging points is wanted.

    Returns
    -------
    built : Built
        The tables.
    kind : Kind
        The kind of register.
    account : Account
        Which files end too early.
    """
    wanted = None if kind is None else find_kind(kind)
    account = Account()
    contents = read_contents(path, account)
    found = _recognise_kind(contents, wanted)
    draft = _module_of(found.name, "draft")(contents)
    return build_tables(draft, found.attribution, evses=evses), found, account


def _module_of(name: str, step: str) -> Any:  # noqa: ANN401 - a function of a reader
    """Return a function of the reader of a kind; only readers that are needed are loaded."""
    return getattr(import_module(f"ocm_geo.registers.{name}"), f"{step}_{name}")


def _recognise_kind(contents: Sequence[Content], wanted: Kind | None) -> Kind:
    """Find the kind of all files: the one asked for, or the first that recognises each."""
    for kind in KINDS if wanted is None else (wanted,):
        recognise: Recognise = _module_of(kind.name, "recognise")
        if all(recognise(content) for content in contents):
            return kind
    if wanted is None and len(contents) > 1:
        kinds = [_recognise_kind([content], None).name for content in contents]
        listed = ", ".join(f"{c.origin} ({k})" for c, k in zip(contents[:4], kinds, strict=False))
        raise RegisterError(f"the files are of several registers: {listed}; read them one by one")
    odd = contents[0]
    if wanted is not None:
        recognise = _module_of(wanted.name, "recognise")
        odd = next(content for content in contents if not recognise(content))
    raise RegisterError(_explain_unknown(odd, wanted))


def _explain_unknown(content: Content, wanted: Kind | None) -> str:
    """Explain what a file is, and what would have been understood."""
    seen = f"{content.origin} is {_describe_content(content)}"
    if wanted is not None:
        return f"{seen}, not {wanted.title} ({wanted.name}): understood are {wanted.formats}"
    known = "; ".join(f"{kind.name}: {kind.formats}" for kind in KINDS)
    return f"{seen}, not a register that is known. Known are {known}"


def _describe_content(content: Content) -> str:
    """Describe a file that was not recognised, by its first names."""
    match content:
        case TextTable():
            names = [name[:30] for name in content.header[:_SHOWN]]
            more = ", ..." if len(content.header) > _SHOWN else ""
            return f"a table with the columns {', '.join(names)}{more}"
        case Document(value=dict() as value):
            return f"JSON with the members {', '.join(str(k)[:30] for k in list(value)[:_SHOWN])}"
        case Document(value=list() as value) if value and isinstance(value[0], dict):
            members = ", ".join(str(key)[:30] for key in list(value[0])[:_SHOWN])
            return f"a JSON array of objects with {members}"
        case Document(value=value):
            return f"JSON ({type(value).__name__})"
        case Markup(data=data):
            return f"XML that begins with {data[:80].decode('utf-8', 'replace')!r}"
        case OsmFile():
            return "a file of OpenStreetMap"


def _warn_of_cuts(account: Account) -> None:
    """Warn of files that end too early."""
    for file, why in account.cut.items():
        warn_user(f"{file} {why}: what came before is read; get it again", DroppedRows)


def warn_of_register(built: Built) -> None:
    """Warn of what the account of a register holds that a user must not overlook."""
    report = built.report
    if report["n_read"] and not report["n_kept"]:
        reasons = ", ".join(f"{n:,} x {reason}" for reason, n in report["reasons"].items())
        warn_user(f"no record of {report['n_read']:,} could be kept ({reasons})", DroppedRows)
    if codes := report["unknown_codes"]:
        shown = ", ".join(f"{code} ({n:,})" for code, n in list(codes.items())[:_MANY])
        warn_user(
            f"codes without a counterpart in Open Charge Map: {shown}; they are Unknown",
            UnknownCode,
        )
    if n_swapped := report.get("n_positions_swapped"):
        warn_user(
            f"{n_swapped:,} of {len(built.ids):,} stations lie outside their country, and in it "
            "with longitude and latitude exchanged; they stay as they are, and extra marks them",
            SuspectInput,
        )


def shorten_report(report: dict[str, Any]) -> dict[str, Any]:
    """Shorten an account so that it fits into the provenance: the most frequent entries stay."""
    short = dict(report)
    for most in (_MANY, 4, 2):
        for name in ("reasons", "missing", "unknown_codes"):
            rows = dict(list(report[name].items())[:most])
            left = sum(report[name].values()) - sum(rows.values())
            short[name] = rows | ({"others": left} if left else {})
        if len(str(short)) < _REPORT_BYTES:
            break
    return short


def _make_stations(built: Built) -> gpd.GeoDataFrame:
    """Return the station table; a file of states alone has none."""
    if built.report.get("without_positions"):
        raise RegisterError(
            "the file states charging points without positions: read them with evses=True, or pass "
            "the file that has the positions beside it, as in read_register([static, dynamic])"
        )
    stations = stations_from_arrow(built.stations)
    stations.index = built.ids
    return stations


def _make_evses(built: Built) -> gpd.GeoDataFrame:
    """Return the table of charging points, with the positions of their stations."""
    site = built.points["site"].to_numpy()
    table = to_pandas(built.points.drop_columns(["site"]))
    owners: Any = built.ids.take(site)
    if built.report.get("without_stations"):
        owners = pd.array([None] * len(site), dtype="string")
    table.insert(0, "station_id", owners)
    lon, lat = (built.stations[name].to_numpy()[site] for name in ("lon", "lat"))
    points = gpd.points_from_xy(lon, lat, crs=CRS)
    if built.report.get("without_positions"):
        points = gpd.GeoSeries([None] * len(site), crs=CRS).array
    return gpd.GeoDataFrame(table, geometry=points, crs=CRS)
