"""The rational agent access model: people move between stations until no move pays.

J. Saxon and D. Snow, A rational agent model for the spatial accessibility of primary health care,
Annals of the American Association of Geographers 110 (2020). The steps are those of PySAL's
``access``, on pairs instead of a full matrix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["RaamSteps", "raam_costs"]

_CROWDED_CYCLES = 20
"""Cycles in which a station that many turn to at once is protected from being mobbed."""


class RaamSteps(NamedTuple):
    """
    How people move.

    Parameters
    ----------
    max_cycles : int
        Rounds of moves.
    initial_step : float or int
        Largest part of a place's people that moves in the first round; a whole number is
        people.
    min_step : float
        The same at the end.
    half_life : float
        Rounds in which the step halves.
    """

    max_cycles: int = 150
    initial_step: float = 0.2
    min_step: float = 0.005
    half_life: float = 50

    def most(self, cycle: int, people: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Say how many may move.

        Parameters
        ----------
        cycle : int
            Round, from 0.
        people : numpy.ndarray
            People of each place.

        Returns
        -------
        numpy.ndarray
            People.
        """
        step = self.initial_step * 0.5 ** (cycle / self.half_life)
        if isinstance(self.initial_step, int):
            return np.full(len(people), max(float(np.round(step)), self.min_step))
        return np.asarray(max(step, self.min_step) * people)


class _Rows(NamedTuple):
    """The pairs of one place after the other."""

    row: NDArray[np.intp]
    start: NDArray[np.intp]

    def first_equal(
        self, values: NDArray[np.float64], wanted: NDArray[np.float64]
    ) -> NDArray[np.intp]:
        """Find in each row the first pair that has the wanted value."""
        at = np.flatnonzero(values == wanted[self.row])
        rows = self.row[at]
        return np.asarray(at[np.diff(rows, prepend=-1) > 0])

    def lowest(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        return self.first_equal(values, np.minimum.reduceat(values, self.start))

    def highest(self, values: NDArray[np.float64]) -> NDArray[np.intp]:
        return self.first_equal(values, np.maximum.reduceat(values, self.start))

    def sums(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(np.add.reduceat(values, self.start))


def raam_costs(
    row: NDArray[np.intp],
    station: NDArray[np.intp],
    travel: NDArray[np.float64],
    *,
    people: NDArray[np.float64],
    supply: NDArray[np.float64],
    steps: RaamSteps,
) -> tuple[NDArray[np.float64], float]:
    """
    Find what travel and crowding cost together, when people have settled.

    Parameters
    ----------
    row, station : numpy.ndarray of int, shape (n,)
        Pairs, ordered by row then station; each row from 0 on has at least one.
    travel : numpy.ndarray, shape (n,)
        Cost of travel, in units of tau.
    people : numpy.ndarray
        Of each row, above 0. They move in whole numbers.
    supply : numpy.ndarray
        Of each station, above 0, times rho.
    steps : RaamSteps
        How people move.

    Returns
    -------
    costs : numpy.ndarray
        Mean cost of the people of each row.
    gap : float
        How far people are from having settled: what they would save together if each could go
        to the station that is best now, as a share of what they bear (the relative gap of
        traffic assignment).
    """
    rows = _Rows(row, np.searchsorted(row, np.arange(len(people))))
    assigned = np.zeros(len(row))
    assigned[rows.lowest(travel)] = people
    total = travel
    for cycle in range(steps.max_cycles):
        load = np.bincount(station, assigned, minlength=len(supply))
        total = (load / supply)[station] + travel
        best = rows.lowest(total)
        worst = rows.highest(np.where(assigned == 0, -np.inf, total))
        moved = _wanted(
            best, worst, station, travel=travel, assigned=assigned, market=(load, supply)
        )
        moved = np.trunc(np.minimum(moved, steps.most(cycle, people)))
        if cycle < _CROWDED_CYCLES:
            turned_to = station[best]
            crowd = np.bincount(turned_to, moved, minlength=len(supply)) / supply
            moved = np.rint(moved / np.maximum(crowd, 1)[turned_to])
        assigned[best] += moved
        assigned[worst] -= moved
    costs = rows.sums(total * assigned) / rows.sums(assigned)
    load = np.bincount(station, assigned, minlength=len(supply))
    return costs, _gap(rows, (load / supply)[station] + travel, assigned)


def _gap(rows: _Rows, total: NDArray[np.float64], assigned: NDArray[np.float64]) -> float:
    borne = float(total @ assigned)
    least = float(np.minimum.reduceat(total, rows.start) @ rows.sums(assigned)) if borne else 0.0
    return 1.0 - least / borne if borne else 0.0


def _wanted(
    best: NDArray[np.intp],
    worst: NDArray[np.intp],
    station: NDArray[np.intp],
    *,
    travel: NDArray[np.float64],
    assigned: NDArray[np.float64],
    market: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Say how many people would have to move from the worst to the best to make both equal."""
    load, supply = market
    s_best, s_worst = supply[station[best]], supply[station[worst]]
    at_best, at_worst = assigned[best], assigned[worst]
    others_best = load[station[best]] - at_best
    others_worst = load[station[worst]] - at_worst
    equal = ((s_best * s_worst) / (s_best + s_worst)) * (
        (travel[worst] - travel[best])
        + (at_best + at_worst + others_worst) / s_worst
        - others_best / s_best
    )
    return np.where(best == worst, 0.0, np.minimum(equal - at_best, at_worst))
