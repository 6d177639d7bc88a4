"""A progress bar for long readings and downloads."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["tell_progress", "with_progress"]

_Part = TypeVar("_Part")


def with_progress(
    parts: Iterable[_Part], text: str, count: Callable[[_Part], int]
) -> Iterator[_Part]:
    """
    Yield parts, and show a bar with the number of records so far after two seconds.

    Parameters
    ----------
    parts : iterable
        Pages or batches.
    text : str
        What is done, in front of the bar.
    count : callable
        Returns the number of records of a part.

    Yields
    ------
    object
        Each part.
    """
    from tqdm.auto import tqdm  # noqa: PLC0415 - loaded when needed

    with tqdm(desc=text, unit=" records", delay=2, leave=False) as bar:
        for part in parts:
            bar.update(count(part))
            yield part


def tell_progress(text: str) -> None:
    """
    Show a line on the standard error, past the progress bars.

    Parameters
    ----------
    text : str
        The line.
    """
    import sys  # noqa: PLC0415 - used here alone

    from tqdm.auto import tqdm  # noqa: PLC0415 - loaded when needed

    tqdm.write(text, file=sys.stderr)
