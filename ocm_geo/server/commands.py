"""The commands of the server: ``ocm-geo mirror serve`` and ``ocm-geo mirror outbox``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ocm_geo.checks import check_choice
from ocm_geo.server.options import LOOPBACK, MANNERS, ServerOptions
from ocm_geo.server.outbox import Outbox
from ocm_geo.server.running import find_outbox, serve_mirror
from ocm_geo.server.trouble import Trouble
from ocm_geo.sources.api import BASE_URL, OpenChargeMap
from ocm_geo.sources.mirror import Mirror
from ocm_geo.sources.sample import sample

if TYPE_CHECKING:
    from ocm_geo.server.outbox import Letter

__all__ = ["outbox_app", "serve"]

outbox_app = typer.Typer(
    help="Comments that were submitted to a served mirror.", no_args_is_help=True
)

MirrorPath = Annotated[Path, typer.Argument(help="Folder of the mirror, or 'sample'.")]
OutboxOption = Annotated[
    Path | None, typer.Option("--outbox", help="Folder of the comments; in the mirror by default.")
]


def _open_mirror(path: Path) -> Mirror:
    """Open a mirror, or the bundled sample."""
    return sample() if str(path) == "sample" else Mirror(path)


def serve(
    path: MirrorPath,
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.")] = 8800,
    host: Annotated[
        str, typer.Option(help="Address to listen at; by default this machine alone can ask.")
    ] = "127.0.0.1",
    manner: Annotated[
        str,
        typer.Option(help="exact: what was asked for, correctly. ocm: with the faults of OCM."),
    ] = "exact",
    trouble: Annotated[
        str, typer.Option(help="Failures on demand, e.g. 429:0.1,empty:0.05,cut:0.02,slow:2s.")
    ] = "",
    seed: Annotated[int | None, typer.Option(help="Makes the failures repeatable.")] = None,
    require_key: Annotated[
        list[str] | None, typer.Option(help="Answer only who sends this key; repeat for more.")
    ] = None,
    max_per_minute: Annotated[
        int | None, typer.Option(help="Requests that one address may send per minute.")
    ] = None,
    cors: Annotated[
        list[str] | None,
        typer.Option(help="Web origin whose pages may read answers, or '*'; repeat for more."),
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(help="Name that the server is asked under; repeat for more.")
    ] = None,
    gzip: Annotated[bool, typer.Option("--gzip", help="Compress answers.")] = False,  # noqa: FBT002
    max_stations: Annotated[
        int, typer.Option(help="Largest answer of manner exact, stations.")
    ] = 100_000,
    outbox: OutboxOption = None,
) -> None:
    """Serve a mirror as version 3 of the Open Charge Map API, until Ctrl+C."""
    options = ServerOptions(
        manner=check_choice(manner, "manner", MANNERS),  # type: ignore[arg-type] # checked
        keys=tuple(require_key or ()),
        max_per_minute=max_per_minute,
        origins=tuple(cors or ()),
        hosts=(*LOOPBACK, *(allow_host or ())),
        gzip=gzip,
        max_stations=max_stations,
        trouble=Trouble.parse(trouble, seed=seed),
        outbox=outbox,
    )
    serve_mirror(_open_mirror(path), port, host=host, options=options, block=True)


@outbox_app.command("list")
def list_outbox(path: MirrorPath, outbox: OutboxOption = None) -> None:
    """List the submitted comments and what became of them."""
    letters = Outbox(find_outbox(_open_mirror(path), outbox)).list_letters()
    for letter in letters:
        _echo_line(_describe_letter(letter))
    _echo_line(f"{len(letters)} comments")


@outbox_app.command("send")
def send_outbox(
    path: MirrorPath,
    outbox: OutboxOption = None,
    base_url: Annotated[str, typer.Option(help="Address of the API.")] = BASE_URL,
    email: Annotated[
        str | None,
        typer.Option(help="Account of openchargemap.org to sign in with; its password is asked."),
    ] = None,
) -> None:
    """Send the waiting comments to Open Charge Map, each at most once."""
    api = OpenChargeMap(base_url=base_url)
    if email is not None:
        # Never an option: the list of processes and the shell's history would show it.
        api.authenticate(email, typer.prompt("Password", hide_input=True))
    report = Outbox(find_outbox(_open_mirror(path), outbox)).send(api)
    for name, reason in report.refused.items():
        _echo_line(f"{name} was refused and waits: {reason}")
    for name, reason in report.uncertain.items():
        _echo_line(f"{name} may have arrived and is not sent again: {reason}")
    _echo_line(f"{report.n_sent} comments sent")
    if report.refused or report.uncertain:
        raise typer.Exit(1)


def _describe_letter(letter: Letter) -> str:
    """Describe a comment in one line."""
    fields = letter.comment
    return (
        f"{letter.received} {letter.state}: station {fields.get('ChargePointID')}, type "
        f"{fields.get('CommentTypeID')}, check-in {fields.get('CheckinStatusTypeID')}: "
        f"{fields.get('Comment') or ''}"
    )


def _echo_line(text: str) -> None:
    """Print a line without signs that a terminal obeys: contributors wrote the comments."""
    typer.echo("".join(sign if sign.isprintable() else "?" for sign in text))
