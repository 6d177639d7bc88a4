"""Commands for registers: what a file is, and its stations in a file of another format."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ocm_geo.files import write
from ocm_geo.registers.catalogue import registers
from ocm_geo.registers.reading import read_register

__all__ = ["register_app"]

register_app = typer.Typer(help="Official registers of charging stations.", no_args_is_help=True)
FilesArgument = Annotated[list[Path], typer.Argument(help="The files of one register.")]
KindOption = Annotated[
    str | None, typer.Option(help="The kind of register; by default it is recognised.")
]


@register_app.command()
def info(
    files: Annotated[
        list[Path] | None, typer.Argument(help="The files of one register; without, all kinds.")
    ] = None,
    kind: KindOption = None,
) -> None:
    """Show what a register holds and what became of its records; or list all kinds."""
    if not files:
        for name, row in registers().iterrows():
            typer.echo(f"{name!s}: {row.title}")
            typer.echo(f"  countries {row.countries or 'any'}; {row.formats}; {row.licence}")
        return
    points = read_register(files, kind, evses=True)
    facts = points.attrs["ocm"]
    _print_text(f"{facts['register']}: {facts['attribution']}, {facts['licence']}")
    date, countries = facts.get("data_date", "not known"), facts.get("covers", "not known")
    _print_text(f"data of {date}; countries {countries}")
    report = facts["report"]
    unit = "stations" if report["unit"] == "station" else "charging points"
    _print_text(
        f"read {report['n_read']:,} {unit}: kept {report['n_kept']:,}, "
        f"rejected {report['n_rejected']:,}"
    )
    for name, value in report.items():
        if isinstance(value, dict):
            for reason, n in value.items():
                _print_text(f"  {_TITLES.get(name, name)} {n:,}: {reason}")
        elif name.startswith("n_") and name not in _SHOWN and value is not None:
            _print_text(f"  {name.removeprefix('n_').replace('_', ' ')} {value:,}")


_SHOWN = ("n_read", "n_kept", "n_rejected")
_TITLES = {"reasons": "rejected", "missing": "made missing", "unknown_codes": "unknown"}


@register_app.command()
def convert(
    files: FilesArgument,
    output: Annotated[
        Path, typer.Option("--output", "-o", help=".parquet, .gpkg, .geojson, .kml, .csv or .xlsx")
    ],
    kind: KindOption = None,
    *,
    evses: Annotated[
        bool, typer.Option("--evses", help="Charging points instead of stations.")
    ] = False,
) -> None:
    """Write the stations of a register, or its charging points, into a file."""
    table = read_register(files, kind, evses=evses)
    write(table, output)
    _print_text(f"{len(table):,} {'charging points' if evses else 'stations'} written to {output}")


def _print_text(text: str) -> None:
    """Print a text without control characters: operators choose names."""
    typer.echo("".join(sign if sign.isprintable() else "?" for sign in text))
