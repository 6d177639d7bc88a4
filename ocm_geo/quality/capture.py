"""Dual-system estimates: how many stations there are, from two registers that each miss some.

Of N stations register A has n_a, register B n_b, and both have m. If being in one says nothing of
being in the other, m / n_b is the share of A. Chapman's estimate of N is
(n_a + 1)(n_b + 1) / (m + 1) - 1 (Chapman 1951; Seber 1982, chapter 3).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Total", "bound_dependence", "bound_sum", "estimate_total", "find_interval"]

_LEVEL = 0.95
_LARGEST = 1e9


class Total(NamedTuple):
    """
    An estimated number of stations.

    Parameters
    ----------
    central : float
        Chapman's estimate.
    low, high : float
        95 % interval, if the registers are independent.
    variance : float
        Variance of the estimate (Seber 1970).
    """

    central: float
    low: float
    high: float
    variance: float


def estimate_total(n_a: float, n_b: float, n_both: float) -> Total:
    """
    Estimate the number of stations from two registers.

    Parameters
    ----------
    n_a, n_b : float
        Stations of each.
    n_both : float
        Stations that both have; need not be whole once matching errors are allowed for.

    Returns
    -------
    Total
        The estimate; its interval inverts the hypergeometric test with mid-p tails, whose rate of
        error is close to 5 % also for few stations. Without common stations `high` is infinite.
    """
    central = (n_a + 1) * (n_b + 1) / (n_both + 1) - 1
    only_a, only_b = max(n_a - n_both, 0.0), max(n_b - n_both, 0.0)
    variance = (n_a + 1) * (n_b + 1) * only_a * only_b / ((n_both + 1) ** 2 * (n_both + 2))
    low, high = find_interval(n_a, n_b, n_both)
    return Total(central, min(low, central), max(high, central), variance)


def find_interval(n_a: float, n_b: float, n_both: float) -> tuple[float, float]:
    """
    Return the 95 % interval of the number of stations.

    Parameters
    ----------
    n_a, n_b, n_both : float
        As for `estimate_total`; rounded to whole stations.

    Returns
    -------
    low, high : float
        Least and greatest total that the counts do not contradict.
    """
    a, b = round(n_a), round(n_b)
    m = min(round(n_both), a, b)
    recorded = float(a + b - m)
    tail = (1 - _LEVEL) / 2

    def lower_tail(total: float) -> float:
        return _mid_p(m, round(total), a, b) - (1 - tail)

    def upper_tail(total: float) -> float:
        return _mid_p(m, round(total), a, b) - tail

    # With the total the expected overlap falls, and the lower tail of m grows.
    low = _find_first_total(upper_tail, recorded)
    # The first total that the counts contradict is one more than the greatest that they allow.
    return low, np.inf if m == 0 else max(_find_first_total(lower_tail, recorded) - 1, recorded)


def _mid_p(m: int, total: int, n_a: int, n_b: int) -> float:
    """Return the probability of less than m common stations, and half that of m."""
    from scipy.stats import hypergeom  # noqa: PLC0415 - slow to load

    below = hypergeom.cdf(m - 1, total, n_a, n_b)
    return float(below + 0.5 * hypergeom.pmf(m, total, n_a, n_b))


def _find_first_total(tail: Callable[[float], float], recorded: float) -> float:
    """Find the first whole total, from the recorded number upward, whose tail is not negative."""
    if tail(recorded) >= 0:
        return recorded
    least, step = recorded, 1.0
    while tail(least + step) < 0 and step < _LARGEST:
        least, step = least + step, 2 * step
    most = least + step
    # Invariant: the tail is negative at the least, and not at the most.
    while most - least > 1:
        middle = float((least + most) // 2)
        least, most = (middle, most) if tail(middle) < 0 else (least, middle)
    return most


def bound_dependence(
    bounds: tuple[float, float], n_recorded: float, odds_ratios: tuple[float, float]
) -> tuple[float, float]:
    """
    Return the bounds of a total when the registers depend on each other.

    With the odds ratio r between being in A and being in B, the stations that neither has are r
    times those estimated for independence (Wolter 1986). Registers that copy from each other have
    r > 1: then independence underestimates the total.

    Parameters
    ----------
    bounds : tuple of float
        Least and greatest total for independence.
    n_recorded : float
        Stations in at least one register.
    odds_ratios : tuple of float
        Least and greatest odds ratio.

    Returns
    -------
    low, high : float
        The least total with the least odds ratio, the greatest with the greatest.
    """
    low, high = (
        n_recorded + ratio * max(total - n_recorded, 0.0)
        for ratio, total in zip(odds_ratios, bounds, strict=True)
    )
    return low, high


def bound_sum(central: float, variance: float, n_recorded: float) -> tuple[float, float]:
    """
    Return the 95 % interval of a sum of estimates.

    Parameters
    ----------
    central, variance : float
        The sum and its variance.
    n_recorded : float
        Stations in at least one register: the sum cannot be less.

    Returns
    -------
    low, high : float
        The interval of the stations in neither register, taken as log-normal (Chao 1987), added
        to the recorded ones.
    """
    missing = central - n_recorded
    if missing <= 0 or variance <= 0:
        return n_recorded, max(central, n_recorded)
    from scipy.stats import norm  # noqa: PLC0415 - slow to load

    factor = np.exp(norm.ppf((1 + _LEVEL) / 2) * np.sqrt(np.log1p(variance / missing**2)))
    return n_recorded + missing / factor, n_recorded + missing * factor
