"""How uncertain stations affect any measure: named scenarios and random draws.

For distance and coverage more stations can only help, so low and high are bounds. For access,
equity and siting this does not hold: an additional station takes demand from others. Here a
measure is computed with the uncertain stations left out, as recorded, included, and each included
or left out at random.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from ocm_geo.cards import build_card
from ocm_geo.checks import check_share, check_whole
from ocm_geo.errors import InexactMethod, OutsideData, QueryError
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry, credit_line
from ocm_geo.qualifying import Qualifying, station_bounds
from ocm_geo.uncertainty.stations import uncertain_stations

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd
    from numpy.typing import NDArray

    from ocm_geo.qualifying import Bounds

__all__ = ["Measure", "Scenarios", "uncertainty_scenarios"]

Measure: TypeAlias = "Callable[[gpd.GeoDataFrame], float | pd.Series[Any]]"

_LEVEL = 0.95
_BLOCK = 4_000_000
_WITHOUT, _RECORDED, _WITH = "uncertain out", "as recorded", "uncertain in"


@dataclass(frozen=True)
class Scenarios:
    """
    The values of a measure under uncertainty of the stations.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each value of the measure: the scenarios ``uncertain out``, ``as recorded``
        and ``uncertain in``, and of the random draws ``mean``, ``low`` and ``high`` (the middle
        95 %) over the draws that have a value, and ``missing``, the share of draws that have
        none. The interval is valid for the stated probability only; values outside it, and
        outside all three scenarios, are possible.
    drivers : pandas.DataFrame
        Index ``ocm_id``: the uncertain stations that change the measure most. ``change`` is
        the measure with the station minus that without it, all others as recorded, summed over
        the values of the measure; ``moved`` is the sum of absolute changes; ``n_missing`` is the
        number of values that exist only with the station or only without it, and stations with
        any come first. ``uncertain_power``, ``uncertain_access`` and ``uncertain_status`` are the
        reasons; ``counts`` is whether the station counts as recorded.
    draws : numpy.ndarray, shape (n_draws, n_values)
        The measure in each draw.
    facts : dict
        The probability, seed, and numbers of stations.
    """

    table: pd.DataFrame
    drivers: pd.DataFrame
    draws: NDArray[np.float64]
    facts: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return a summary of one line."""
        return (
            f"<Scenarios: {len(self.table)} values, {self.facts['n_uncertain']} uncertain "
            f"stations, {len(self.draws)} draws with probability {self.facts['probability']}>"
        )

    def _repr_html_(self) -> str:
        """Show the scenarios and the drivers, for notebooks."""
        return build_card(
            repr(self).strip("<>"),
            tables={"Scenarios": self.table, "Stations that change the measure most": self.drivers},
            credit=credit_line(self.table),
        )


def uncertainty_scenarios(
    measure: Measure,
    stations: gpd.GeoDataFrame,
    *,
    qualifying: Qualifying | None = None,
    probability: float | pd.Series[float] = 0.5,
    n_draws: int = 200,
    n_drivers: int = 20,
    max_tried: int = 1_000,
    seed: int = 0,
) -> Scenarios:
    """
    Estimate how uncertain stations affect any measure.

    Parameters
    ----------
    measure : callable
        Takes a station table and returns a number, or a Series with the same index for any
        stations.
    stations : geopandas.GeoDataFrame
        A station table, index ``ocm_id`` without repeats.
    qualifying : Qualifying, optional
        Which stations count, as for `ocm_geo.uncertain_stations`.
    probability : float or pandas.Series
        Probability that an uncertain station counts, independently of the others; a Series has
        one for each ``ocm_id``. This is an assumption of yours: the data do not contain it.
    n_draws : int
        Number of random draws; 0 for the scenarios alone.
    n_drivers : int
        Number of driving stations to return; 0 for none.
    max_tried : int
        Largest number of uncertain stations tried as drivers, each with one evaluation of the
        measure. If there are more, the draws decide which to try; a driver may then be missed,
        and a warning is issued.
    seed : int
        Seed of the random numbers.

    Returns
    -------
    Scenarios
        Scenarios and interval, the stations that cause the difference, and the draws.

    Raises
    ------
    QueryError
        If a probability is not from 0 to 1, a number is wrong, or the index of the measure
        differs between calls.

    Warns
    -----
    InexactMethod
        If not all uncertain stations are tried for the drivers.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source=ocm.sample(), min_power_kw=50)
    >>> towns = ocm.sample_areas().assign(geometry=lambda t: t.representative_point())
    >>> def gini(some):
    ...     access = ocm.accessibility(towns, some, 30, population="population")
    ...     return ocm.equity(access, towns["population"], n_boot=0).gini
    >>> found = ocm.uncertainty_scenarios(gini, stations, n_draws=20, n_drivers=3)
    >>> list(found.table.columns[:3])
    ['uncertain out', 'as recorded', 'uncertain in']
    """
    if not callable(measure):
        raise QueryError(f"measure must be a function of a station table, not {measure!r}")
    counts = {"n_draws": n_draws, "n_drivers": n_drivers, "max_tried": max_tried, "seed": seed}
    for name, number in counts.items():
        check_whole(number, name, low=0)
    stations = station_table(stations, placed=False)
    bounds = station_bounds(stations, qualifying)
    trial = _Trial(measure, stations, bounds)
    named = {_WITHOUT: bounds.low, _RECORDED: bounds.central, _WITH: bounds.high}
    table = pd.DataFrame({name: trial(mask) for name, mask in named.items()}, index=trial.index)
    chance = _check_chances(stations, bounds.uncertain, probability)
    inside, draws = _draw_scenarios(trial, chance, n_draws, np.random.default_rng(seed))
    table[["mean", "low", "high", "missing"]] = _summarise_draws(draws)
    usual = table[_RECORDED].to_numpy()
    tried = _choose_tried(bounds, inside, draws, max_tried) if n_drivers else []
    drivers = _toggle_stations(trial, usual, tried)
    reasons = uncertain_stations(stations, qualifying)
    facts = {
        "probability": "by station" if isinstance(probability, pd.Series) else probability,
        **counts,
        "n_uncertain": int(bounds.uncertain.sum()),
        "n_tried": len(drivers),
        "scenarios": {name: int(mask.sum()) for name, mask in named.items()},
    }
    why = [name for name in reasons if name.startswith("uncertain_") or name == "counts"]
    drivers = drivers.join(pd.DataFrame(reasons)[why]).head(n_drivers)
    return Scenarios(carry(table, stations, scenarios=facts), drivers, draws, facts)


class _Trial:
    """A measure, evaluated for selections of stations."""

    def __init__(self, measure: Measure, stations: gpd.GeoDataFrame, bounds: Bounds) -> None:
        self.measure = measure
        self.stations = stations
        self.bounds = bounds
        self.index: pd.Index | None = None

    def __call__(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Return the measure of the selected stations alone."""
        with warnings.catch_warnings():
            if self.index is not None:
                # The first call has issued this warning.
                warnings.simplefilter("ignore", OutsideData)
            row = _convert_to_series(self.measure(carry(self.stations[mask], self.stations)))
        if self.index is None:
            self.index = row.index
        elif not row.index.equals(self.index):
            raise QueryError(
                "measure must return values of the same index for any stations; it returned "
                f"{len(self.index)} values first, now {len(row)} or others"
            )
        return np.asarray(row.to_numpy(dtype=float, na_value=np.nan))


def _convert_to_series(value: object) -> pd.Series[Any]:
    """Return the value of a measure as a series of numbers."""
    row = value if isinstance(value, pd.Series) else pd.Series([value])
    if not pd.api.types.is_numeric_dtype(row.dtype):
        raise QueryError(
            "measure must return a number or a Series of numbers, such as accessibility(...) or "
            f"equity(...).gini, not {type(value).__name__}"
        )
    return row


def _check_chances(
    stations: gpd.GeoDataFrame, uncertain: NDArray[np.bool_], probability: float | pd.Series[float]
) -> NDArray[np.float64]:
    """Return the probability that each uncertain station counts, NaN for the others."""
    if isinstance(probability, pd.Series):
        if not probability.index.is_unique:
            raise QueryError("probability: the index must have each station once")
        chance = probability.reindex(stations.index).to_numpy(dtype=float, na_value=np.nan)
    else:
        chance = np.full(len(stations), check_share(probability, "probability"))
    wrong = np.flatnonzero(uncertain & ~((chance >= 0) & (chance <= 1)))
    if wrong.size:
        raise QueryError(
            f"probability must be from 0 to 1 for each uncertain station; station "
            f"{stations.index[wrong[0]]} has {chance[wrong[0]]}"
        )
    return np.where(uncertain, chance, np.nan)


def _draw_scenarios(
    trial: _Trial, chance: NDArray[np.float64], n_draws: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return which uncertain stations each draw includes, and the measure of each draw."""
    uncertain = trial.bounds.uncertain
    # Drawn before anything is measured: the draws depend on the seed alone.
    inside = rng.random((n_draws, int(uncertain.sum()))) < chance[uncertain]
    values = []
    for row in inside:
        mask = trial.bounds.low.copy()
        mask[uncertain] = row
        values.append(trial(mask))
    n = 0 if trial.index is None else len(trial.index)
    return inside, np.array(values).reshape(n_draws, n)


def _summarise_draws(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return mean and interval of the draws, and the share of draws without a value."""
    found = np.full((draws.shape[1], 4), np.nan)
    if not len(draws):
        return found
    gone = np.isnan(draws)
    some = ~gone.all(axis=0)
    ends = ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2)
    quantile = np.nanquantile if gone.any() else np.quantile
    found[some, 0] = np.nanmean(draws[:, some], axis=0)
    # No interpolation between draws: some may be infinite.
    found[some, 1:3] = quantile(draws[:, some], ends, axis=0, method="nearest").T
    found[:, 3] = gone.mean(axis=0)
    return found


def _choose_tried(
    bounds: Bounds, inside: NDArray[np.bool_], draws: NDArray[np.float64], max_tried: int
) -> list[int]:
    """Return the uncertain stations to try; of too many, those the draws point to."""
    at = np.flatnonzero(bounds.uncertain)
    if len(at) > max_tried:
        warnings.warn(
            f"{len(at):,} stations are uncertain, of which only {max_tried:,} are tried as "
            "drivers, so that one may be missed; raise max_tried to try all",
            InexactMethod,
            stacklevel=3,
        )
        at = at[_order_by_influence(inside, draws)[:max_tried]]
    return at.tolist()


def _toggle_stations(trial: _Trial, usual: NDArray[np.float64], tried: list[int]) -> pd.DataFrame:
    """Return what changes when each station alone is included or left out."""
    recorded = trial.bounds.central
    rows = {}
    for station in tried:
        turned = recorded.copy()
        turned[station] = not recorded[station]
        other = trial(turned)
        # A value that exists only with or only without the station cannot be subtracted.
        n_missing = int((np.isnan(usual) != np.isnan(other)).sum())
        with np.errstate(invalid="ignore"):
            step = usual - other if recorded[station] else other - usual
        rows[trial.stations.index[station]] = (np.nansum(step), np.nansum(np.abs(step)), n_missing)
    columns = ["change", "moved", "n_missing"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    table.index = table.index.astype(trial.stations.index.dtype).set_names(
        trial.stations.index.name
    )
    return table.sort_values(["n_missing", "moved"], ascending=False).astype({"n_missing": "int64"})


def _order_by_influence(inside: NDArray[np.bool_], draws: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return stations in the order of how much draws with and without them differ."""
    n_draws, n_stations = inside.shape
    n_in = inside.sum(axis=0)[:, None]
    apart = np.zeros(n_stations)
    n_blocks = -(-n_stations * draws.shape[1] // _BLOCK)
    for block in np.array_split(draws, max(n_blocks, 1), axis=1):
        # The mean of draws with each station minus the mean of those without, as a product.
        values = np.where(np.isfinite(block), block, 0.0)
        total = inside.T @ values
        with np.errstate(invalid="ignore", divide="ignore"):
            step = total / n_in - (values.sum(axis=0) - total) / (n_draws - n_in)
        # Nothing is known of a station that is in all draws, or in none.
        apart += np.nan_to_num(np.abs(step), posinf=0.0).sum(axis=1)
    return np.argsort(-apart, kind="stable")
