"""The weights of stations in a catchment, by distance."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from ocm_geo.errors import QueryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["STEP_WEIGHTS", "Decay", "decay_weights", "describe_decay"]

Decay: TypeAlias = "str | Mapping[float, float] | Callable[[NDArray[np.float64]], object]"

STEP_WEIGHTS = (1.0, 0.68, 0.22)
"""The published weights of three equal zones (Luo & Qi 2009)."""


def decay_weights(decay: Decay, cost: NDArray[np.float64], catchment: float) -> NDArray[np.float64]:
    """
    Return the weights of costs.

    Parameters
    ----------
    decay : str, mapping or callable
        ``step``: 1, 0.68 and 0.22 on thirds of the catchment (Luo & Qi 2009). ``gaussian``:
        ``(exp(-(d/D)²/2) - exp(-1/2)) / (1 - exp(-1/2))`` (Dai 2010), 1 at 0 and 0 at the edge.
        A mapping of upper limits to weights, such as ``{10: 1, 20: 0.42, 30: 0.09}``, limits
        inclusive and 0 beyond the last. Or a function of an array of costs.
    cost : numpy.ndarray, shape (n,)
        Kilometres, or the unit of the catchment.
    catchment : float
        Size D of the catchment.

    Returns
    -------
    numpy.ndarray, shape (n,)
        Weights, 0 or more.

    Raises
    ------
    QueryError
        If the name is unknown, a step is not a number, the function does not accept an array, or
        a weight is negative or not finite.
    """
    if isinstance(decay, Mapping):
        weights = _weigh_by_steps(cost, _check_steps(decay))
    elif callable(decay):
        weights = _call_decay(decay, cost)
    elif decay == "step":
        # Computed as thirds, so that 10 km is exactly the end of the first third of 30 km.
        ends = (catchment / 3, 2 * catchment / 3, catchment)
        weights = _weigh_by_steps(cost, dict(zip(ends, STEP_WEIGHTS, strict=True)))
    elif decay == "gaussian":
        edge = np.exp(-0.5)
        weights = np.maximum((np.exp(-0.5 * (cost / catchment) ** 2) - edge) / (1 - edge), 0.0)
    else:
        raise QueryError(
            f"decay={decay!r}: choose 'step', 'gaussian', a mapping of upper limits to weights, or "
            "a function of an array of costs"
        )
    return weights


def describe_decay(decay: Decay) -> object:
    """
    Describe a decay in plain JSON, for the provenance.

    Parameters
    ----------
    decay : str, mapping or callable
        As for `decay_weights`.

    Returns
    -------
    object
        The name, the steps, or the name of the function.
    """
    if isinstance(decay, Mapping):
        return {f"{float(k):g}": float(v) for k, v in decay.items()}
    return decay if isinstance(decay, str) else getattr(decay, "__name__", repr(decay))


def _check_steps(decay: Mapping[float, float]) -> dict[float, float]:
    """Return checked upper limits and weights."""
    try:
        steps = {float(end): float(weight) for end, weight in decay.items()}
    except (TypeError, ValueError) as error:
        raise QueryError(
            "decay: a mapping must have numbers as limits and weights, as {10: 1, 20: 0.42}: "
            f"{error}"
        ) from error
    if not steps:
        raise QueryError("decay: a mapping needs at least one upper limit with its weight")
    for end, weight in steps.items():
        if not end >= 0 or not 0 <= weight < np.inf:
            raise QueryError(
                f"decay: up to {end:g} the weight is {weight:g}; limits must be 0 or more, weights "
                "finite and 0 or more"
            )
    return steps


def _call_decay(
    decay: Callable[[NDArray[np.float64]], object], cost: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the checked weights of a function of the user."""
    try:
        weights = np.asarray(decay(cost), dtype=float)
    except (TypeError, ValueError) as error:
        raise QueryError(
            "decay: the function must take an array of costs (np.exp and np.where instead of "
            f"math.exp and if; else wrap it in np.vectorize): {error}"
        ) from error
    _check_weights(weights, cost)
    return weights


def _weigh_by_steps(cost: NDArray[np.float64], steps: Mapping[float, float]) -> NDArray[np.float64]:
    """Return the weight of the step of each cost, 0 beyond the last."""
    ends = sorted(steps)
    # For a few steps, counting in bytes the limits exceeded is faster than a search.
    passed = np.zeros(len(cost), dtype=np.min_scalar_type(len(ends)))
    for end in ends:
        passed += (cost > end).view(np.uint8)
    return np.array([*(steps[end] for end in ends), 0.0]).take(passed)


def _check_weights(weights: NDArray[np.float64], cost: NDArray[np.float64]) -> None:
    """Check that there is one finite weight of 0 or more per cost."""
    if weights.shape != cost.shape:
        raise QueryError(
            f"decay: the function must return one weight per cost, shape {cost.shape}, not "
            f"{weights.shape}"
        )
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if wrong.size:
        first = wrong[0]
        raise QueryError(
            f"decay: weights must be finite and 0 or more; at a cost of {cost[first]:g} it is "
            f"{weights[first]:g}"
        )
