"""Registers on their way into a mirror: the tables as the builder of snapshots takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.errors import RegisterError
from ocm_geo.reference.own import own_id
from ocm_geo.registers.reading import load_register, shorten_report, warn_of_register
from ocm_geo.sources.plugged import RegisterIntake
from ocm_geo.sources.tables import Parsed

if TYPE_CHECKING:
    import pyarrow as pa

    from ocm_geo.registers.building import Built
    from ocm_geo.registers.catalogue import Kind
    from ocm_geo.sources.account import Account

__all__ = ["open_batches"]


def open_batches(kind: str, data: Any, account: Account) -> RegisterIntake:  # noqa: ANN401 - paths
    """
    Read a register for a mirror.

    Parameters
    ----------
    kind : str
        The kind of register.
    data : path or iterable of paths
        Its files.
    account : Account
        Takes what is found out about them.

    Returns
    -------
    RegisterIntake
        One batch with all stations.

    Raises
    ------
    RegisterError
        If the files are not that register, or state no positions.
    """
    built, found, own_account = load_register(data, kind)
    if built.report.get("without_positions"):
        raise RegisterError(
            f"{kind}: the files state no positions of stations, which a mirror needs; pass the "
            "static file too"
        )
    account.cut.update(own_account.cut)
    warn_of_register(built)
    facts = {
        "kind": found.name,
        "licence": found.licence,
        "text_ids": not pd.api.types.is_integer_dtype(built.ids.dtype),
        "report": shorten_report(built.report),
    }
    batch = _make_batch(built, found)
    return RegisterIntake(iter([batch]), found.attribution, built.data_date, facts)


def _make_batch(built: Built, kind: Kind) -> Parsed:
    """Make one batch of all stations; every one of them is told by its id."""
    n = len(built.ids)
    return Parsed(
        stations=built.stations,
        connections=built.connections,
        n_read=n + len(built.rejects),
        rejects=tuple(built.rejects),
        coerced={name: count for name, count in built.report["missing"].items() if count},
        harvest={"operators": _list_operators(built.stations), **_list_provider(kind)},
        origins=[kind.name] * n,
        positions=np.arange(n),
        n_connections=built.counts,
    )


def _list_operators(stations: pa.Table) -> dict[int, dict[str, Any]]:
    """Return the operators of a register as reference objects."""
    pairs = stations.select(["operator_id", "operator_reference"]).to_pandas().drop_duplicates()
    known = pairs.dropna()
    return {
        int(number): {"ID": int(number), "Title": name}
        for number, name in known.itertuples(index=False)
    }


def _list_provider(kind: Kind) -> dict[str, dict[int, dict[str, Any]]]:
    """Return the register itself as a data provider with its licence."""
    number = own_id(kind.attribution)
    facts = {"ID": number, "Title": kind.attribution, "License": kind.licence,
             "IsOpenDataLicensed": kind.is_open}  # fmt: skip
    return {"data_providers": {number: facts}}
