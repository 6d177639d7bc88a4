"""The stations that a register does not record, as many as completeness allows, placed by a model.

A measure with ``completeness=`` has three values. The central one counts what is recorded. The low
one counts what is recorded for certain. The high one counts besides (1) the stations that only the
other register records, where it records them, and (2) stations that neither records: in each
stratum as many as the upper bound of the estimate leaves for them, placed by
`ocm_geo.quality.placing`. They are drawn several times, and the greatest value counts: if the model
holds, a draw as large as the true value is missed with a probability of 1 / (n_draws + 1).
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from ocm_geo.checks import check_whole, short_form, warn_user
from ocm_geo.errors import InexactMethod, QueryError, SuspectInput
from ocm_geo.frames import point_frame
from ocm_geo.ids import station_table
from ocm_geo.provenance import carry, read_attrs
from ocm_geo.quality.paired import CompletenessTable
from ocm_geo.quality.strata import ALL_STRATA, POOLED
from ocm_geo.schema import CRS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ocm_geo.quality.paired import PairedRegisters

__all__ = ["Missing", "MissingStations", "check_completeness", "find_missing", "place_missing"]

_MODEL = "like recorded ones of the stratum, beside them at the distance of their nearest neighbour"
_ASSUMES = "one area, kind and time; right matches; equal chances in a stratum; these odds ratios"
_MANY_TIMES = 100
"""A bound of more unseen stations than this times the recorded ones bounds nothing."""
_MUCH_LEFT_OUT = 0.25
_OTHER, _NEITHER = "only in the other register", "in neither register"


@dataclass(frozen=True, eq=False)
class MissingStations:
    """
    How the stations that a table of completeness finds missing are drawn.

    Wherever a function takes ``completeness=``, it takes a table of `completeness`, which means
    ``MissingStations(table)``, or this with other draws.

    Parameters
    ----------
    table : pandas.DataFrame
        What `completeness` returned, in the same session: read from a file it has lost the
        stations.
    n_draws : int
        How often the stations that neither register has are placed. The high value is the
        greatest of all draws: one more value like them is greater with a probability of
        1 / (n_draws + 1).
    seed : int
        Seed of the draws.

    Raises
    ------
    QueryError
        If the table is not one of `completeness`, or a number is wrong.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations(source="sample")
    >>> table = ocm.completeness(stations.iloc[::2], stations.iloc[::3])
    >>> missing = ocm.MissingStations(table, n_draws=39, seed=1)
    >>> found = ocm.coverage(
    ...     ocm.sample_areas(), stations.iloc[::2], 5, completeness=missing
    ... )
    >>> bool((found["area_share_high"] >= found["area_share"]).all())
    True
    """

    table: pd.DataFrame
    n_draws: int = 9
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the table and the numbers."""
        _read_registers(self.table)
        check_whole(self.n_draws, "n_draws", low=1)
        check_whole(self.seed, "seed", low=0)


def _read_registers(table: object) -> PairedRegisters:
    """Return the registers that a table of completeness was estimated from."""
    registers = table.registers if isinstance(table, CompletenessTable) else None
    if registers is None:
        raise QueryError(
            "completeness must be the table that ocm.completeness returned, or "
            f"ocm.MissingStations(table), not {short_form(table)}; a table read from a file has "
            "lost the stations: estimate it again"
        )
    return registers


def check_completeness(value: object) -> MissingStations | None:
    """
    Check an argument ``completeness=``.

    Parameters
    ----------
    value : object
        None, a table of `completeness`, or `MissingStations`.

    Returns
    -------
    MissingStations or None
        How the missing stations are drawn.

    Raises
    ------
    QueryError
        If it is anything else.
    """
    if value is None or isinstance(value, MissingStations):
        return value
    _read_registers(value)
    return MissingStations(value)  # type: ignore[arg-type] # checked in the line above


class Missing:
    """
    The stations missing from a table: those of the other register, and draws of unseen ones.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A checked station table.
    asked : MissingStations
        How they are drawn.

    Attributes
    ----------
    facts : dict
        For ``attrs["ocm"]["completeness"]``.
    strata : pandas.Series
        The stratum of each station that the register has; missing for others.
    unseen : dict of str to int
        How many stations of each stratum neither register has, at most.
    """

    def __init__(self, stations: gpd.GeoDataFrame, asked: MissingStations) -> None:
        self.asked = asked
        self._registers = _read_registers(asked.table)
        self._stations = point_frame(stations, "stations")
        role, self.strata = self._registers.find_role(self._stations)
        known = self.strata.notna().to_numpy()
        if role is None:
            raise QueryError(
                "completeness: none of the stations is in the registers that the table was "
                "estimated from (by id and position): pass one of them, or both merged"
            )
        self._role = role
        self._other = self._registers.only_in_other(role)
        self.unseen, without = _count_unseen(asked.table, self._registers)
        self._check_filters(known)
        self.facts = self._describe_missing(known, without)
        if without:
            warn_user(
                f"completeness has no upper bound for {len(without)} strata (first: "
                f"{without[0]!r}): the high bounds have no unseen stations there",
                InexactMethod,
            )

    def draws(self) -> Iterator[gpd.GeoDataFrame]:
        """
        Iterate over tables of the missing stations, one a draw.

        Yields
        ------
        geopandas.GeoDataFrame
            Station tables with the columns that all tables have in common, and with
            ``missing_because`` and ``stratum``; their ids are new.
        """
        for number in range(self.n_draws):
            yield self.draw(number)

    @property
    def n_draws(self) -> int:
        """The number of draws that differ."""
        return self.asked.n_draws if any(self.unseen.values()) else 0

    def other(self) -> gpd.GeoDataFrame:
        """
        Return the stations that only the other register has.

        Returns
        -------
        geopandas.GeoDataFrame
            As of `draws`.
        """
        return self._assemble_missing([], [])

    def keep_after_thinning(
        self, strata: pd.Series[Any], lonlat: NDArray[np.float64], number: int
    ) -> NDArray[np.bool_]:
        """
        Leave out as many recorded stations of each stratum as are unseen, or a part of them.

        Parameters
        ----------
        strata : pandas.Series
            The stratum of each station; missing: it stays.
        lonlat : numpy.ndarray of shape (n, 2)
            Their positions.
        number : int
            Number of the draw.

        Returns
        -------
        numpy.ndarray of bool
            The stations that stay.
        """
        keep = np.ones(len(strata), dtype=bool)
        names = strata.astype(object).where(strata.notna(), None).to_numpy()
        order = np.lexsort((strata.index.astype(str), lonlat[:, 1], lonlat[:, 0]))
        for stratum, n in self.unseen.items():
            rows = order[np.isin(order, self._find_members(names, stratum))]
            share = n / self.loss_factor / max(self._n_recorded[stratum], 1)
            key = [self.asked.seed, number, zlib.crc32(stratum.encode()), 1]
            rank = np.random.default_rng(key).random(len(rows)).argsort()
            keep[rows[rank[: round(share * len(rows))]]] = False
        return keep

    @property
    def loss_factor(self) -> float:
        """Unseen stations for each one left out, at least 1: at most half are left out."""
        parts = [n / max(self._n_recorded[name], 1) for name, n in self.unseen.items()]
        return max(1.0, 2.0 * max(parts, default=0.0))

    @cached_property
    def _n_recorded(self) -> dict[str, int]:
        """The number of stations of each stratum that either register has."""
        names = self._registers.recorded["_stratum"].to_numpy(dtype=object, na_value=None)
        return {stratum: len(self._find_members(names, stratum)) for stratum in self.unseen}

    def _find_members(self, strata: NDArray[np.object_], stratum: str) -> NDArray[np.intp]:
        """Find the stations of a row of the table."""
        if stratum != POOLED:
            return np.flatnonzero(strata == stratum)
        known = np.array([bool(name) for name in strata], dtype=bool)
        return np.flatnonzero(known & ~np.isin(strata.astype(str), list(self.asked.table.index)))

    def draw(self, number: int) -> gpd.GeoDataFrame:
        """
        Return the missing stations of one draw.

        Parameters
        ----------
        number : int
            Its number, from 0.

        Returns
        -------
        geopandas.GeoDataFrame
            As of `draws`.
        """
        names = self._registers.recorded["_stratum"].to_numpy(dtype=object, na_value=None)
        rows, places = [], []
        for stratum, n in self.unseen.items():
            donors = self._find_members(names, stratum)
            key = self.asked.seed, number, stratum
            row, lonlat = self._registers.neighbourhoods.draw(donors, n, key)
            rows.append(row)
            places.append(lonlat)
        return self._assemble_missing(rows, places)

    def _assemble_missing(
        self, rows: list[NDArray[np.intp]], places: list[NDArray[np.float64]]
    ) -> gpd.GeoDataFrame:
        """Put the stations of the other register and unseen ones into one table."""
        row = np.concatenate([np.empty(0, dtype=np.intp), *rows])
        unseen = self._registers.recorded.iloc[row].drop(columns="_stratum")
        lonlat = np.concatenate([np.empty((0, 2)), *places])
        unseen = unseen.set_geometry(gpd.points_from_xy(*lonlat.T, crs=CRS))
        parts = [part for part in (self._other, unseen) if len(part)]
        made = pd.concat(parts, join="inner") if parts else self._stations.iloc[:0]
        made = made.drop(columns=made.columns.difference(self._stations.columns))
        made["missing_because"] = np.repeat([_OTHER, _NEITHER], [len(self._other), len(unseen)])
        names: Any = np.repeat(list(self.unseen), [len(row) for row in rows]) if rows else []
        of_other = self._registers.strata[1 if self._role == "a" else 0]
        there = of_other.reindex(self._other.index).to_numpy(dtype=object)
        made["stratum"] = pd.array([*there, *names], dtype="string")
        return made.set_axis(_make_ids(self._stations.index, len(made)))

    def add_to(self, stations: gpd.GeoDataFrame, missing: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """
        Return a table of stations with missing ones added.

        Parameters
        ----------
        stations : geopandas.GeoDataFrame
            Stations.
        missing : geopandas.GeoDataFrame
            As of `draws`.

        Returns
        -------
        geopandas.GeoDataFrame
            Both, with the columns that both have.
        """
        if not len(missing):
            return stations
        placed = point_frame(stations, "stations")
        both = pd.concat([placed, missing], join="inner") if len(placed) else missing
        both.index.name = stations.index.name
        return carry(gpd.GeoDataFrame(both, geometry="geometry", crs=CRS), stations)

    def _check_filters(self, known: NDArray[np.bool_]) -> None:
        """Warn if many stations of the register are left out where the given ones lie."""
        if self._role == "merged":
            return
        register = self._registers.tables[0 if self._role == "a" else 1]
        given = self._stations[known]
        hull = given.geometry.union_all().convex_hull
        n = int(register.geometry.intersects(hull).sum())
        if n - len(given) > _MUCH_LEFT_OUT * n:
            warn_user(
                f"completeness was estimated from {n:,} stations where `stations` has "
                f"{len(given):,}: are both cut by the same filters? Estimate it from tables of the "
                "kind of station that is measured",
                SuspectInput,
            )

    def _describe_missing(self, known: NDArray[np.bool_], without: list[str]) -> dict[str, Any]:
        """Describe the missing stations in plain JSON."""
        table = self.asked.table
        total = table.iloc[-1]
        share = "share_b" if self._role == "b" else "share_a"
        made = read_attrs(table).get("completeness", {})
        held = None
        if self._role != "merged":
            held = [
                _round_share(total[f"{share}{end}"])
                for end in ("_dependent_low", "", "_dependent_high")
            ]
        return {
            "stations_are": self._role,
            "share_recorded_low_central_high": held,
            "n_outside_registers": int((~known).sum()),
            "n_only_in_other": len(self._other),
            "n_unseen_high": sum(self.unseen.values()),
            "strata_without_bound": len(without),
            "first_without_bound": without[:3],
            "odds_ratios": made.get("odds_ratios"),
            "model": _MODEL,
            "assumes": _ASSUMES,
            "n_draws": self.asked.n_draws,
            "seed": self.asked.seed,
        }


def _round_share(value: float) -> float | None:
    """Round a share to plain JSON, which has no NaN."""
    return round(float(value), 4) if np.isfinite(value) else None


def _count_unseen(
    table: pd.DataFrame, registers: PairedRegisters
) -> tuple[dict[str, int], list[str]]:
    """Count the stations that neither register has, at most, by stratum; and the unbounded ones."""
    rows = table if len(table) == 1 else table[table.index != ALL_STRATA]
    unseen, without = {}, []
    for stratum, row in rows.sort_index().iterrows():
        recorded = row["n_a"] + row["n_b"] - row["n_both"]
        n = row["n_estimated_dependent_high"] - recorded
        if n <= _MANY_TIMES * max(recorded, 1):
            unseen[str(stratum)] = max(round(n), 0)
        else:
            without.append(str(stratum))
    named = {name for strata in registers.strata for name in strata.dropna().unique()}
    if POOLED not in table.index:
        without += sorted(named - set(rows.index.astype(str)))
    if any(strata.isna().any() for strata in registers.strata):
        without.append("(outside all areas)")
    return unseen, without


def _make_ids(index: pd.Index[Any], n: int) -> pd.Index[Any]:
    """Make ids that no station has: negative numbers, or texts."""
    if pd.api.types.is_integer_dtype(index.dtype):
        start = min(int(index.min()), 0) if len(index) else 0
        return pd.Index(start - 1 - np.arange(n), name=index.name)
    return pd.Index([f"missing {i}" for i in range(1, n + 1)], name=index.name, dtype=object)


def find_missing(stations: gpd.GeoDataFrame, completeness: object) -> Missing | None:
    """
    Find the stations missing from a table.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.
    completeness : object
        The argument of that name.

    Returns
    -------
    Missing or None
        None without completeness.
    """
    asked = check_completeness(completeness)
    return None if asked is None else Missing(station_table(stations), asked)


def place_missing(
    stations: gpd.GeoDataFrame, completeness: pd.DataFrame | MissingStations, *, draw: int = 0
) -> gpd.GeoDataFrame:
    """
    Return the stations missing from a table, as many as completeness allows.

    These are what the high bounds of measures contain with ``completeness=``, for maps and
    checks. They are no data: apart from those that the other register records, they are draws
    from a model.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        One of the two registers, or both merged; also a part of it cut by an area.
    completeness : pandas.DataFrame or MissingStations
        A table of `completeness`, or with a seed.
    draw : int
        The number of the draw, from 0.

    Returns
    -------
    geopandas.GeoDataFrame
        A station table with ``missing_because`` ("only in the other register", "in neither
        register") and ``stratum``. Ids are new: negative numbers or texts.

    Raises
    ------
    QueryError
        If an argument is wrong, or the stations are in neither register.

    Warns
    -----
    InexactMethod
        If a stratum has no upper bound: nothing is placed there.
    SuspectInput
        If many stations of the register are left out where the given ones lie.

    Notes
    -----
    See `ocm_geo.quality.placing` for the model and its source.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> stations = ocm.stations_from_country("NL", source="sample")
    >>> a, b = stations.iloc[::2], stations.iloc[::3]
    >>> missing = ocm.place_missing(a, ocm.completeness(a, b))
    >>> int((missing["missing_because"] == "only in the other register").sum())
    139
    """
    found = find_missing(stations, completeness)
    if found is None:
        raise QueryError("completeness must be a table of ocm.completeness, not None")
    made = found.draw(check_whole(draw, "draw", low=0))
    return carry(made, stations, completeness=found.facts)
