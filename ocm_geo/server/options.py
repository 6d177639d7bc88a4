"""How a mirror is served: which manner, for whom, and within which limits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from ocm_geo.checks import check_choice, check_whole, short_form
from ocm_geo.errors import QueryError
from ocm_geo.server.trouble import Trouble

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["LOOPBACK", "MANNERS", "Manner", "ServerOptions"]

Manner: TypeAlias = Literal["exact", "ocm"]
MANNERS = ("exact", "ocm")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True)
class ServerOptions:
    """
    How a mirror is served.

    Parameters
    ----------
    manner : {"exact", "ocm"}
        ``exact``: what was asked for, correctly; a bad parameter is an error. ``ocm``: as Open
        Charge Map's own server answers, with its faults.
    keys : tuple of str
        Accepted keys (header ``X-API-Key`` or parameter ``key``); empty: no key is needed.
    max_per_minute : int, optional
        Requests that one address may send per minute; more are answered with 429.
    origins : tuple of str
        Web origins whose pages may read answers (CORS); ``"*"`` for all.
    hosts : tuple of str
        Names under which the server may be asked; loopback names by default, so that no web page
        reaches it through a name of its own. ``"*"`` for all.
    gzip : bool
        Compress answers for clients that accept it.
    max_stations : int, optional
        Largest answer of manner ``exact``, stations.
    max_body_bytes : int
        Largest request body.
    trouble : Trouble
        Failures on demand.
    outbox : pathlib.Path, optional
        Folder of the comments that were submitted; ``outbox`` in the mirror by default.

    Raises
    ------
    QueryError
        If a value cannot be meant.
    """

    manner: Manner = "exact"
    keys: tuple[str, ...] = ()
    max_per_minute: int | None = None
    origins: tuple[str, ...] = ()
    hosts: tuple[str, ...] = LOOPBACK
    gzip: bool = False
    max_stations: int = 100_000
    max_body_bytes: int = 64_000
    trouble: Trouble = field(default_factory=Trouble)
    outbox: Path | None = None

    def __post_init__(self) -> None:
        check_choice(self.manner, "manner", MANNERS)
        for name in ("max_per_minute", "max_stations", "max_body_bytes"):
            value = getattr(self, name)
            if value is not None and check_whole(value, name) < 1:
                raise QueryError(f"{name} must be 1 or more, not {value}")
        for key in self.keys:
            if not key.strip() or not key.isascii():
                raise QueryError(f"{short_form(key)} cannot be a key: it must be ASCII text")
