"""Whether what was read may become the mirror, and what the user must be told of it."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ocm_geo.errors import (
    DroppedRows,
    MirrorError,
    MirrorShrunk,
    SuspectInput,
    UnknownCode,
)
from ocm_geo.query import published_mask
from ocm_geo.schema import to_pandas
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.countries import count_by_country

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from ocm_geo.reference import ReferenceData
    from ocm_geo.sources.account import Account
    from ocm_geo.sources.gathering import Gathered

__all__ = ["check_content", "count_content", "count_unnamed", "tell_user"]

_UNKNOWN_OPERATOR = 1
_LEVEL = 4
"""Of the stack above a warning: the caller of `Mirror.build`."""

_STATUSES = ["submission_status_id", "status_type_id"]
_NAMED = 3


def count_content(
    gathered: Gathered, chosen: NDArray[np.int64], account: Account
) -> tuple[disk.ImportReport, list[dict[str, Any]]]:
    """
    Count what is to be kept.

    Parameters
    ----------
    gathered : Gathered
        What was read.
    chosen : numpy.ndarray of int
        Positions of the stations to keep.
    account : Account
        What was found out about the files.

    Returns
    -------
    report : ImportReport
        The counts.
    countries : list of dict
        The stations of each country, as `count_by_country` returns them.
    """
    columns = {
        name: gathered.stations.column(name).take(pa.array(chosen))
        for name in [*_STATUSES, "country_code", "lon", "lat"]
    }
    frame = to_pandas(pa.table({name: columns[name] for name in [*_STATUSES, "country_code"]}))
    published = published_mask(frame)
    shown = chosen[published]
    report = disk.ImportReport(
        n_read=gathered.n_read,
        n_kept=len(chosen),
        n_rejected=gathered.n_rejected,
        n_connections=gathered.count_connections(chosen),
        n_published=len(shown),
        n_published_connections=gathered.count_connections(shown),
        n_without_status=int(frame["submission_status_id"].isna().sum()),
        reasons=dict(gathered.reasons),
        coerced=dict(gathered.coerced),
        cut=dict(account.cut),
    )
    lon, lat = (columns[name].to_numpy() for name in ("lon", "lat"))
    return report, count_by_country(frame["country_code"], published, lon, lat)


def check_content(
    root: Path, report: disk.ImportReport, account: Account, *, force: bool = False
) -> None:
    """
    Refuse a snapshot that would make the mirror worse.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.
    report : ImportReport
        What was read.
    account : Account
        What was found out about the files.
    force : bool
        Allow it.

    Raises
    ------
    MirrorError
        If there is nothing to keep.
    MirrorShrunk
        If less than half of the stations of the current snapshot would be left.
    """
    if force:
        return
    old = _read_old_report(root)
    if not report.n_kept:
        kind = MirrorShrunk if old is not None and old.n_kept else MirrorError
        raise kind(
            f"nothing to keep in {_join_file_names(account.n_read or ['the data'])}: "
            f"{_explain_rejects(report)}{_join_hints(account)}; the mirror {root} was not changed "
            "(force=True or --force allows a mirror without stations)"
        )
    for name in ("n_kept", "n_published") if old is not None else ():
        before, after = getattr(old, name), getattr(report, name)
        if 2 * after < before:
            what = "stations" if name == "n_kept" else "published stations"
            raise MirrorShrunk(
                f"the mirror {root} has {before:,} {what} and {after:,} would be left, from "
                f"{_join_file_names(account.n_read or ['the data'])}{_join_hints(account)}: it was "
                "not changed. Are the data complete, and of the same countries? force=True or "
                "--force builds the mirror all the same"
            )


def _read_old_report(root: Path) -> disk.ImportReport | None:
    """Read the counts of the current snapshot; None if there is none that can be used."""
    try:
        return disk.ImportReport(**disk.open_manifest(root, None)[1]["report"])
    except MirrorError:
        # The new one cannot be worse.
        return None


def _explain_rejects(report: disk.ImportReport) -> str:
    """Return why no record could be kept, the commonest reasons first."""
    if not report.n_read:
        return "it contains no record"
    reasons = Counter(report.reasons).most_common(_NAMED)
    told = ", ".join(f"{n:,} x {reason}" for reason, n in reasons)
    return f"no record of {report.n_read:,} is a station ({told})"


def _join_hints(account: Account) -> str:
    kinds = [f"; {file} {kind}" for file, kind in account.kinds.items()]
    return "".join((kinds + [f"; {file} {why}" for file, why in account.cut.items()])[:_NAMED])


def _join_file_names(names: Iterable[str]) -> str:
    """Return the first names of files, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - _NAMED} more files" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more


def count_unnamed(
    gathered: Gathered, chosen: NDArray[np.int64], reference: ReferenceData
) -> tuple[int, int]:
    """
    Count the operators of which no name is known.

    Parameters
    ----------
    gathered : Gathered
        What was read.
    chosen : numpy.ndarray of int
        Positions of the stations to keep.
    reference : ReferenceData
        The names.

    Returns
    -------
    n_operators, n_stations : int
        Operators without a name, and their stations.
    """
    ids = gathered.stations.column("operator_id").take(pa.array(chosen)).drop_null().to_numpy()
    titles = reference.titles("operators").dropna()
    unnamed = ids[~np.isin(ids, titles.index.to_numpy()) & (ids > _UNKNOWN_OPERATOR)]
    return len(np.unique(unnamed)), len(unnamed)


def tell_user(root: Path, gathered: Gathered, account: Account, unnamed: tuple[int, int]) -> None:
    """
    Warn of what the mirror lacks.

    Parameters
    ----------
    root : pathlib.Path
        The mirror.
    gathered : Gathered
        What was read.
    account : Account
        What was found out about the files.
    unnamed : tuple of int
        What `count_unnamed` returned.
    """
    for file, why in account.cut.items():
        warnings.warn(
            f"{file} {why}: the mirror {root} holds what came before, and is marked as not "
            "complete; download the file again",
            DroppedRows,
            stacklevel=_LEVEL,
        )
    for file, n_read in account.n_read.items():
        if n_read and gathered.rejected_from[file] == n_read:
            kind = f": it {account.kinds[file]}" if file in account.kinds else ""
            warnings.warn(
                f"no record of {file} could be kept ({n_read:,} rejected){kind}",
                DroppedRows,
                stacklevel=_LEVEL,
            )
    for note in account.notes:
        warnings.warn(note, SuspectInput, stacklevel=_LEVEL)
    if unnamed[0]:
        warnings.warn(
            f"operators without a name in the reference data: {unnamed[0]:,}, of "
            f"{unnamed[1]:,} stations; pass reference= (on the command line: --reference) with a "
            "newer referencedata.json, as https://api.openchargemap.io/v3/referencedata or the "
            "repository openchargemap/ocm-export has it",
            UnknownCode,
            stacklevel=_LEVEL,
        )
