"""What is to be told about the files of an import, beside their records."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

__all__ = ["Account"]


@dataclass
class Account:
    """
    What reading found out about files.

    Parameters
    ----------
    cut : dict of str to str
        Files that end too early, and how that shows.
    notes : list of str
        What the user must know of the format of a file.
    n_read : collections.Counter
        Records met in each file; folders are not counted.
    kinds : dict of str to str
        What a file of JSON seems to hold, where it is known and is not records of Open Charge Map.
    n_unpacked : int
        Bytes that the compressed file, or the archive, that is read now has given so far.
    """

    cut: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    n_read: Counter[str] = field(default_factory=Counter)
    kinds: dict[str, str] = field(default_factory=dict)
    n_unpacked: int = 0
