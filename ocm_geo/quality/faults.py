"""The faults that `check_stations` finds, as data: definition, severity, source, what is done."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Container

__all__ = ["ACTIONS", "POLICIES", "lacks_columns", "quality_checks"]

POLICIES = ("none", "research", "strict")
"""The policies of `clean`; ``none`` keeps everything."""

ACTIONS = {
    "keep": "nothing",
    "drop": "the row is dropped",
    "one": "of the rows of one station, the one with the fewest faults is kept",
    "swap": "longitude and latitude are exchanged",
    "unset": "the power of those connections becomes missing",
}
"""What a policy does with a fault."""


def quality_checks() -> pd.DataFrame:
    """
    Return the definitions of the faults that `check_stations` finds.

    Returns
    -------
    pandas.DataFrame
        Index ``fault``, in the order of the columns of `check_stations`; ``severity``
        (``error``: the record cannot be right or is not a station; ``warning``: it should not
        count without a closer look; ``note``: a limit of the data), ``needs`` (the columns that
        the check reads; of those joined by ``|`` one is enough), ``research`` and ``strict`` (what
        the policies of `clean` do: ``keep``, ``drop``, ``one``, ``swap`` or ``unset``),
        ``definition`` and ``source``.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ocm.quality_checks().loc["stale", "severity"]
    'warning'
    """
    return _load_faults().copy()


@cache
def _load_faults() -> pd.DataFrame:
    with (files("ocm_geo.quality") / "faults.csv").open(encoding="utf-8") as stream:
        return pd.read_csv(stream, index_col="fault", dtype="string", keep_default_na=False)


def lacks_columns(needs: str, columns: Container[str]) -> bool:
    """Return whether a table lacks the columns that a check reads."""
    return not all(any(name in columns for name in part.split("|")) for part in needs.split())
