"""Location problems on sparse gains: exact, or greedy, each with a bound.

A problem is a list of pairs: candidate j would give place i a gain, and each place takes the best
of the chosen ones. Maximal covering (gains all or nothing) and the p-median (gains of nearness)
are both of this form. Their value is monotone and submodular, so that greedy reaches at least
1 - 1/e of the best (Nemhauser, Wolsey & Fisher 1978), and marginal gains bound what is possible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ocm_geo.access.solvers import Program, solve

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

    from ocm_geo.access.catchments import Positions
    from ocm_geo.access.solvers import Answer, Limits

__all__ = ["Gains", "Solution", "best_gains", "cover_all", "greedy_cover", "greedy_gains"]

_WHOLE = 1e-6
_CHOSEN = 0.5
"""Solvers may leave a choice a hair beside 0 or 1."""


class Gains(NamedTuple):
    """
    What candidates would give to places; one value a pair.

    Parameters
    ----------
    place, candidate : numpy.ndarray of int
        Positions.
    gain : numpy.ndarray of float
        Above 0.
    n_places, n_candidates : int
        How many there are.
    """

    place: Positions
    candidate: Positions
    gain: NDArray[np.float64]
    n_places: int
    n_candidates: int

    def marginal(self, taken: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Say what each candidate would add to what places have.

        Parameters
        ----------
        taken : numpy.ndarray
            Gain of each place already.

        Returns
        -------
        numpy.ndarray
            One value a candidate.
        """
        more = np.maximum(self.gain - taken[self.place], 0.0)
        return np.bincount(self.candidate, more, minlength=self.n_candidates)

    def take(self, taken: NDArray[np.float64], candidate: int) -> None:
        """
        Choose a candidate: places take its gain where it is better.

        Parameters
        ----------
        taken : numpy.ndarray
            Gain of each place, changed in place.
        candidate : int
            Which.
        """
        rows = self.candidate == candidate
        places = self.place[rows]
        taken[places] = np.maximum(taken[places], self.gain[rows])


class Solution(NamedTuple):
    """
    What was found.

    Parameters
    ----------
    chosen : numpy.ndarray of int
        Candidates.
    value : float
        Total gain, or the number of sites.
    bound : float
        No solution is better than this.
    status : str
        ``optimal``, ``time limit`` or ``greedy``.
    """

    chosen: NDArray[np.intp]
    value: float
    bound: float
    status: str


def greedy_gains(gains: Gains, n_sites: int, among: NDArray[np.intp] | None = None) -> Solution:
    """
    Choose one after the other the candidate that adds most.

    Parameters
    ----------
    gains : Gains
        The problem.
    n_sites : int
        How many.
    among : numpy.ndarray of int, optional
        Choose only from these: their order by what they add.

    Returns
    -------
    Solution
        At least 1 - 1/e of the best. The bound: whatever is chosen, the best n others add at
        most the sum of their marginal gains.
    """
    taken = np.zeros(gains.n_places)
    free = np.ones(gains.n_candidates, dtype=bool)
    if among is not None:
        free[:] = False
        free[among] = True
    chosen: list[int] = []
    bound = np.inf
    for _ in range(n_sites + 1):
        more = gains.marginal(taken)
        bound = min(bound, float(taken.sum() + np.sort(more)[-n_sites:].sum()))
        if len(chosen) < n_sites:
            chosen.append(int(np.argmax(np.where(free, more, -1.0))))
            free[chosen[-1]] = False
            gains.take(taken, chosen[-1])
    return Solution(np.array(chosen, dtype=np.intp), float(taken.sum()), bound, "greedy")


def best_gains(gains: Gains, n_sites: int, *, all_or_nothing: bool, limits: Limits) -> Solution:
    """
    Choose the candidates with the most gain together, exactly.

    Parameters
    ----------
    gains : Gains
        The problem.
    n_sites : int
        How many.
    all_or_nothing : bool
        Whether a place gains the same from any candidate, which makes the model smaller.
    limits : Limits
        By which solver, and how long.

    Returns
    -------
    Solution
        The best; where time runs out the better of the solver's and the greedy one, with the
        lower of both bounds.
    """
    program = (_covering if all_or_nothing else _assigning)(gains, n_sites)
    found, best = solve(program, limits), greedy_gains(gains, n_sites)
    bound = min(-found.bound, best.bound)
    if found.x is not None:
        exact = np.flatnonzero(found.x[: gains.n_candidates] > _CHOSEN)
        # In the order of what each adds to those before it.
        ordered = greedy_gains(gains, n_sites, exact)
        best = ordered if ordered.value >= best.value else best
    return best._replace(bound=max(bound, best.value), status=_status(found))


def cover_all(gains: Gains, *, limits: Limits) -> Solution:
    """
    Choose the fewest candidates that give every place something, exactly.

    Parameters
    ----------
    gains : Gains
        The problem; each place has a candidate.
    limits : Limits
        As for `best_gains`.

    Returns
    -------
    Solution
        Value and bound are numbers of sites.
    """
    rows = _matrix(gains.place, gains.candidate, (gains.n_places, gains.n_candidates))
    least, most = np.ones(gains.n_places), np.full(gains.n_places, np.inf)
    n = gains.n_candidates
    found, best = solve(Program(np.ones(n), rows, least, most, n), limits), greedy_cover(gains)
    bound = max(best.bound, _up(found.bound))
    if found.x is not None:
        exact = np.flatnonzero(found.x > _CHOSEN)
        if len(exact) <= len(best.chosen):
            best = Solution(exact, float(len(exact)), bound, "")
    return best._replace(bound=bound, status=_status(found))


def greedy_cover(gains: Gains) -> Solution:
    """
    Choose candidates until every place has one, each time the one with most new places.

    Parameters
    ----------
    gains : Gains
        The problem; each place has a candidate.

    Returns
    -------
    Solution
        At most H(d) = 1 + 1/2 + … + 1/d times the fewest, d the most places of a candidate
        (Chvátal 1979). The bound: the better of that and of a share of 1/d_i for each place, d_i
        the most places of a candidate that it has.
    """
    each = gains._replace(gain=np.ones(len(gains.place)))
    size = np.bincount(gains.candidate, minlength=gains.n_candidates)
    largest = np.zeros(gains.n_places)
    np.maximum.at(largest, gains.place, size[gains.candidate])
    chosen: list[int] = []
    taken = np.zeros(gains.n_places)
    while not taken.all():
        chosen.append(int(np.argmax(each.marginal(taken))))
        each.take(taken, chosen[-1])
    harmonic = (1.0 / np.arange(1, max(size, default=1) + 1)).sum()
    bound = max(len(chosen) / harmonic, (1.0 / largest).sum()) if gains.n_places else 0.0
    return Solution(np.array(chosen, dtype=np.intp), float(len(chosen)), _up(bound), "greedy")


def _covering(gains: Gains, n_sites: int) -> Program:
    """Church & ReVelle 1974: a place is covered if a candidate near it is chosen."""
    n, m = gains.n_candidates, gains.n_places
    worth = np.zeros(m)
    worth[gains.place] = gains.gain
    row = [gains.place, np.arange(m), np.full(n, m)]
    column = [gains.candidate, n + np.arange(m), np.arange(n)]
    values = [-np.ones(len(gains.place)), np.ones(m + n)]
    return Program(
        np.concatenate([np.zeros(n), -worth]),
        _matrix(
            np.concatenate(row), np.concatenate(column), (m + 1, n + m), np.concatenate(values)
        ),
        np.append(np.full(m, -np.inf), n_sites),
        np.append(np.zeros(m), n_sites),
        n,
    )


def _assigning(gains: Gains, n_sites: int) -> Program:
    """Hakimi 1964: each place belongs to one chosen candidate at most."""
    n, m, k = gains.n_candidates, gains.n_places, len(gains.gain)
    pair = np.arange(k)
    row = [gains.place, m + pair, m + pair, np.full(n, m + k)]
    column = [n + pair, n + pair, gains.candidate, np.arange(n)]
    values = [np.ones(2 * k), -np.ones(k), np.ones(n)]
    shape = (m + k + 1, n + k)
    return Program(
        np.concatenate([np.zeros(n), -gains.gain]),
        _matrix(np.concatenate(row), np.concatenate(column), shape, np.concatenate(values)),
        np.append(np.full(m + k, -np.inf), n_sites),
        np.concatenate([np.ones(m), np.zeros(k), [n_sites]]),
        n,
    )


def _matrix(
    row: NDArray[np.intp],
    column: NDArray[np.intp],
    shape: tuple[int, int],
    values: NDArray[np.float64] | None = None,
) -> csr_array:
    from scipy.sparse import csr_array  # noqa: PLC0415 - loaded when needed

    return csr_array((np.ones(len(row)) if values is None else values, (row, column)), shape=shape)


def _up(bound: float) -> float:
    """Sites are whole."""
    return float(np.ceil(bound - _WHOLE)) if bound > 0 else 0.0


def _status(found: Answer) -> str:
    return "optimal" if found.proven else "time limit"
