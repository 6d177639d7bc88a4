"""Location problems on sparse gains: exact or greedy solutions, each with a bound.

A problem is a list of pairs: choosing candidate j would give point i a gain, and each point takes
the best gain of the chosen candidates. Maximal covering (all or nothing) and the p-median (by
distance saved) both have this form. Their value is monotone and submodular. So the greedy choice
reaches at least 1 - 1/e of the optimum (Nemhauser, Wolsey & Fisher 1978), and for any chosen set
the sum of the n largest marginal gains bounds what any other n candidates can add.
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
"""Solvers may return a choice slightly off 0 or 1."""


class Gains(NamedTuple):
    """
    Gains of points from candidates; one value per pair.

    Parameters
    ----------
    place, candidate : numpy.ndarray of int
        Positions.
    gain : numpy.ndarray of float
        Above 0.
    n_places, n_candidates : int
        Number of points and of candidates.
    """

    place: Positions
    candidate: Positions
    gain: NDArray[np.float64]
    n_places: int
    n_candidates: int

    def marginal(self, taken: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Return what each candidate would add to the gains already taken.

        Parameters
        ----------
        taken : numpy.ndarray
            Gain of each point so far.

        Returns
        -------
        numpy.ndarray
            One value per candidate.
        """
        more = np.maximum(self.gain - taken[self.place], 0.0)
        return np.bincount(self.candidate, more, minlength=self.n_candidates)

    def take(self, taken: NDArray[np.float64], candidate: int) -> None:
        """
        Choose a candidate: points take its gain where it is larger.

        Parameters
        ----------
        taken : numpy.ndarray
            Gain of each point; modified in place.
        candidate : int
            Position of the candidate.
        """
        rows = self.candidate == candidate
        places = self.place[rows]
        taken[places] = np.maximum(taken[places], self.gain[rows])


class Solution(NamedTuple):
    """
    A solution and its bound.

    Parameters
    ----------
    chosen : numpy.ndarray of int
        Candidates.
    value : float
        Total gain, or the number of sites.
    bound : float
        No solution has a better value than this.
    status : str
        ``optimal``, ``time limit`` or ``greedy``.
    """

    chosen: NDArray[np.intp]
    value: float
    bound: float
    status: str


def greedy_gains(gains: Gains, n_sites: int, among: NDArray[np.intp] | None = None) -> Solution:
    """
    Choose candidates one by one, each time the one that adds most.

    Parameters
    ----------
    gains : Gains
        The problem.
    n_sites : int
        Number of candidates to choose.
    among : numpy.ndarray of int, optional
        Choose only from these, to order them by what they add.

    Returns
    -------
    Solution
        At least 1 - 1/e of the optimum. Its bound: to any chosen set, the best n others add at
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
    Choose the candidates with the largest joint gain, exactly.

    Parameters
    ----------
    gains : Gains
        The problem.
    n_sites : int
        Number of candidates to choose.
    all_or_nothing : bool
        Whether a point gains the same from any candidate, which makes the model smaller.
    limits : Limits
        The solver, and when it stops.

    Returns
    -------
    Solution
        The optimum; if time runs out the better of the solver's and the greedy solution, with
        the tighter of both bounds.
    """
    program = (_build_covering_program if all_or_nothing else _build_assigning_program)(
        gains, n_sites
    )
    found, best = solve(program, limits), greedy_gains(gains, n_sites)
    bound = min(-found.bound, best.bound)
    if found.x is not None:
        exact = np.flatnonzero(found.x[: gains.n_candidates] > _CHOSEN)
        # Ordered by what each adds to those before it.
        ordered = greedy_gains(gains, n_sites, exact)
        best = ordered if ordered.value >= best.value else best
    return best._replace(bound=max(bound, best.value), status=_describe_status(found))


def cover_all(gains: Gains, *, limits: Limits) -> Solution:
    """
    Choose the fewest candidates that cover every point, exactly.

    Parameters
    ----------
    gains : Gains
        The problem; each point has a candidate.
    limits : Limits
        As for `best_gains`.

    Returns
    -------
    Solution
        Value and bound are numbers of sites.
    """
    # Every point needs at least one of its candidates; each candidate costs 1.
    rows = _build_matrix(gains.place, gains.candidate, (gains.n_places, gains.n_candidates))
    least, most = np.ones(gains.n_places), np.full(gains.n_places, np.inf)
    n = gains.n_candidates
    found, best = solve(Program(np.ones(n), rows, least, most, n), limits), greedy_cover(gains)
    bound = max(best.bound, _round_up_bound(found.bound))
    if found.x is not None:
        exact = np.flatnonzero(found.x > _CHOSEN)
        if len(exact) <= len(best.chosen):
            best = Solution(exact, float(len(exact)), bound, "")
    return best._replace(bound=bound, status=_describe_status(found))


def greedy_cover(gains: Gains) -> Solution:
    """
    Choose candidates until every point is covered, each time the one with most new points.

    Parameters
    ----------
    gains : Gains
        The problem; each point has a candidate.

    Returns
    -------
    Solution
        At most H(d) = 1 + 1/2 + … + 1/d times the optimum, d being the largest number of points
        of a candidate (Chvátal 1979). The bound is the better of that and the sum of 1/d_i over
        the points, d_i being the largest number of points of a candidate of point i.
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
    return Solution(
        np.array(chosen, dtype=np.intp), float(len(chosen)), _round_up_bound(bound), "greedy"
    )


def _build_covering_program(gains: Gains, n_sites: int) -> Program:
    """Return the program of Church & ReVelle 1974: a point is covered by a chosen candidate."""
    # Variables: candidates (0 or 1), then covered shares of points. Rows: a point is covered at
    # most by the sum of its candidates; the number of candidates is given.
    n, m = gains.n_candidates, gains.n_places
    worth = np.zeros(m)
    worth[gains.place] = gains.gain
    row = [gains.place, np.arange(m), np.full(n, m)]
    column = [gains.candidate, n + np.arange(m), np.arange(n)]
    values = [-np.ones(len(gains.place)), np.ones(m + n)]
    return Program(
        np.concatenate([np.zeros(n), -worth]),
        _build_matrix(
            np.concatenate(row), np.concatenate(column), (m + 1, n + m), np.concatenate(values)
        ),
        np.append(np.full(m, -np.inf), n_sites),
        np.append(np.zeros(m), n_sites),
        n,
    )


def _build_assigning_program(gains: Gains, n_sites: int) -> Program:
    """Return the program of Hakimi 1964: each point is assigned to one chosen candidate."""
    # Variables: candidates (0 or 1), then the share of each pair. Rows: a point has one pair at
    # most; a pair needs its candidate; the number of candidates is given.
    n, m, k = gains.n_candidates, gains.n_places, len(gains.gain)
    pair = np.arange(k)
    row = [gains.place, m + pair, m + pair, np.full(n, m + k)]
    column = [n + pair, n + pair, gains.candidate, np.arange(n)]
    values = [np.ones(2 * k), -np.ones(k), np.ones(n)]
    shape = (m + k + 1, n + k)
    return Program(
        np.concatenate([np.zeros(n), -gains.gain]),
        _build_matrix(np.concatenate(row), np.concatenate(column), shape, np.concatenate(values)),
        np.append(np.full(m + k, -np.inf), n_sites),
        np.concatenate([np.ones(m), np.zeros(k), [n_sites]]),
        n,
    )


def _build_matrix(
    row: NDArray[np.intp],
    column: NDArray[np.intp],
    shape: tuple[int, int],
    values: NDArray[np.float64] | None = None,
) -> csr_array:
    """Return a sparse matrix of constraints."""
    from scipy.sparse import csr_array  # noqa: PLC0415 - loaded when needed

    return csr_array((np.ones(len(row)) if values is None else values, (row, column)), shape=shape)


def _round_up_bound(bound: float) -> float:
    """Return a bound of a number of sites, which is an integer."""
    return float(np.ceil(bound - _WHOLE)) if bound > 0 else 0.0


def _describe_status(found: Answer) -> str:
    return "optimal" if found.proven else "time limit"
