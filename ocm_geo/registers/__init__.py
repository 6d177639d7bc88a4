"""Official registers of charging stations, read into the station table of the package."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ocm_geo.registers.catalogue import registers
from ocm_geo.registers.reading import read_register
from ocm_geo.sources.plugged import offer_reader

if TYPE_CHECKING:
    from ocm_geo.sources.account import Account
    from ocm_geo.sources.plugged import RegisterIntake

__all__ = ["read_register", "registers"]


def _open_for_mirror(kind: str, data: Any, account: Account) -> RegisterIntake:  # noqa: ANN401
    """Read a register for a mirror; what that needs is loaded with the first one."""
    from ocm_geo.registers.batches import open_batches  # noqa: PLC0415

    return open_batches(kind, data, account)


offer_reader(_open_for_mirror)
