"""The rational agent access model: a population chooses stations until no move lowers costs.

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
"""Cycles in which the moves to a station are scaled down if they would overcrowd it."""


class RaamSteps(NamedTuple):
    """
    Parameters of the moves.

    Parameters
    ----------
    max_cycles : int
        Number of rounds.
    initial_step : float or int
        Largest share of the population of a point that moves in the first round; an integer
        is a number of persons.
    min_step : float
        The same in the last rounds.
    half_life : float
        Number of rounds in which the step halves.
    """

    max_cycles: int = 150
    initial_step: float = 0.2
    min_step: float = 0.005
    half_life: float = 50

    def most(self, cycle: int, population: NDArray[np.float64]) -> NDArray[np.float64]:
        """
        Return how many persons of each point may move.

        Parameters
        ----------
        cycle : int
            Number of the round, from 0.
        population : numpy.ndarray
            Population of each point.

        Returns
        -------
        numpy.ndarray
            Persons.
        """
        step = self.initial_step * 0.5 ** (cycle / self.half_life)
        if isinstance(self.initial_step, int):
            return np.full(len(population), max(float(np.round(step)), self.min_step))
        return np.asarray(max(step, self.min_step) * population)


class _Rows(NamedTuple):
    """The pairs, grouped by point."""

    row: NDArray[np.intp]
    start: NDArray[np.intp]

    def first_equal(
        self, values: NDArray[np.float64], wanted: NDArray[np.float64]
    ) -> NDArray[np.intp]:
        """Return in each row the first pair that has the wanted value."""
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
    population: NDArray[np.float64],
    supply: NDArray[np.float64],
    steps: RaamSteps,
) -> tuple[NDArray[np.float64], float]:
    """
    Return the sum of the costs of travel and crowding in equilibrium.

    Parameters
    ----------
    row, station : numpy.ndarray of int, shape (n,)
        Pairs, ordered by row, then station; each row from 0 on has at least one.
    travel : numpy.ndarray, shape (n,)
        Cost of travel, in units of tau.
    population : numpy.ndarray
        Population of each row, above 0. Persons move whole.
    supply : numpy.ndarray
        Supply of each station, above 0, times rho.
    steps : RaamSteps
        Parameters of the moves.

    Returns
    -------
    costs : numpy.ndarray
        Mean cost of the population of each row.
    gap : float
        Distance from equilibrium: what the population would save if everybody went to the
        currently best station, as a share of its costs (the relative gap of traffic
        assignment).
    """
    # Everybody starts at the station of least travel. In each round, part of the population of
    # each row moves from its costliest used station to its cheapest one; the part shrinks.
    rows = _Rows(row, np.searchsorted(row, np.arange(len(population))))
    assigned = np.zeros(len(row))
    assigned[rows.lowest(travel)] = population
    total = travel
    for cycle in range(steps.max_cycles):
        load = np.bincount(station, assigned, minlength=len(supply))
        total = (load / supply)[station] + travel
        best = rows.lowest(total)
        worst = rows.highest(np.where(assigned == 0, -np.inf, total))
        moved = _find_equalising_moves(
            best, worst, station, travel=travel, assigned=assigned, market=(load, supply)
        )
        moved = np.trunc(np.minimum(moved, steps.most(cycle, population)))
        if cycle < _CROWDED_CYCLES:
            # All points move at once, not knowing of each other: the moves to one station must
            # not exceed its supply.
            turned_to = station[best]
            crowd = np.bincount(turned_to, moved, minlength=len(supply)) / supply
            moved = np.rint(moved / np.maximum(crowd, 1)[turned_to])
        assigned[best] += moved
        assigned[worst] -= moved
    costs = rows.sums(total * assigned) / rows.sums(assigned)
    load = np.bincount(station, assigned, minlength=len(supply))
    return costs, _measure_gap(rows, (load / supply)[station] + travel, assigned)


def _measure_gap(rows: _Rows, total: NDArray[np.float64], assigned: NDArray[np.float64]) -> float:
    """Return the relative gap: the share of the costs that moving would save."""
    borne = float(total @ assigned)
    least = float(np.minimum.reduceat(total, rows.start) @ rows.sums(assigned)) if borne else 0.0
    return 1.0 - least / borne if borne else 0.0


def _find_equalising_moves(
    best: NDArray[np.intp],
    worst: NDArray[np.intp],
    station: NDArray[np.intp],
    *,
    travel: NDArray[np.float64],
    assigned: NDArray[np.float64],
    market: tuple[NDArray[np.float64], NDArray[np.float64]],
) -> NDArray[np.float64]:
    """Return how many must move from the worst to the best station to make both equal."""
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
