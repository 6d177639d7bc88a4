"""How unequally values are shared among a population."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ocm_geo.access.indices import atkinson_of, gini_of, theil_l_of, theil_t_of
from ocm_geo.cards import build_card
from ocm_geo.checks import check_number, check_whole
from ocm_geo.errors import QueryError
from ocm_geo.frames import check_numeric
from ocm_geo.provenance import carry

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ocm_geo.access.indices import Formula

__all__ = ["Equity", "equity"]

_N_BOOT = 999
_BLOCK = 1_000_000
_LEVEL = 0.95


@dataclass(frozen=True)
class Equity:
    """
    Inequality of values among a population.

    Parameters
    ----------
    gini : float
        0 (all equal) to 1 (one has everything).
    theil_t, theil_l : float
        Theil's T, and L (mean logarithmic deviation); 0 if all are equal.
    atkinson : float
        Atkinson's index for the aversion ``epsilon``; 0 to 1.
    lorenz : pandas.DataFrame
        The Lorenz curve from (0, 0) to (1, 1): ``population_share`` and ``value_share``, lowest
        values first.
    intervals : pandas.DataFrame
        ``value``, ``low`` and ``high`` of each measure: the middle 95 % of a bootstrap over the
        rows. The interval shows how much the measure depends on the choice of rows; it does
        not include uncertainty of the data.
    decomposition : pandas.DataFrame or None
        With groups: for Theil's T and L ``total``, ``between``, ``within`` and
        ``between_share``.
    groups : pandas.DataFrame or None
        With groups: ``population_share``, ``value_share``, ``mean``, ``theil_t`` and
        ``theil_l`` of each.
    facts : dict
        Numbers of rows, the aversion, the policy for zeros, the number of draws and the seed.
    """

    gini: float
    theil_t: float
    theil_l: float
    atkinson: float
    lorenz: pd.DataFrame
    intervals: pd.DataFrame
    decomposition: pd.DataFrame | None = None
    groups: pd.DataFrame | None = None
    facts: dict[str, object] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return a summary of one line."""
        return (
            f"<Equity: Gini {self.gini:.3f}, Theil T {self.theil_t:.3f}, "
            f"L {self.theil_l:.3f}, Atkinson({self.facts['epsilon']:g}) {self.atkinson:.3f}>"
        )

    def _repr_html_(self) -> str:
        """Show the measures with their intervals, for notebooks."""
        tables = {"Measures, with the middle 95 % of the bootstrap": self.intervals}
        tables |= {} if self.groups is None else {"Groups": self.groups}
        tables |= {} if self.decomposition is None else {"Decomposition": self.decomposition}
        facts = ", ".join(f"{name} {value}" for name, value in self.facts.items())
        return build_card(f"Equity: Gini {self.gini:.3f}", tables=tables, credit=facts)


def equity(
    values: ArrayLike,
    weights: ArrayLike,
    *,
    groups: ArrayLike | None = None,
    epsilon: float = 0.5,
    zeros: str | float = "limit",
    n_boot: int = _N_BOOT,
    seed: int = 0,
) -> Equity:
    """
    Compute how unequally values are shared among a population.

    Parameters
    ----------
    values : array_like, shape (n,)
        Value per person in each row, such as `ocm_geo.accessibility` returns it; 0 or more.
    weights : array_like, shape (n,)
        Population of each row. Two Series must have the same index.
    groups : array_like, shape (n,), optional
        Label of each row, such as its region, by which Theil's T and L are decomposed.
    epsilon : float
        Aversion of Atkinson's index, above 0.
    zeros : {"limit", "drop"} or float
        Theil's L, and Atkinson's index for an epsilon of 1 or more, take logarithms or negative
        powers. ``limit``: their limit where a value is 0, infinity and 1. ``drop``: these two
        measures leave out rows of 0. A number above 0: these two replace 0 by this number. The
        other measures use zeros unchanged.
    n_boot : int
        Number of bootstrap draws; 0 for none.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Equity
        The measures, the Lorenz curve and the intervals.

    Raises
    ------
    QueryError
        If a value or weight is missing, infinite or negative, or all weights or all weighted
        values are 0.

    Notes
    -----
    With weights w, W = Σ w and the mean μ = Σ w y / W (the formulas of PySAL's ``inequality``
    if all weights are equal): Gini Σ_ij w_i w_j |y_i - y_j| / (2 μ W²); Theil T
    Σ w (y/μ) ln(y/μ) / W; Theil L Σ w ln(μ/y) / W (Theil 1967); Atkinson
    1 - (Σ w y^(1-ε) / W)^(1/(1-ε)) / μ (Atkinson 1970).

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> found = ocm.equity([1, 1, 4], weights=[100, 200, 100])
    >>> round(found.gini, 3)
    0.321
    >>> found.lorenz.iloc[0].tolist()
    [0.0, 0.0]
    """
    y, w = _check_values(values, weights)
    order = np.argsort(y, kind="stable")
    y, w = y[order], w[order]
    measures = _build_measures(y, epsilon, zeros)
    n_boot, seed = check_whole(n_boot, "n_boot", low=0), check_whole(seed, "seed", low=0)
    parts = None
    if groups is not None:
        parts = _decompose_theil(y, w, _check_group_labels(groups, values, order), measures)
    return Equity(
        **{name: float(measure(w)) for name, measure in measures.items()},
        lorenz=_carry_from_series(_build_lorenz(y, w), values),
        intervals=_carry_from_series(
            _bootstrap_intervals(y, w, measures, n_boot=n_boot, seed=seed), values
        ),
        decomposition=parts and parts[0],
        groups=parts and parts[1],
        facts={
            "n": len(y),
            "n_zero": int(((y == 0) & (w > 0)).sum()),
            "epsilon": epsilon,
            "zeros": zeros,
            "n_boot": n_boot,
            "seed": seed,
        },
    )


def _carry_from_series(table: pd.DataFrame, values: ArrayLike) -> pd.DataFrame:
    """Return a table with the provenance of the values, if they have any."""
    return carry(table, values) if isinstance(values, pd.Series) else table


class _BoundMeasure(NamedTuple):
    """A formula with the values that it uses: all, or those that the policy for zeros keeps."""

    formula: Formula
    y: NDArray[np.float64]
    kept: NDArray[np.bool_]

    def __call__(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the measure for one or many rows of weights."""
        with np.errstate(invalid="ignore", divide="ignore"):
            # Copying many rows of weights would take longer than the formula.
            mine = weights if len(self.y) == weights.shape[-1] else weights[..., self.kept]
            return self.formula(self.y, mine)

    def of(self, rows: NDArray[np.intp], weights: NDArray[np.float64]) -> float:
        """Return the measure of some of the values alone."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return float(self.formula(self.y[rows], weights))


def _build_measures(
    y: NDArray[np.float64], epsilon: float, zeros: str | float
) -> dict[str, _BoundMeasure]:
    """Return the measures, each with the values that it uses."""
    epsilon = check_number(epsilon, "epsilon", above=0.0)
    every = np.ones(len(y), dtype=bool)
    if zeros == "drop":
        without = y[y > 0], y > 0
    elif zeros == "limit":
        without = y, every
    else:
        try:
            least = check_number(zeros, "zeros", above=0.0)
        except QueryError as error:
            raise QueryError(f"{error}; or choose 'limit' or 'drop'") from None
        without = np.where(y == 0, least, y), every
    as_they_are = y, every
    return {
        "gini": _BoundMeasure(gini_of, *as_they_are),
        "theil_t": _BoundMeasure(theil_t_of, *as_they_are),
        "theil_l": _BoundMeasure(theil_l_of, *without),
        "atkinson": _BoundMeasure(
            atkinson_of(epsilon), *(without if epsilon >= 1 else as_they_are)
        ),
    }


def _check_values(
    values: ArrayLike, weights: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return checked values and weights."""
    if (
        isinstance(values, pd.Series)
        and isinstance(weights, pd.Series)
        and not values.index.equals(weights.index)
    ):
        raise QueryError(
            "values and weights have different indexes: align them first, e.g. "
            "weights.loc[values.index]"
        )
    y, w = _read_values_of(values, "values"), _read_values_of(weights, "weights")
    if y.shape != w.shape:
        raise QueryError(f"there are {len(y)} values and {len(w)} weights")
    if not w.any():
        raise QueryError("weights must not all be 0: there is no population to compare")
    if not (w @ y) > 0:
        raise QueryError(
            "values must not all be 0 where there is weight: there is nothing to share"
        )
    return y, w


def _read_values_of(given: ArrayLike, what: str) -> NDArray[np.float64]:
    """Return finite numbers of 0 or more."""
    check_numeric(given, what, flags=True)
    try:
        numbers = pd.Series(given).to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise QueryError(f"{what} must be numbers: {error}") from error
    for fault, wrong in (
        ("missing", np.isnan(numbers)),
        ("infinite", np.isinf(numbers)),
        ("negative", numbers < 0),
    ):
        if wrong.any():
            first = int(np.flatnonzero(wrong)[0])
            label = given.index[first] if isinstance(given, pd.Series) else first
            raise QueryError(
                f"{what}: {wrong.sum()} of {len(numbers)} are {fault} (first: row {label!r}); "
                "drop these rows or fill them"
            )
    return np.asarray(numbers)


def _build_lorenz(y: NDArray[np.float64], w: NDArray[np.float64]) -> pd.DataFrame:
    """Return the Lorenz curve."""
    held = np.cumsum(np.append(0.0, w * y))
    n = np.cumsum(np.append(0.0, w))
    return pd.DataFrame({"population_share": n / n[-1], "value_share": held / held[-1]})


def _bootstrap_intervals(
    y: NDArray[np.float64],
    w: NDArray[np.float64],
    measures: dict[str, _BoundMeasure],
    *,
    n_boot: int,
    seed: int,
) -> pd.DataFrame:
    """Return each measure with the ends of its bootstrap interval."""
    # A row drawn twice weighs twice, so the values stay sorted and only weights change.
    rng = np.random.default_rng(seed)
    draws: dict[str, list[NDArray[np.float64]]] = {name: [] for name in measures}
    block = max(1, _BLOCK // len(y))
    for start in range(0, n_boot, block):
        weights = w * _draw_times(rng, min(block, n_boot - start), len(y))
        # A draw of rows whose values are all 0 has no inequality, and is left out.
        some = weights @ y > 0
        weights = weights if some.all() else weights[some]
        for name, measure in measures.items():
            draws[name].append(measure(weights))
    table = {
        name: [float(measure(w)), *_find_interval_ends(draws[name])]
        for name, measure in measures.items()
    }
    return pd.DataFrame.from_dict(table, orient="index", columns=["value", "low", "high"])


def _draw_times(rng: np.random.Generator, n_draws: int, n: int) -> NDArray[np.intp]:
    """Return how often each row is drawn, in each draw with replacement."""
    drawn = rng.integers(0, n, size=(n_draws, n)) + n * np.arange(n_draws)[:, None]
    return np.bincount(drawn.ravel(), minlength=n_draws * n).reshape(n_draws, n)


def _find_interval_ends(draws: list[NDArray[np.float64]]) -> list[float]:
    """Return the ends of the middle 95 % of draws."""
    if not draws:
        return [np.nan, np.nan]
    ends = ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2)
    # No interpolation between draws: some may be infinite.
    return [float(q) for q in np.quantile(np.concatenate(draws), ends, method="nearest")]


def _check_group_labels(groups: ArrayLike, values: ArrayLike, order: NDArray[np.intp]) -> pd.Series:
    """Return the label of each value, in the order of the sorted values."""
    if isinstance(groups, pd.DataFrame):
        raise QueryError("groups must be one column of labels, not a DataFrame")
    labels = pd.Series(groups)
    if isinstance(groups, pd.Series) and isinstance(values, pd.Series):
        same = groups.index.equals(values.index)
    else:
        same = len(labels) == len(order)
    if not same:
        raise QueryError("groups must have one label for each value, on the same index")
    if labels.isna().any():
        raise QueryError(
            f"groups: {labels.isna().sum()} labels are missing; fill or drop these rows"
        )
    return labels.iloc[order].reset_index(drop=True)


def _decompose_theil(
    y: NDArray[np.float64],
    w: NDArray[np.float64],
    labels: pd.Series,
    measures: dict[str, _BoundMeasure],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return Theil's measures split between and within groups, and the table of groups."""
    code, names = pd.factorize(labels, sort=True)
    n = len(names)
    persons, held = np.bincount(code, w, n), np.bincount(code, w * y, n)
    groups = pd.DataFrame(
        {
            "population_share": persons / persons.sum(),
            "value_share": held / held.sum(),
            "mean": np.divide(held, persons, out=np.full(n, np.nan), where=persons > 0),
        },
        index=pd.Index(names, name="group"),
    )
    rows = {}
    for name in _THEIL:
        measure = measures[name]
        mine, kept = code[measure.kept], w[measure.kept]
        groups[name] = _measure_groups(measure, mine, kept, n)
        rows[name] = _split_theil(
            measure, w, mine, groups[name].to_numpy(), by_value=name == "theil_t"
        )
    columns = ["total", "between", "within", "between_share"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=columns), groups


_THEIL = ("theil_t", "theil_l")


def _measure_groups(
    measure: _BoundMeasure, code: NDArray[np.intp], w: NDArray[np.float64], n: int
) -> NDArray[np.float64]:
    """Return the measure of each group alone; 0 for a group without population or value."""
    order = np.argsort(code, kind="stable")
    ends = np.searchsorted(code[order], np.arange(1, n))
    found = np.zeros(n)
    for i, rows in enumerate(np.split(order, ends)):
        if w[rows] @ measure.y[rows] > 0:
            found[i] = measure.of(rows, w[rows])
    return found


def _split_theil(
    measure: _BoundMeasure,
    w: NDArray[np.float64],
    code: NDArray[np.intp],
    within: NDArray[np.float64],
    *,
    by_value: bool,
) -> list[float]:
    """Return the total of a measure, its parts between and within groups, and their share."""
    kept = w[measure.kept]
    persons = np.bincount(code, kept, len(within))
    held = np.bincount(code, kept * measure.y, len(within))
    share = (held if by_value else persons) / (held if by_value else persons).sum()
    with np.errstate(divide="ignore", invalid="ignore"):
        # The logarithm of the mean of each group relative to the mean of all.
        ahead = np.log(held / persons * (persons.sum() / held.sum()))
        between = float(np.where(share > 0, share * (ahead if by_value else -ahead), 0.0).sum())
        inner = float(share @ within)
        total = float(measure(w))
        return [total, between, inner, float(np.divide(between, total))]
