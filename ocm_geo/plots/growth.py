"""Sites by the date they were entered, split by who supplied them."""

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
    "Dates of entry are not dates of opening: an import enters years of sites in a day. "
    "Sites removed since are missing."
)
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
    Draw how many stations were entered by date, split by data provider.

    This is no curve of charging sites opened: an import enters years of them in a day, and sites
    that were removed since are missing. The figure says so.

    Parameters
    ----------
    stations : pandas.DataFrame
        A station table, with ``date_created``.
    by : str, optional
        The column that splits it; the data provider by default, None for no split. The five
        largest groups (three on small axes) have a colour, the rest is put together.
    reference : ReferenceData, optional
        Names of the providers; by default the reference data of the source that the table came
        from.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        Stacked sums by day, to the date of the data, which is marked: the last year is seldom
        whole. The caption counts the sites without a date and names the day on which most were
        entered.

    Raises
    ------
    QueryError
        If a column is missing, or no site has a date.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> ax = ocm.plot_growth(ocm.stations(source=ocm.sample()))
    >>> ax.get_title(loc="left")
    'Stations by date of entry'
    """
    require(stations, "date_created", made_by=STATIONS)
    stations = station_table(stations, placed=False)
    days = pd.to_datetime(stations["date_created"], utc=True).dt.tz_localize(None).dt.floor("D")
    dated = days.notna().to_numpy()
    if not dated.any():
        raise QueryError("no site of the table has a date of entry (date_created)")
    groups = _groups(stations, by, reference)[dated]
    counts = pd.crosstab(days[dated].to_numpy(), groups.to_numpy())
    ax = new_axes(ax, 7.0, 4.8)
    end = _end_of_data(stations, days.max())
    most = len(SERIES) if box_inches(ax)[1] > _SMALL_INCHES else _FEW
    _draw(ax, _largest_first(counts, most), end)
    _mark_end(ax, end)
    put_title(ax, "Stations by date of entry")
    tune(ax, "date of entry (not of opening)", "sites entered so far")
    if by is not None:
        legend_below(ax)
    facts = _facts(counts, int((~dated).sum()))
    add_caption(ax, stations, *facts, note=GROWTH_WARNING)
    return ax


def _end_of_data(stations: pd.DataFrame, newest: pd.Timestamp) -> pd.Timestamp:
    """Give the day up to which sites could be entered: of the data, else of the newest entry."""
    attrs = read_attrs(stations)
    said = str(attrs.get("data_date") or attrs.get("retrieved") or newest)
    return max(pd.Timestamp(said[:_DATE]), newest)


def _mark_end(ax: Axes, end: pd.Timestamp) -> None:
    day = float(_in_days(pd.DatetimeIndex([end]))[0])
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


def _facts(counts: pd.DataFrame, undated: int) -> list[str]:
    a_day = counts.sum(axis=1)
    top = int(np.argmax(a_day.to_numpy(dtype=float)))
    day = pd.DatetimeIndex(counts.index)[top].date()
    return [
        counted(int(a_day.sum()), "site"),
        f"{undated:,} more without a date" if undated else "",
        f"most on one day: {int(a_day.iloc[top]):,} ({day})",
    ]


def _groups(
    stations: pd.DataFrame, by: str | None, reference: ReferenceData | None
) -> pd.Series[str]:
    if by is None:
        return pd.Series("sites", index=stations.index)
    if by == "data_provider" and by not in stations:
        require(stations, "data_provider_id", made_by=STATIONS)
        table = attribution(stations, reference or reference_of(stations, ask=False)).table
        ids = stations["data_provider_id"].fillna(-1).astype("int64")
        names = dict(zip(table["data_provider_id"].fillna(-1), table["data_provider"], strict=True))
        return ids.map(names).astype(str)
    require(stations, by, made_by="ocm_geo.add_labels")
    return stations[by].astype("string").fillna("not known").astype(str)


def _largest_first(counts: pd.DataFrame, most: int) -> pd.DataFrame:
    order = counts.sum().sort_values(ascending=False, kind="stable").index
    sorted_ = counts[order]
    if len(order) <= most + 1:
        return sorted_
    rest = sorted_.iloc[:, most:]
    return sorted_.iloc[:, :most].assign(**{f"{rest.shape[1]} others": rest.sum(axis=1)})


def _in_days(days: pd.DatetimeIndex) -> NDArray[np.float64]:
    """Count days as matplotlib's axes do."""
    from matplotlib.dates import date2num  # noqa: PLC0415 - loaded when needed

    return np.asarray(date2num(days.to_pydatetime()))  # type: ignore[no-untyped-call]


def _draw(ax: Axes, counts: pd.DataFrame, end: pd.Timestamp) -> None:
    """Stack sums that step up on the day of entry."""
    from matplotlib.dates import (  # noqa: PLC0415 - loaded when needed
        AutoDateLocator,
        ConciseDateFormatter,
    )
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - loaded when needed

    first = counts.index[0] - pd.Timedelta(days=1)
    start, stop = (pd.DataFrame(0, [day], counts.columns) for day in (first, end))
    sums = pd.concat([start, counts, stop]).cumsum()
    days = _in_days(pd.DatetimeIndex(sums.index))
    low = np.zeros(len(sums))
    for rank, (name, total) in enumerate(sums.items()):
        high = low + total.to_numpy()
        ax.fill_between(
            days, low, high, step="post", facecolor=[*SERIES, OTHER][rank], edgecolor="white",
            lw=0.3, hatch=_HATCHES[rank], label=plain(f"{name} ({int(total.iloc[-1]):,})"),
        )  # fmt: skip
        low = high
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
