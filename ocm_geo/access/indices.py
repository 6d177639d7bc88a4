"""The formulas of inequality, for ascending values and many rows of weights at once."""

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
    Return the weighted Gini index: half the relative mean difference of all pairs.

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
    return _clip_rounding(1.0 - twice_area / (heights[..., -1] * weights.sum(axis=-1)))


def theil_t_of(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the weighted Theil T; 0 ln 0 is 0.

    Parameters
    ----------
    values, weights : numpy.ndarray
        As for `gini_of`, in any order.

    Returns
    -------
    numpy.ndarray
        Σ w (y/μ) ln(y/μ) / W.
    """
    mean = _average_weighted(values, weights)
    # Σ w y ln y / Σ w y - ln μ: the logarithms of one row of values serve all rows of weights.
    logs = values * _log_positive(values, at_zero=0.0)
    return _clip_rounding(_average_weighted(logs, weights) / mean - np.log(mean))


def theil_l_of(values: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """
    Return the weighted Theil L (mean log deviation); infinite if a weighted value is 0.

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
    deviation = np.log(_average_weighted(values, weights)) - _average_weighted(
        _log_positive(values, at_zero=0.0), weights
    )
    return np.where(some_zero, np.inf, _clip_rounding(deviation))


def atkinson_of(epsilon: float) -> Formula:
    """
    Return the function of an Atkinson index; it is 1 for ε ≥ 1 if a weighted value is 0.

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
        # Scaled by the largest value (for negative powers the smallest), no power overflows.
        unit = (np.max if power > 0 else np.min)(values[values > 0])
        raised = np.where(
            values > 0, np.exp(power * _log_positive(values / unit, at_zero=0.0)), 0.0
        )
        equal = unit * _average_weighted(raised, weights) ** (1.0 / power)
        if power < 0:
            equal = np.where(weights[..., values == 0].any(axis=-1), 0.0, equal)
        return _clip_rounding(1.0 - equal / _average_weighted(values, weights))

    return index


def _clip_rounding(index: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return an index without the negative rounding left where all values are equal."""
    return np.maximum(index, 0.0)


def _average_weighted(
    values: NDArray[np.float64], weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    return np.asarray(weights @ values / weights.sum(axis=-1))


def _log_positive(values: NDArray[np.float64], *, at_zero: float) -> NDArray[np.float64]:
    return np.log(values, out=np.full(len(values), at_zero), where=values > 0)
