"""Readers of registers, which a layer above offers: how their stations come into a mirror.

`ocm_geo.registers` reads the formats and stands above the mirrors, so it hands its reader over.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    import pandas as pd

    from ocm_geo.sources.account import Account
    from ocm_geo.sources.loaded import LoadedSnapshot
    from ocm_geo.sources.tables import Parsed

__all__ = ["RegisterIntake", "name_ids", "offer_reader", "open_register"]


@dataclass(frozen=True)
class RegisterIntake:
    """
    A register on its way into a mirror.

    Parameters
    ----------
    batches : iterator of Parsed
        Its stations.
    attribution : str
        Whom to credit.
    data_date : str
        What the register says of its date; empty where it says nothing.
    facts : dict
        What the manifest keeps: the kind, the licence, whether ids are texts, the account.
    """

    batches: Iterator[Parsed]
    attribution: str
    data_date: str
    facts: dict[str, Any]


_readers: list[Callable[[str, Any, Account], RegisterIntake]] = []


def offer_reader(read: Callable[[str, Any, Account], RegisterIntake]) -> None:
    """Take the reader of registers; the last one counts."""
    _readers[:] = [read]


def open_register(kind: str, data: Any, account: Account) -> RegisterIntake:  # noqa: ANN401 - paths
    """
    Open the files of a register.

    Parameters
    ----------
    kind : str
        The kind of register, as `ocm_geo.registers` lists them.
    data : path or iterable of paths
        Its files.
    account : Account
        Takes what is found out about them.

    Returns
    -------
    RegisterIntake
        The register.
    """
    return _readers[0](kind, data, account)


def name_ids(loaded: LoadedSnapshot, ids: Iterable[int]) -> pd.Index[Any] | None:
    """
    Return the ids that a register gives its stations.

    Parameters
    ----------
    loaded : LoadedSnapshot
        A snapshot.
    ids : iterable of int
        Numbers of its stations.

    Returns
    -------
    pandas.Index or None
        Their ids, named ``station_id``; None for stations of Open Charge Map.
    """
    import pandas as pd  # noqa: PLC0415 - used here alone

    facts = loaded.manifest.get("register")
    if facts is None:
        return None
    numbers = pd.Index(ids)
    if not facts["text_ids"]:
        return numbers.rename("station_id")
    names = loaded.rows["provider_reference"].to_pandas().set_axis(loaded.ids)
    texts: pd.Index[Any] = pd.Index(names.reindex(numbers).astype("str"), name="station_id")
    return texts
