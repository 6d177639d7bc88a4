"""Stations by their date of entry, split by data provider or another column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError
from ocm_geo.ids import station_table
from ocm_geo.plots.axes import add_caption, legend_below, new_axes, put_title, tune
from ocm_geo.plots.room import box_inches
from ocm_geo.plots.style import INK, OTHER, SERIES, STATIONS, counted, plain, require
from ocm_geo.plots.text import small_size
from ocm_geo.provenance import read_attrs
from ocm_geo.reference import attribution, reference_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from ocm_geo.reference.tables import ReferenceData

__all__ = ["GROWTH_WARNING", "plot_growth"]

GROWTH_WARNING = (
    "Dates of entry are not dates of opening: an import enters the stations of years in one day. "
    "Stations removed since are missing."
)
_SUMS = {"snapshot", "date", "n_stations", "n_births", "n_removals"}
"""Columns by which a table of `ocm_geo.growth` is known."""
_TICKS_PER_INCH = 1.8
_SMALL_INCHES, _FEW = 3.1, 3
_DATE = len("2020-01-31")
_HATCHES = ("", "///", "", "\\\\\\", "", "...")


def plot_growth(
    stations: pd.DataFrame,
    *,
    by: str | None = "data_provider",
    reference: ReferenceData | None = None,
    ax: Axes | None = None,
) -> Axes:
    """
    Plot the number of stations entered by each date, split by data provider.

    Dates of entry are not dates of opening: an import enters the stations of years in one day, and
    stations that were removed since are missing. The caption contains this warning.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table with ``date_created``; or a table of `ocm_geo.growth`, which is drawn as it
        is, by the date of the data, and needs no such warning: ``by`` and ``reference`` do not
        count then.
    by : str, optional
        Column that splits the stations; the data provider by default, None for no split. The
        five largest groups (three on small axes) have a colour, the others are joined.
    reference : ReferenceData, optional
        Names of the providers; by default the reference data of the table's source.
    ax : matplotlib.axes.Axes, optional
        Axes to draw on; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Axes with stacked sums by day, up to the date of the data, which is marked: the last year
        is rarely complete. The caption counts the stations without a date and names the day with
        most entries.

    Raises
    ------
    QueryError
        If a column is missing, or no station has a date.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ax = ocm.plot_growth(ocm.stations(source=ocm.sample()))
    >>> ax.get_title(loc="left")
    'Stations by date of entry'
    """
    if set(getattr(stations, "columns", ())) >= _SUMS:
        return _plot_snapshots(stations, ax)
    require(stations, "date_created", made_by=STATIONS)
    stations = station_table(stations, placed=False)
    days = pd.to_datetime(stations["date_created"], utc=True).dt.tz_localize(None).dt.floor("D")
    dated = days.notna().to_numpy()
    if not dated.any():
        raise QueryError("no station of the table has a date of entry (date_created)")
    groups = _read_providers(stations, by, reference)[dated]
    counts = pd.crosstab(days[dated].to_numpy(), groups.to_numpy())
    ax = new_axes(ax, 7.0, 4.8)
    end = _find_data_end(stations, days.max())
    most = len(SERIES) if box_inches(ax)[1] > _SMALL_INCHES else _FEW
    sums = _add_up(_sort_groups(counts, most), end)
    _draw_sums(ax, sums)
    _mark_data_end(ax, end)
    put_title(ax, "Stations by date of entry")
    tune(ax, "date of entry (not of opening)", "stations entered so far")
    if by is not None:
        legend_below(ax)
    facts = _describe_entries(counts, int((~dated).sum()))
    add_caption(ax, stations, *facts, note=GROWTH_WARNING)
    return ax


def _find_data_end(stations: pd.DataFrame, newest: pd.Timestamp) -> pd.Timestamp:
    """Return the day up to which stations could be entered: of the data, or the newest entry."""
    attrs = read_attrs(stations)
    # Stations may be newer than the date of the data says: none must fall off the axis.
    said = str(attrs.get("data_date") or attrs.get("retrieved") or newest)
    return max(pd.Timestamp(said[:_DATE]), newest)


def _mark_data_end(ax: Axes, end: pd.Timestamp) -> None:
    """Mark the day at which the data end."""
    day = float(_count_days(pd.DatetimeIndex([end]))[0])
    ax.axvline(day, color=INK, lw=0.8, ls=":")
    ax.annotate(
        f"data end {end.date()}",
        (day, 1),
        xycoords=("data", "axes fraction"),
        xytext=(-3, -3),
        textcoords="offset points",
        ha="right",
        va="top",
        fontsize=small_size(ax),
        color=INK,
        bbox={"facecolor": "white", "alpha": 0.8, "pad": 0.6, "lw": 0},
    )


def _describe_entries(counts: pd.DataFrame, undated: int) -> list[str]:
    """Return the facts of the caption: number of stations, and the day with most entries."""
    a_day = counts.sum(axis=1)
    top = int(np.argmax(a_day.to_numpy(dtype=float)))
    day = pd.DatetimeIndex(counts.index)[top].date()
    return [
        counted(int(a_day.sum()), "station"),
        f"{undated:,} more without a date" if undated else "",
        f"most in one day: {int(a_day.iloc[top]):,} ({day})",
    ]


def _read_providers(
    stations: pd.DataFrame, by: str | None, reference: ReferenceData | None
) -> pd.Series[str]:
    """Return the group of each station: its data provider, or the value of another column."""
    if by is None:
        return pd.Series("stations", index=stations.index)
    if by == "data_provider" and by not in stations:
        require(stations, "data_provider_id", made_by=STATIONS)
        table = attribution(stations, reference or reference_of(stations, ask=False)).table
        ids = stations["data_provider_id"].fillna(-1).astype("int64")
        names = dict(zip(table["data_provider_id"].fillna(-1), table["data_provider"], strict=True))
        return ids.map(names).astype(str)
    require(stations, by, made_by="ocm_geo.add_labels")
    return stations[by].astype("string").fillna("not known").astype(str)


def _sort_groups(counts: pd.DataFrame, most: int) -> pd.DataFrame:
    """Return the largest groups in order, the others joined as the last."""
    order = counts.sum().sort_values(ascending=False, kind="stable").index
    sorted_ = counts[order]
    # Joining a single group would save nothing and hide its name.
    if len(order) <= most + 1:
        return sorted_
    rest = sorted_.iloc[:, most:]
    return sorted_.iloc[:, :most].assign(**{f"{rest.shape[1]} others": rest.sum(axis=1)})


def _count_days(days: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Return dates as numbers on matplotlib's axes."""
    from matplotlib.dates import date2num  # noqa: PLC0415 - loaded when needed

    return np.asarray(date2num(days.to_pydatetime()))  # type: ignore[no-untyped-call]


def _add_up(counts: pd.DataFrame, end: pd.Timestamp) -> pd.DataFrame:
    """Return the sums of entries by day, from the day before the first to the end of the data."""
    # The sums start at 0 the day before the first entry, and run on to the end of the data.
    first = counts.index[0] - pd.Timedelta(days=1)
    start, stop = (pd.DataFrame(0, [day], counts.columns) for day in (first, end))
    return pd.concat([start, counts, stop]).cumsum()


def _plot_snapshots(table: pd.DataFrame, ax: Axes | None) -> Axes:
    """Draw what `ocm_geo.growth` measured: one step a snapshot."""
    facts = read_attrs(table).get("growth", {})
    by = facts.get("by")
    groups = np.full(len(table), "stations") if by is None else table[by].astype(str).to_numpy()
    sums = pd.crosstab(
        pd.DatetimeIndex(table["date"]), groups, values=table["n_stations"], aggfunc="sum"
    ).fillna(0)
    ax = new_axes(ax, 7.0, 4.8)
    most = len(SERIES) if box_inches(ax)[1] > _SMALL_INCHES else _FEW
    _draw_sums(ax, _sort_groups(sums.astype(float), most))
    _mark_data_end(ax, sums.index[-1])
    put_title(ax, "Stations by date of the data")
    tune(ax, "date of the data", "published stations")
    if by is not None:
        legend_below(ax)
    add_caption(ax, table, *_describe_snapshots(table, str(facts.get("as_known", "then"))))
    return ax


def _describe_snapshots(table: pd.DataFrame, as_known: str) -> list[str]:
    """Return the facts of the caption: how many snapshots, and what came and went between them."""
    n_births, n_removals = (int(table[name].sum()) for name in ("n_births", "n_removals"))
    return [
        counted(table["snapshot"].nunique(), "snapshot"),
        f"as known {as_known}",
        f"{n_births:,} born and {n_removals:,} removed since the first",
    ]


def _draw_sums(ax: Axes, sums: pd.DataFrame) -> None:
    """Draw the sums of the groups on top of each other; they rise on the day of entry."""
    from matplotlib.dates import (  # noqa: PLC0415 - loaded when needed
        AutoDateLocator,
        ConciseDateFormatter,
    )
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - loaded when needed

    days = _count_days(pd.DatetimeIndex(sums.index))
    # The largest group is at the bottom, where it has a level base and its shape can be read.
    low = np.zeros(len(sums))
    for rank, (name, total) in enumerate(sums.items()):
        high = low + total.to_numpy()
        ax.fill_between(
            days, low, high, step="post", facecolor=[*SERIES, OTHER][rank], edgecolor="white",
            lw=0.3, hatch=_HATCHES[rank], label=plain(f"{name} ({int(total.iloc[-1]):,})"),
        )  # fmt: skip
        low = high
    # Entries of a single day would have an axis without width.
    last = max(days[-1], days[0] + 30)
    ax.set_xlim(days[0], last + 0.01 * (last - days[0]))
    ax.set_ylim(0, 1.12 * low[-1])
    ax.xaxis_date()
    most = int(np.clip(_TICKS_PER_INCH * box_inches(ax)[0], 3, 10))
    locator = AutoDateLocator(minticks=2, maxticks=most)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    ax.yaxis.set_major_locator(MaxNLocator("auto", steps=[1, 2, 5, 10], integer=True))
    ax.yaxis.set_major_formatter("{x:,.0f}")
