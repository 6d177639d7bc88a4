"""What the uncertain stations may do to any measure: named scenarios and random draws.

Where more stations can only help, as for distance and coverage, low and high are bounds. Access,
equity and siting are not like that: a station more takes people from others. Here a measure is
taken with the uncertain stations out, as recorded, in, and each in or out at random.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from ocm_geo.checks import check_share, check_whole
from ocm_geo.errors import InexactMethod, OutsideData, QueryError
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry
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
    A measure under what is uncertain in the stations.

    Parameters
    ----------
    table : pandas.DataFrame
        One row for each value of the measure: the scenarios ``uncertain out``, ``as recorded``
        and ``uncertain in``, and of the random draws ``mean``, ``low`` and ``high`` (the middle
        95 %), all three of the draws that have a value, and ``missing``, the share of those that
        have none. The interval holds for the stated probability only; values beyond it, and
        beyond all three scenarios, are possible.
    drivers : pandas.DataFrame
        Index ``ocm_id``: the uncertain stations that move the measure most. ``change`` is what
        the measure has more with the station in than out, all else as recorded, summed over
        the values of the measure, and ``moved`` the same without sign; ``n_missing`` is the
        number of values that there are only with it, or only without it, and stations with any
        come first. ``uncertain_power``, ``uncertain_access`` and ``uncertain_status`` are the
        reasons; ``counts`` is whether the station is in as recorded.
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
        """Say it in a line."""
        return (
            f"<Scenarios: {len(self.table)} values, {self.facts['n_uncertain']} uncertain "
            f"stations, {len(self.draws)} draws with probability {self.facts['probability']}>"
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
    Take any measure under what is uncertain in the stations.

    Parameters
    ----------
    measure : callable
        Takes a station table and gives a number, or a Series that has the same index whatever
        the stations.
    stations : geopandas.GeoDataFrame
        A station table, index ``ocm_id`` without repeats.
    qualifying : Qualifying, optional
        Which stations count, as for `ocm_geo.uncertain_stations`.
    probability : float or pandas.Series
        That an uncertain station counts, each by itself; a Series has one for each ``ocm_id``.
        This is your assumption: the data hold no such number.
    n_draws : int
        Random draws; 0 for the scenarios alone.
    n_drivers : int
        How many stations to name; 0 for none.
    max_tried : int
        For the drivers, so many uncertain stations are turned, one measure each. Of more than
        that, the draws tell which to try: then a driver may be missed, and a warning says so.
    seed : int
        Of the random numbers.

    Returns
    -------
    Scenarios
        Scenarios and interval, the stations that drive the difference, and the draws.

    Raises
    ------
    QueryError
        If a probability is not from 0 to 1, a number is wrong, or the measure's values differ
        in index from call to call.

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
    chance = _chances(stations, bounds.uncertain, probability)
    inside, draws = _drawn(trial, chance, n_draws, np.random.default_rng(seed))
    table[["mean", "low", "high", "missing"]] = _interval(draws)
    usual = table[_RECORDED].to_numpy()
    tried = _to_try(bounds, inside, draws, max_tried) if n_drivers else []
    drivers = _drivers(trial, usual, tried)
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
    """A measure, taken for choices of stations."""

    def __init__(self, measure: Measure, stations: gpd.GeoDataFrame, bounds: Bounds) -> None:
        self.measure = measure
        self.stations = stations
        self.bounds = bounds
        self.index: pd.Index | None = None

    def __call__(self, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
        """Measure with these stations alone."""
        with warnings.catch_warnings():
            if self.index is not None:
                # The first call has said it.
                warnings.simplefilter("ignore", OutsideData)
            row = _as_row(self.measure(carry(self.stations[mask], self.stations)))
        if self.index is None:
            self.index = row.index
        elif not row.index.equals(self.index):
            raise QueryError(
                "measure: its values must have the same index whatever the stations; it gave "
                f"{len(self.index)} values first and {len(row)} now"
            )
        return np.asarray(row.to_numpy(dtype=float, na_value=np.nan))


def _as_row(value: object) -> pd.Series[Any]:
    row = value if isinstance(value, pd.Series) else pd.Series([value])
    if not pd.api.types.is_numeric_dtype(row.dtype):
        raise QueryError(
            "measure must give a number or a Series of numbers, such as accessibility(...) or "
            f"equity(...).gini, not {type(value).__name__}"
        )
    return row


def _chances(
    stations: gpd.GeoDataFrame, uncertain: NDArray[np.bool_], probability: float | pd.Series[float]
) -> NDArray[np.float64]:
    """Give the chance that each station counts: one half or whatever is said, for the uncertain."""
    if isinstance(probability, pd.Series):
        if not probability.index.is_unique:
            raise QueryError("probability: the index repeats numbers; give each station one")
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


def _drawn(
    trial: _Trial, chance: NDArray[np.float64], n_draws: int, rng: np.random.Generator
) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Draw each uncertain station in or out, and measure."""
    uncertain = trial.bounds.uncertain
    inside = rng.random((n_draws, int(uncertain.sum()))) < chance[uncertain]
    values = []
    for row in inside:
        mask = trial.bounds.low.copy()
        mask[uncertain] = row
        values.append(trial(mask))
    n = 0 if trial.index is None else len(trial.index)
    return inside, np.array(values).reshape(n_draws, n)


def _interval(draws: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give mean, ends of the middle part, and the share of draws without a value."""
    found = np.full((draws.shape[1], 4), np.nan)
    if not len(draws):
        return found
    gone = np.isnan(draws)
    some = ~gone.all(axis=0)
    ends = ((1 - _LEVEL) / 2, (1 + _LEVEL) / 2)
    quantile = np.nanquantile if gone.any() else np.quantile
    found[some, 0] = np.nanmean(draws[:, some], axis=0)
    # Draws themselves, nothing between two of them: some may be infinite.
    found[some, 1:3] = quantile(draws[:, some], ends, axis=0, method="nearest").T
    found[:, 3] = gone.mean(axis=0)
    return found


def _to_try(
    bounds: Bounds, inside: NDArray[np.bool_], draws: NDArray[np.float64], max_tried: int
) -> list[int]:
    """Choose all uncertain stations; of too many, those that the draws point to."""
    at = np.flatnonzero(bounds.uncertain)
    if len(at) > max_tried:
        warnings.warn(
            f"{len(at):,} stations are uncertain, and {max_tried:,} of them are tried for the "
            "drivers: one may be missed; raise max_tried to try all",
            InexactMethod,
            stacklevel=3,
        )
        at = at[_likeliest(inside, draws)[:max_tried]]
    return at.tolist()


def _drivers(trial: _Trial, usual: NDArray[np.float64], tried: list[int]) -> pd.DataFrame:
    """Turn stations one by one, all else as recorded."""
    recorded = trial.bounds.central
    rows = {}
    for station in tried:
        turned = recorded.copy()
        turned[station] = not recorded[station]
        other = trial(turned)
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


def _likeliest(inside: NDArray[np.bool_], draws: NDArray[np.float64]) -> NDArray[np.intp]:
    """Order stations by how far draws with them are from draws without; all alike without any."""
    n_draws, n_stations = inside.shape
    n_in = inside.sum(axis=0)[:, None]
    apart = np.zeros(n_stations)
    n_blocks = -(-n_stations * draws.shape[1] // _BLOCK)
    for block in np.array_split(draws, max(n_blocks, 1), axis=1):
        values = np.where(np.isfinite(block), block, 0.0)
        total = inside.T @ values
        with np.errstate(invalid="ignore", divide="ignore"):
            step = total / n_in - (values.sum(axis=0) - total) / (n_draws - n_in)
        # A station that is in all draws, or in none, cannot be told.
        apart += np.nan_to_num(np.abs(step), posinf=0.0).sum(axis=1)
    return np.argsort(-apart, kind="stable")
