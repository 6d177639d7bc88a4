"""How alike names are: cosine similarity of their letter triples, rare ones counting more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["TextIndex"]

_SPACE = 32
_BLOCK = 200_000


class TextIndex:
    """
    Texts of two tables, prepared to compare pairs of them.

    A text is the set of the letter triples of its words (the space before and after a word
    counts), so that word order does not matter and a misspelt letter costs little. A triple that
    occurs in a share p of all texts has the weight -ln p (inverse document frequency; Salton and
    Buckley 1988), so that "charging station" counts less than "Knuvelkes".

    Parameters
    ----------
    some, others : sequence of str
        Folded texts of the two tables.
    """

    def __init__(self, some: Sequence[str], others: Sequence[str]) -> None:
        # Texts compared with themselves are prepared once: it leaves the shares as they are.
        texts = some if others is some else [*some, *others]
        rows, triples = _list_triples(texts)
        distinct, columns = np.unique(triples, return_inverse=True)
        n_texts = len(texts)
        weight = -np.log(np.bincount(columns, minlength=len(distinct)) / max(n_texts, 1))
        matrix: sparse.csr_array[Any, Any] = sparse.csr_array(
            (weight[columns], (rows, columns)), (n_texts, len(distinct))
        )
        length = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
        scaled = sparse.diags_array(1 / np.where(length > 0, length, 1)) @ matrix
        self._some, self._others = scaled[: len(some)], scaled[n_texts - len(others) :]

    def compare(self, first: NDArray[np.intp], second: NDArray[np.intp]) -> NDArray[np.float64]:
        """
        Compare pairs of texts.

        Parameters
        ----------
        first, second : numpy.ndarray of int, shape (n,)
            Rows in the two tables.

        Returns
        -------
        numpy.ndarray, shape (n,)
            Cosine similarity, 0 to 1; NaN where a text is empty.
        """
        found = np.empty(len(first))
        for start in range(0, len(first), _BLOCK):
            rows = slice(start, start + _BLOCK)
            a, b = self._some[first[rows]], self._others[second[rows]]
            found[rows] = np.asarray(a.multiply(b).sum(axis=1)).ravel()
            is_empty = (np.diff(a.indptr) == 0) | (np.diff(b.indptr) == 0)
            found[rows][is_empty] = np.nan
        return found


def _list_triples(texts: Sequence[str]) -> tuple[NDArray[np.intp], NDArray[np.int64]]:
    """Return the distinct letter triples of texts, as numbers, with the row of each."""
    padded = [f" {text} ".encode() for text in texts]
    letters = np.frombuffer(b"".join(padded), dtype=np.uint8).astype(np.int64)
    lengths = np.fromiter(map(len, padded), dtype=np.intp, count=len(padded))
    row = np.repeat(np.arange(len(texts)), lengths)
    if len(letters) < 3:  # noqa: PLR2004 - a triple
        return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.int64)
    triple = letters[:-2] << 16 | letters[1:-1] << 8 | letters[2:]
    # A triple may begin or end a word, but neither span two words nor two texts.
    within = (row[:-2] == row[2:]) & (letters[1:-1] != _SPACE)
    # One number holds both: rows above, the three letters below.
    both = np.sort(row[:-2][within] << 24 | triple[within])
    both = both[np.append(True, both[1:] != both[:-1])[: len(both)]]
    return (both >> 24).astype(np.intp), both & 0xFFFFFF
