"""The command line: parse, call, write. All work is done by the library."""

from __future__ import annotations

import inspect
import tomllib
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
import typer

import ocm_geo as ocm
from ocm_geo.advice import advise_in_options
from ocm_geo.query.filters import FILTERS, Filter
from ocm_geo.server.commands import outbox_app, serve
from ocm_geo.settings import LIMITS
from ocm_geo.study.inputs import open_source

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
    """Run the command line: errors of ours are one line, not a traceback."""
    warnings.showwarning = _show_warning  # type: ignore[assignment] # fewer names, same calls
    try:
        app()
    except ocm.OCMError as error:
        _echo(f"ocm-geo: {advise_in_options(str(error), _list_options())}", err=True)
        raise SystemExit(1) from None


def _echo(text: str, *, err: bool = False) -> None:
    """Print a text without signs that a terminal obeys: contributors choose names."""
    shown = "".join(sign if sign.isprintable() or sign == "\n" else "?" for sign in text)
    typer.echo(shown, err=err)


def _list_options() -> dict[str, str]:
    """Return the options of the commands by the names of their parameters."""
    commands = [*app.registered_commands, *mirror_app.registered_commands]
    names = {
        name
        for command in commands
        if command.callback is not None
        for name in inspect.signature(command.callback).parameters
    }
    # The one option whose name differs from its parameter, and the arguments.
    names -= {"change", "output", "config", "path", "old", "new", "every"}
    options = {name: "--" + name.replace("_", "-") for name in sorted(names)}
    return {**options, **{row.name: row.option for row in FILTERS.values()}}


def _show_version(wanted: bool) -> None:  # noqa: FBT001 - typer calls it
    if wanted:
        _echo(f"ocm-geo {ocm.__version__}")
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
            "--version", help="Show the version and stop.", callback=_show_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Electric-vehicle charging with Open Charge Map: stations, maps, mirrors and studies."""


def _with_filter_options(command: Callable[..., None]) -> Callable[..., None]:
    """Make an option of each filter, in place of ``**filters``."""
    signature = inspect.signature(command, eval_str=True)
    plain = [p for p in signature.parameters.values() if p.kind is not p.VAR_KEYWORD]
    listed = [
        inspect.Parameter(
            row.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=row.default,
            annotation=Annotated[_TYPES[row.kind], _option_of(row)],
        )
        for row in FILTERS.values()
    ]
    shown = signature.replace(parameters=[*plain, *listed])
    command.__signature__ = shown  # type: ignore[attr-defined] # read by typer
    return command


def _option_of(row: Filter) -> Any:  # noqa: ANN401 - typer's own type
    """Return the option of a filter; True and False need a word each, a switch only one."""
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
        typer.Option("--set", help="A value of the configuration, e.g. area.country=DE; repeat."),
    ] = None,
) -> None:
    """Run a coverage study and write tables, figures, a map and a report."""
    changes = dict(_changed(text) for text in change or ())
    result = ocm.run_study(
        config,
        output,
        source=_source(source),
        area_file=area,
        route_file=route,
        changes=changes if at is None else {**changes, "at": at},
    )
    _tell(result)


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the results.")] = Path(
        "demo-results"
    ),
) -> None:
    """Run a study of the bundled, invented sample: no key and no network."""
    config = Path(__file__).parent / "study" / "demo.toml"
    _tell(ocm.run_study(config, output))


@app.command()
@_with_filter_options
def stations(
    output: Annotated[Path, typer.Argument(help=".parquet, .gpkg, .geojson, .kml or .csv")],
    source: SourceOption = None,
    bbox: Annotated[
        tuple[float, float, float, float] | None, typer.Option(help="west south east north")
    ] = None,
    point: Annotated[tuple[float, float] | None, typer.Option(help="lon lat")] = None,
    radius_km: Annotated[float, typer.Option(help="With --point.")] = 10,
    route: Annotated[Path | None, typer.Option(help="A route file.")] = None,
    layer: Annotated[str | None, typer.Option(help="Layer of the route file.")] = None,
    feature: Annotated[
        str | None, typer.Option(help="Which line of the route file: a number from 0, or SQL.")
    ] = None,
    max_join_km: Annotated[
        float, typer.Option(help="Longest missing piece between two parts of the route.")
    ] = 0.01,
    within_km: Annotated[float, typer.Option(help="With --route.")] = 5,
    **filters: Any,  # noqa: ANN401 - a row of FILTERS each
) -> None:
    """Write the stations of an area or along a route into a file; every filter may be combined."""
    filters = {name: value for name, value in filters.items() if value not in (None, [])}
    filters["source"] = _source(source)
    places = [place for place in (bbox, point, route) if place is not None]
    if len(places) > 1:
        raise ocm.QueryError("give one of --bbox, --point and --route")
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
    _echo(f"{len(found):,} stations written to {output}")


@app.command()
def explore(
    source: SourceOption = None,
    bbox: Annotated[
        tuple[float, float, float, float] | None, typer.Option(help="west south east north")
    ] = None,
    basemap: Annotated[str, typer.Option(help="online, offline or none")] = "online",
    port: Annotated[int, typer.Option(help="On this machine alone.")] = 8866,
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
    *,
    force: Annotated[
        bool, typer.Option("--force", help="Allow a mirror without, or with far fewer, stations.")
    ] = False,
) -> None:
    """Build a local copy from bulk data; earlier snapshots are kept. Status 3: a file is cut."""
    mirror = ocm.Mirror.build(path, list(data), reference=reference, force=force)
    _echo(advise_in_options(str(mirror.report), _list_options()))
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
        list[Path] | None, typer.Option(help="Bulk data or a git clone of the export; repeat.")
    ] = None,
    *,
    full: Annotated[
        bool, typer.Option("--full", help="Take everything, not only changes.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Allow that many stations are lost.")
    ] = False,
) -> None:
    """Bring a mirror up to date, or make one from the live API. Status 3: not complete."""
    if not data and not (path / "current").is_file():
        mirror = ocm.Mirror.from_source(path, source or "api", full=full)
        _echo(repr(mirror))
        return
    report = ocm.Mirror(path).update(
        source, data=list(data) if data else None, full=full, force=force
    )
    _echo(str(report))
    if not report.complete:
        raise typer.Exit(_NOT_COMPLETE)


@mirror_app.command()
def info(path: MirrorArgument) -> None:
    """Show what a mirror holds: its snapshots, its countries, and what became of the records."""
    mirror = ocm.Mirror(path)
    _echo(repr(mirror))
    _echo(advise_in_options(str(mirror.report), _list_options()))
    _echo("countries")
    for row in mirror.coverage.fillna({"country_code": "none"}).itertuples():
        _echo(f"  {row.country_code} {row.n_stations:,}, published {row.n_published:,}")
    _echo("snapshots")
    for row in mirror.snapshots().itertuples():
        day = "without dates" if row.data_date is pd.NaT else f"data of {row.data_date.date()}"
        _echo(
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
    told = mirror.diff(old, new)
    if output is not None:
        ocm.write(told, output)
    facts = told.attrs["ocm"]
    _echo(f"{facts['compared_with']} to {facts['snapshot']}")
    for change in ("added", "removed", "moved", "changed"):
        rows = told[told["change"] == change]
        _echo(f"  {change} {rows['ocm_id'].nunique():,}")
    for column, n in told.loc[told["change"] == "changed", "column"].value_counts().items():
        _echo(f"    {column} {n:,}")


@mirror_app.command()
def verify(
    path: MirrorArgument,
    *,
    every: Annotated[bool, typer.Option("--all", help="Of all snapshots.")] = False,
) -> None:
    """Compare every file of the current snapshot with its checksum."""
    mirror = ocm.Mirror(path)
    names = mirror.snapshots()["snapshot"] if every else [mirror.snapshot]
    for name in names:
        ocm.Mirror(path, name).verify()
        _echo(f"{path}: snapshot {name} is as it was built")


@mirror_app.command()
def prune(
    path: MirrorArgument,
    keep: Annotated[int, typer.Option(help="How many of the newest snapshots to keep.")],
) -> None:
    """Remove old snapshots; the current one is kept in any case."""
    removed = ocm.Mirror(path).prune(keep)
    _echo(f"{path}: snapshots removed {len(removed):,}")


def _changed(text: str) -> tuple[str, Any]:
    """Read a value as TOML; what is none is a text."""
    key, equals, value = text.partition("=")
    if not equals:
        raise ocm.QueryError(f"--set {text!r}: give a key and a value, e.g. area.country=DE")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value


def _source(named: str | None) -> Source | None:
    return None if named is None else open_source(named, None)


def _tell(result: Any) -> None:  # noqa: ANN401 - StudyResult, whose module is heavy
    _echo(f"{len(result.stations):,} stations, {len(result.written)} files in {result.folder}")
    _echo(f"Read {result.report.resolve()}")


def _show_warning(message: Warning | str, category: type[Warning], *_: object) -> None:
    if issubclass(category, ocm.OCMWarning):
        told = advise_in_options(str(message), _list_options())
        _echo(f"ocm-geo: {category.__name__}: {told}", err=True)
