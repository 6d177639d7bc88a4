"""The formulas of inequality, for values sorted upwards and rows of weights at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["Formula", "atkinson_of", "gini_of", "theil_l_of", "theil_t_of"]

Formula: TypeAlias = "Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]"
"""Of values and weights."""


def gini_of(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Weighted Gini: half the relative mean difference of all pairs.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Ascending, 0 or more, not all 0.
    weights : numpy.ndarray, shape (..., n)
        0 or more, not all 0 in a row.

    Returns
    -------
    numpy.ndarray, shape (...)
        Σ_ij w_i w_j |y_i - y_j| / (2 μ W²), by one pass over the Lorenz curve from (0, 0).
    """
    held = weights * values
    # Twice the area under the curve: each trapezoid is the new weight times both heights.
    heights = np.cumsum(held, axis=-1)
    twice_area = (weights * (2.0 * heights - held)).sum(axis=-1)
    return _not_negative(1.0 - twice_area / (heights[..., -1] * weights.sum(axis=-1)))


def theil_t_of(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Weighted Theil T; 0 ln 0 is 0.

    Parameters
    ----------
    values, weights : numpy.ndarray
        As for `gini_of`, in any order.

    Returns
    -------
    numpy.ndarray
        Σ w (y/μ) ln(y/μ) / W.
    """
    mean = _mean(values, weights)
    # Σ w y ln y / Σ w y - ln μ: the logarithms of one row of values serve all rows of weights.
    logs = values * _log(values, at_zero=0.0)
    return _not_negative(_mean(logs, weights) / mean - np.log(mean))


def theil_l_of(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Weighted Theil L (mean log deviation); infinite where a value with weight is 0.

    Parameters
    ----------
    values, weights : numpy.ndarray
        As for `gini_of`, in any order.

    Returns
    -------
    numpy.ndarray
        Σ w ln(μ/y) / W.
    """
    some_zero = weights[..., values == 0].any(axis=-1)
    deviation = np.log(_mean(values, weights)) - _mean(_log(values, at_zero=0.0), weights)
    return np.where(some_zero, np.inf, _not_negative(deviation))


def atkinson_of(epsilon: float) -> Formula:
    """
    Weighted Atkinson index of an aversion; 1 for epsilon ≥ 1 where a value with weight is 0.

    Parameters
    ----------
    epsilon : float
        Aversion to inequality, above 0.

    Returns
    -------
    callable
        Of values and weights as for `gini_of`: 1 - (mean of y^(1-ε))^(1/(1-ε)) / μ, and
        1 - geometric mean / μ for ε = 1.
    """
    power = 1.0 - epsilon

    def index(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
        if power == 0:
            return np.asarray(1.0 - np.exp(-theil_l_of(values, weights)))
        # Beside the largest (of a negative power the least) value, no power is too large.
        unit = (np.max if power > 0 else np.min)(values[values > 0])
        raised = np.where(values > 0, np.exp(power * _log(values / unit, at_zero=0.0)), 0.0)
        equal = unit * _mean(raised, weights) ** (1.0 / power)
        if power < 0:
            equal = np.where(weights[..., values == 0].any(axis=-1), 0.0, equal)
        return _not_negative(1.0 - equal / _mean(values, weights))

    return index


def _not_negative(index: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take away what rounding leaves where all are alike."""
    return np.maximum(index, 0.0)


def _mean(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(weights @ values / weights.sum(axis=-1))


def _log(values: NDArray[np.float64], *, at_zero: float) -> NDArray[np.float64]:
    return np.log(values, out=np.full(len(values), at_zero), where=values > 0)
