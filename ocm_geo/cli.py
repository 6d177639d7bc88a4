"""The command line: parse, call, write. All work is done by the library."""

from __future__ import annotations

import inspect
import tomllib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import ocm_geo as ocm
from ocm_geo.advice import advise_in_options
from ocm_geo.doctor import doctor
from ocm_geo.query.filters import FILTERS, Filter
from ocm_geo.registers.commands import register_app
from ocm_geo.server.commands import outbox_app, serve
from ocm_geo.settings import LIMITS
from ocm_geo.study.inputs import open_source
from ocm_geo.teaching.commands import teach

if TYPE_CHECKING:
    from collections.abc import Callable

    from ocm_geo.sources.base import Source

__all__ = ["app", "main"]

app = typer.Typer(
    name="ocm-geo",
    help="Electric-vehicle charging with Open Charge Map: stations, maps, mirrors and studies.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
mirror_app = typer.Typer(help="Local copies of the bulk data.", no_args_is_help=True)
app.add_typer(mirror_app, name="mirror")
mirror_app.command()(serve)
mirror_app.add_typer(outbox_app, name="outbox")
app.add_typer(register_app, name="register")
app.command()(teach)
app.command()(doctor)

_NOT_COMPLETE = 3
"""Exit status of a build from a file that ends too early."""

SourceOption = Annotated[
    str | None,
    typer.Option("--source", help="'sample', 'api', or the path of a mirror."),
]
MirrorArgument = Annotated[Path, typer.Argument(help="Folder of the mirror.")]
_TYPES: dict[str, Any] = {
    "codes": list[str] | None,
    "power": float | None,
    "date": str | None,
    "flag": bool | None,
    "count": int | None,
}


def main() -> None:
    """Run the command line; errors of the package are one line, not a traceback."""
    warnings.showwarning = _show_warning  # type: ignore[assignment] # fewer names, same calls
    try:
        app()
    except ocm.OCMError as error:
        _echo_plain_text(f"ocm-geo: {advise_in_options(str(error), _list_options())}", err=True)
        raise SystemExit(1) from None


def _echo_plain_text(text: str, *, err: bool = False) -> None:
    """Print a text without control characters: anyone can contribute names."""
    shown = "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)
    typer.echo(shown, err=err)


def _list_options() -> dict[str, str]:
    """Return the options of the commands by the names of their parameters."""
    groups = (app, mirror_app, register_app)
    commands = [command for group in groups for command in group.registered_commands]
    names = {
        name
        for command in commands
        if command.callback is not None
        for name in inspect.signature(command.callback).parameters
    }
    # The options whose names differ from their parameters, and the arguments.
    names -= {"change", "output", "config", "path", "old", "new", "every", "files"}
    options = {name: "--" + name.replace("_", "-") for name in sorted(names)}
    return {**options, **{row.name: row.option for row in FILTERS.values()}}


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    """Print the version and exit."""
    if wanted:
        _echo_plain_text(f"ocm-geo {ocm.__version__}")
        raise typer.Exit


def _parse_limit(text: str) -> tuple[str, float]:
    """Read a limit from the command line."""
    name, _, value = text.partition("=")
    if name not in LIMITS:
        raise ocm.QueryError(f"--limit {text!r}: give NAME=NUMBER; names are {', '.join(LIMITS)}")
    try:
        return name, float(value)
    except ValueError as error:
        raise ocm.QueryError(f"--limit {text!r}: {value!r} is not a number") from error


def _raise_limits(context: typer.Context, limits: list[str] | None) -> None:
    if limits:
        context.with_resource(ocm.using(**dict(map(_parse_limit, limits))))


@app.callback()
def read_common_options(
    *,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            help="Raise a limit on data, e.g. max_record_mib=64; repeat.", callback=_raise_limits
        ),
    ] = None,
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Show the version and exit.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Electric-vehicle charging with Open Charge Map: stations, maps, mirrors and studies."""


def _with_filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add an option for each filter, instead of ``**filters``."""
    signature = inspect.signature(command, eval_str=True)
    plain = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    listed = [
        inspect.Parameter(
            row.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=row.default,
            annotation=Annotated[_TYPES[row.kind], _make_option(row)],
        )
        for row in FILTERS.values()
    ]
    shown = signature.replace(parameters=[*plain, *listed])
    command.__signature__ = shown  # type: ignore[attr-defined] # read by typer
    return command


def _make_option(row: Filter) -> Any:  # noqa: ANN401 - typer's own type
    """Return the option of a filter; a flag that may be unset has a form for True and False."""
    name = (
        f"{row.option}/--no-{row.name.replace('_', '-')}" if row.name == "open_data" else row.option
    )
    more = " May be repeated." if row.kind == "codes" else ""
    return typer.Option(name, help=row.meaning.replace("``", "") + more)


@app.command()
def study(
    config: Annotated[Path, typer.Argument(help="A TOML file; see the documentation.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")],
    source: SourceOption = None,
    area: Annotated[Path | None, typer.Option(help="File with the areas.")] = None,
    route: Annotated[Path | None, typer.Option(help="File with the route.")] = None,
    at: Annotated[
        str | None, typer.Option(help="A snapshot of the mirror, or an ISO date.")
    ] = None,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set", help="A value of the configuration, e.g. area.country=DE. May be repeated."
        ),
    ] = None,
) -> None:
    """Run a coverage study and write tables, figures, a map and a report."""
    changes = dict(_parse_change(text) for text in change or ())
    result = ocm.run_study(
        config,
        output,
        source=_open_named_source(source),
        area_file=area,
        route_file=route,
        changes=changes if at is None else {**changes, "at": at},
    )
    _report_study(result)


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path(
        "demo-results"
    ),
) -> None:
    """Run a study of the bundled, invented sample: no key and no network."""
    config = Path(__file__).parent / "study" / "demo.toml"
    _report_study(ocm.run_study(config, output))


@app.command()
@_with_filter_options
def stations(
    output: Annotated[Path, typer.Argument(help=".parquet, .gpkg, .geojson, .kml or .csv")],
    source: SourceOption = None,
    bbox: Annotated[
        tuple[float, float, float, float] | None, typer.Option(help="west south east north")
    ] = None,
    point: Annotated[tuple[float, float] | None, typer.Option(help="lon lat")] = None,
    radius_km: Annotated[float, typer.Option(help="Radius around --point, km.")] = 10,
    route: Annotated[Path | None, typer.Option(help="A route file.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of the route file.")] = None,
    feature: Annotated[
        str | None,
        typer.Option(help="Line of the route file: a number from 0, or an SQL condition."),
    ] = None,
    max_join_km: Annotated[
        float, typer.Option(help="Longest gap between two parts of the route that is bridged, km.")
    ] = 0.01,
    within_km: Annotated[float, typer.Option(help="Distance from --route, km.")] = 5,
    **filters: Any,  # noqa: ANN401 - a row of FILTERS each
) -> None:
    """Write the stations of an area or along a route into a file; filters can be combined."""
    filters = {name: value for name, value in filters.items() if value not in (None, [])}
    filters["source"] = _open_named_source(source)
    places = [place for place in (bbox, point, route) if place is not None]
    if len(places) > 1:
        raise ocm.QueryError("use only one of --bbox, --point and --route")
    if bbox is not None:
        found = ocm.stations_from_bbox(bbox, **filters)
    elif point is not None:
        found = ocm.stations_from_point(point, radius_km, **filters)
    elif route is not None:
        choice = int(feature) if feature is not None and feature.isdecimal() else feature
        line = ocm.route_from_file(route, layer=layer, feature=choice, max_join_km=max_join_km)
        found = ocm.stations_from_route(line, within_km, **filters)
    else:
        found = ocm.stations(**filters)
    ocm.write(ocm.add_labels(found), output)
    _echo_plain_text(f"{len(found):,} stations written to {output}")


@app.command()
def explore(
    source: SourceOption = None,
    bbox: Annotated[
        tuple[float, float, float, float] | None, typer.Option(help="west south east north")
    ] = None,
    basemap: Annotated[str, typer.Option(help="online, offline or none")] = "online",
    port: Annotated[int, typer.Option(help="Port on this machine.")] = 8866,
    browser: Annotated[bool, typer.Option(help="Open a browser.")] = True,  # noqa: FBT002 - a flag
) -> None:
    """Open the live map as a small web app, until Ctrl+C."""
    from ocm_geo.app import serve  # noqa: PLC0415 - used here alone

    options = {"bbox": bbox, "basemap": basemap}
    raise typer.Exit(serve(source, port=port, browser=browser, **options))


@mirror_app.command()
def build(
    path: Annotated[Path, typer.Argument(help="Folder of the mirror.")],
    data: Annotated[list[Path], typer.Argument(help="Files or folders of bulk data.")],
    reference: Annotated[
        Path | None, typer.Option(help="referencedata.json, with the names of operators.")
    ] = None,
    register: Annotated[
        str | None, typer.Option(help="Kind of register that the data are, such as irve.")
    ] = None,
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Allow a mirror without, or with far fewer, stations.")
    ] = False,
) -> None:
    """Build a local copy from bulk data, beside earlier ones. Exit status 3: a file is cut off."""
    mirror = ocm.Mirror.build(path, list(data), register=register, reference=reference, force=force)
    _echo_plain_text(advise_in_options(str(mirror.report), _list_options()))
    if not mirror.report.complete:
        raise typer.Exit(_NOT_COMPLETE)


@mirror_app.command()
def update(
    path: MirrorArgument,
    source: Annotated[
        str | None,
        typer.Option("--source", help="'api', 'sample', or the path of another mirror."),
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Bulk data or a git clone of it. May be repeated."),
    ] = None,
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Fetch everything, not only changes.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Allow the loss of many stations.")
    ] = False,
) -> None:
    """Update a mirror, or build one from the live API. Exit status 3: not complete."""
    if not data and not (path / "current").is_file():
        mirror = ocm.Mirror.from_source(path, source or "api", full=full)
        _echo_plain_text(repr(mirror))
        return
    report = ocm.Mirror(path).update(
        source, data=list(data) if data else None, full=full, force=force
    )
    _echo_plain_text(str(report))
    if not report.complete:
        raise typer.Exit(_NOT_COMPLETE)


@mirror_app.command()
def info(path: MirrorArgument) -> None:
    """Show the snapshots, the countries and the build report of a mirror."""
    mirror = ocm.Mirror(path)
    _echo_plain_text(repr(mirror))
    _echo_plain_text(advise_in_options(str(mirror.report), _list_options()))
    _echo_plain_text("countries")
    for row in mirror.coverage.fillna({"country_code": "none"}).itertuples():
        _echo_plain_text(f"  {row.country_code} {row.n_stations:,}, published {row.n_published:,}")
    _echo_plain_text("snapshots")
    table = mirror.snapshots()
    days = table["data_date"].dt.strftime("data of %Y-%m-%d").fillna("without dates")
    for row, day in zip(table.itertuples(), days, strict=True):
        _echo_plain_text(
            f"  {row.snapshot} {day}, stations {row.n_stations:,}, published {row.n_published:,}, "
            f"bytes {row.size_bytes:,}{' (current)' if row.current else ''}"
        )


@mirror_app.command()
def diff(
    path: MirrorArgument,
    old: Annotated[
        str | None, typer.Argument(help="A snapshot or ISO date; by default the one before.")
    ] = None,
    new: Annotated[
        str | None, typer.Argument(help="A snapshot or ISO date; by default the current one.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write the changes into a file.")
    ] = None,
) -> None:
    """Show how many stations were added, removed, moved or changed between two snapshots."""
    mirror = ocm.Mirror(path)
    if old is None:
        names = mirror.snapshots()["snapshot"].tolist()
        position = names.index(mirror.snapshot)
        if not position:
            raise ocm.QueryError(f"the mirror {path} has no snapshot before {mirror.snapshot}")
        old = names[position - 1]
    changes = mirror.diff(old, new)
    if output is not None:
        ocm.write(changes, output)
    facts = changes.attrs["ocm"]
    _echo_plain_text(f"{facts['compared_with']} to {facts['snapshot']}")
    for change in ("added", "removed", "moved", "changed"):
        rows = changes[changes["change"] == change]
        _echo_plain_text(f"  {change} {rows.iloc[:, 0].nunique():,}")
    for column, n in changes.loc[changes["change"] == "changed", "column"].value_counts().items():
        _echo_plain_text(f"    {column} {n:,}")


@mirror_app.command()
def verify(
    path: MirrorArgument,
    *,
    every: Annotated[bool, typer.Option("--all", help="Check all snapshots.")] = False,
) -> None:
    """Compare every file of the current snapshot with its checksum."""
    mirror = ocm.Mirror(path)
    names = mirror.snapshots()["snapshot"] if every else [mirror.snapshot]
    for name in names:
        ocm.Mirror(path, name).verify()
        _echo_plain_text(f"{path}: snapshot {name} is intact")


@mirror_app.command()
def prune(
    path: MirrorArgument,
    keep: Annotated[int, typer.Option(help="Number of newest snapshots to keep.")],
) -> None:
    """Remove old snapshots; the current one is always kept."""
    removed = ocm.Mirror(path).prune(keep)
    _echo_plain_text(f"{path}: snapshots removed {len(removed):,}")


def _parse_change(text: str) -> tuple[str, Any]:
    """Parse a key and its value as TOML; other values are texts."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ocm.QueryError(f"--set {text!r}: must be a key and a value, e.g. area.country=DE")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _open_named_source(named: str | None) -> Source | None:
    return None if named is None else open_source(named, None)


def _report_study(result: Any) -> None:  # noqa: ANN401 - StudyResult, whose module is heavy
    """Print where the results of a study are."""
    _echo_plain_text(
        f"{len(result.stations):,} stations, {len(result.written)} files in {result.folder}"
    )
    _echo_plain_text(f"Read {result.report.resolve()}")


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    """Print a warning of ours with the names of options."""
    if issubclass(category, ocm.OCMWarning):
        told = advise_in_options(str(message), _list_options())
        _echo_plain_text(f"ocm-geo: {category.__name__}: {told}", err=True)
