"""Evidence from operators: names, brands in titles, and which names go together in two tables."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ocm_geo.quality.evidence import Candidates
    from ocm_geo.quality.traits import Traits

__all__ = ["LIMIT", "OperatorPairs", "read_brands", "weigh_brands"]

LIMIT = (-4.0, 5.0)
"""Least and greatest log-likelihood ratio of operators: no name alone decides."""

_SAME_LIMIT = 4.0
_PSEUDO_PAIRS = 2.0
"""Pairs that an operator is taken to have had before any were seen, spread by the shares."""
_SAME_BRAND, _OTHER_BRAND = 3.0, -2.5
_LEAST_LETTERS, _LEAST_TITLES, _LEAST_SHARE = 3, 3, 0.7


class OperatorPairs:
    """
    Operators of candidate pairs, and what they say.

    Two registers name one company differently ("Shell Recharge", "NewMotion"), or by a number
    alone. Which names go together is learned from the pairs that are matched: an operator of one
    table whose stations are matched to those of one operator of the other, more often than that
    operator's share, is taken for the same; the others become less likely.

    Parameters
    ----------
    some, others : Traits
        The stations of two tables.
    pairs : Candidates
        Pairs of them.
    """

    def __init__(self, some: Traits, others: Traits, pairs: Candidates) -> None:
        names = np.concatenate([some.operators, others.operators])
        found, distinct = pd.factorize(names)
        codes = np.where(names == "", -1, np.asarray(found, dtype=np.intp))
        first, second = codes[: len(some)], codes[len(some) :]
        self._n_codes = len(distinct)
        self._first, self._second = first[pairs.first], second[pairs.second]
        self._share_first = self._find_shares(first[np.unique(pairs.first)])
        self._share_second = self._find_shares(second[np.unique(pairs.second)])
        self._known = (self._first >= 0) & (self._second >= 0)
        self._same: NDArray[np.bool_] = self._known & (self._first == self._second)

    def _find_shares(self, codes: NDArray[np.intp]) -> NDArray[np.float64]:
        """Return the share of the stations that each operator has."""
        counts = np.bincount(codes[codes >= 0], minlength=self._n_codes).astype(np.float64)
        shares: NDArray[np.float64] = counts / max(counts.sum(), 1.0)
        return shares

    @property
    def same(self) -> NDArray[np.bool_]:
        """Return whether both operators are known and have one name."""
        return self._same

    def weigh(self, matched: NDArray[np.intp]) -> NDArray[np.float64]:
        """
        Weigh the operators of all pairs by those of the pairs matched so far.

        Parameters
        ----------
        matched : numpy.ndarray of int
            Positions of the matched pairs.

        Returns
        -------
        numpy.ndarray, shape (n,)
            Log-likelihood ratios; 0 where an operator is unknown.
        """
        weight = np.zeros(len(self._first))
        rows = np.flatnonzero(self._known & ~self._same)
        weight[rows] = self._weigh_learned(matched, rows)
        # Agreement on a rare company says more than on one that has half of all stations.
        share = self._share_second[self._second[self._same]]
        weight[self._same] = np.minimum(-np.log(np.maximum(share, 1e-9)), _SAME_LIMIT)
        return weight

    def _weigh_learned(
        self, matched: NDArray[np.intp], rows: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        """Return the ratio of seen to expected matches of two operators, from both sides."""
        taught = matched[self._known[matched]]
        a, b = self._first[taught], self._second[taught]
        counts = pd.Series(a * self._n_codes + b).value_counts()
        n_a, n_b = (np.bincount(c, minlength=self._n_codes) for c in (a, b))
        p, q = self._first[rows], self._second[rows]
        seen = counts.reindex(p * self._n_codes + q).fillna(0).to_numpy(dtype=np.float64)
        share_p, share_q = self._share_first[p], self._share_second[q]
        from_a = (seen + _PSEUDO_PAIRS * share_q) / (n_a[p] + _PSEUDO_PAIRS) / share_q
        from_b = (seen + _PSEUDO_PAIRS * share_p) / (n_b[q] + _PSEUDO_PAIRS) / share_p
        learned: NDArray[np.float64] = np.log(from_a * from_b) / 2
        return learned


def read_brands(some: Traits, others: Traits) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """
    Read the brand of each station from its operator, or else from its title.

    A word of an operator's name is a brand if the titles that hold it are, where their operator
    is known, nearly all of that operator: "Fastned" is, "charging" and "Amsterdam" are not.

    Parameters
    ----------
    some, others : Traits
        The stations of two tables.

    Returns
    -------
    first, second : numpy.ndarray of str
        One brand a station; empty where none is known.
    """
    tables = [_count_names(some)] * 2 if others is some else list(map(_count_names, (some, others)))
    words = {pair: _list_words(*pair) for table in tables for pair in table}
    seen: Counter[str] = Counter()
    agree: Counter[str] = Counter()
    vocabulary = {word for _, owner in words.values() for word in owner}
    for pair, n in (item for table in tables for item in table.items()):
        title, owner = words[pair]
        for word in title & vocabulary if owner else ():
            seen[word] += n
            agree[word] += n * (word in owner)
    brands = {
        word: agree[word]
        for word in agree
        if agree[word] >= _LEAST_TITLES and agree[word] / seen[word] >= _LEAST_SHARE
    }
    chosen = {pair: _choose_brand(*words[pair], brands) for pair in words}
    first, second = (
        np.array([chosen[pair] for pair in _list_operator_names(stations)], dtype=object)
        for stations in (some, others)
    )
    return first, second


def weigh_brands(
    brands: tuple[NDArray[np.object_], NDArray[np.object_]], pairs: Candidates
) -> NDArray[np.float64]:
    """
    Weigh the brands of pairs.

    Parameters
    ----------
    brands : tuple of numpy.ndarray of str
        Brands of the stations of two tables.
    pairs : Candidates
        Pairs of them.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Log-likelihood ratios; 0 where a brand is unknown.
    """
    a, b = brands[0][pairs.first], brands[1][pairs.second]
    known = (a != "") & (b != "")
    return np.where(known, np.where(a == b, _SAME_BRAND, _OTHER_BRAND), 0.0)


def _list_operator_names(stations: Traits) -> Iterator[tuple[str, str]]:
    """Return the title and the operator of each station."""
    return zip(stations.titles, stations.operators, strict=True)


def _count_names(stations: Traits) -> Counter[tuple[str, str]]:
    return Counter(_list_operator_names(stations))


def _list_words(title: str, operator: str) -> tuple[set[str], set[str]]:
    """Return the words of a title, and those of the name of an operator."""
    is_name = operator[:1] != "#"
    return set(title.split()), {
        word for word in operator.split() if len(word) >= _LEAST_LETTERS and is_name
    }


def _choose_brand(title: set[str], owner: set[str], brands: dict[str, int]) -> str:
    """Return the brand that most titles agree on; of equal ones the first by letter."""
    found = (owner & brands.keys()) or (title & brands.keys() if not owner else set())
    return min(found, key=lambda word: (-brands[word], word), default="")
