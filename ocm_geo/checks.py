"""Check arguments, with one wording for each kind: the argument, the value and the remedy.

Each ``check_…`` takes the value and the name of the argument, returns the value in one type, and
raises `QueryError` for anything else: text, booleans, None, NaN and ``pandas.NA`` are not numbers.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
import warnings
from collections.abc import Iterable, Sized
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from ocm_geo.errors import QueryError, SuspectInput

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = [
    "SUSPECT_KM",
    "check_choice",
    "check_crs",
    "check_engine",
    "check_flag",
    "check_km",
    "check_km_list",
    "check_minutes",
    "check_minutes_list",
    "check_number",
    "check_ocm_id",
    "check_options",
    "check_power",
    "check_share",
    "check_whole",
    "is_duration",
    "is_missing",
    "minutes_of",
    "short_form",
    "warn_user",
]

SUSPECT_KM = 1000.0
"""Longer distances are probably in metres: a circle of this radius contains most of a continent."""

_MAX_KM = 20037.6
"""No two points on WGS84 are farther apart."""
_MAX_POWER_KW = 10_000.0
_SHOWN = 60
_PACKAGE = str(Path(__file__).parent)


def warn_user(message: str, category: type[Warning]) -> None:
    """Warn at the line of the user's code that called this package."""
    frame, level = sys._getframe(1), 2  # noqa: SLF001 - as the module warnings does it
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def short_form(value: object) -> str:
    """
    Return the type and a short form of a value for a message, never a whole table.

    Parameters
    ----------
    value : object
        Any value.

    Returns
    -------
    str
        For example ``the str '5 km'``, ``a GeoDataFrame of 3 rows`` or ``None``.
    """
    if isinstance(value, type):
        return f"the class {value.__name__}"
    kind = type(value).__name__
    if isinstance(value, pd.DataFrame | pd.Series | pd.Index | np.ndarray):
        return f"a {kind} of {len(np.atleast_1d(value))} rows"
    if isinstance(value, float | np.floating):
        return f"{value:g}"
    if _is_number(value) or isinstance(value, bool | np.bool_) or is_missing(value):
        return str(value)
    text = " ".join((str(value) if is_duration(value) else repr(value)).split())
    if len(text) <= _SHOWN:
        return f"the {kind} {text}"
    size = f" of {len(value)}" if isinstance(value, Sized) else ""
    return f"the {kind}{size} {text[:_SHOWN]}…"


def is_missing(value: object) -> bool:
    """Return whether a value is None, NaN, NaT or ``pandas.NA``; only scalars can be."""
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))  # type: ignore[call-overload]


def _is_number(value: object) -> bool:
    """Return whether a value is a real number, and neither a flag nor a duration."""
    # Python considers a timedelta64 of NumPy an integer.
    return isinstance(value, Real) and not isinstance(value, bool | np.timedelta64)


def check_number(
    value: Any,  # noqa: ANN401 - checked here
    name: str,
    *,
    low: float = -math.inf,
    high: float = math.inf,
    above: float | None = None,
    unit: str = "",
) -> float:
    """
    Check a finite number.

    Parameters
    ----------
    value : object
        The argument.
    name : str
        Its name.
    low, high : float
        Minimum and maximum, inclusive.
    above : float, optional
        The number must be greater than this.
    unit : str
        Unit, for the message: ``"km"``, ``"kW"``.

    Returns
    -------
    float
        The number.
    """
    wanted = _describe_range(low, high, above, unit)
    if not _is_number(value):
        raise QueryError(
            f"{name} must be {wanted}, not {short_form(value)}{_hint_for_value(value)}"
        )
    number = float(value)
    enough = above is None or number > above
    if not (math.isfinite(number) and low <= number <= high and enough):
        raise QueryError(f"{name} must be {wanted}, not {short_form(value)}")
    return number


def _describe_range(low: float, high: float, above: float | None, unit: str) -> str:
    """Return the required range of a number in words."""
    of = f" of {unit}" if unit else ""
    if above is not None:
        return f"a finite number{of} above {above:g}"
    if low > -math.inf and high < math.inf:
        return f"a number{of} from {low:g} to {high:g}"
    return f"a finite number{of}" + (f", {low:g} or more" if low > -math.inf else "")


def _hint_for_value(value: object) -> str:
    """Return the remedy for values that are often passed instead of a number."""
    if is_missing(value):
        return ": the value is missing"
    if is_duration(value):
        return ": a duration cannot be used here"
    if isinstance(value, str):
        return ": pass the number without quotes and unit"
    return ": pass one number" if isinstance(value, Sized) else ""


def check_whole(
    value: Any,  # noqa: ANN401 - checked here
    name: str,
    *,
    low: int = 1,
    high: int | None = None,
) -> int:
    """Check a whole number in a range, both ends included; a float such as 3.0 is valid."""
    if _is_number(value) and math.isfinite(value) and value == int(value) and value >= low:
        number = int(value)
        if high is None or number <= high:
            return number
    limits = f", {low} or more" if high is None else f" from {low} to {high}"
    hint = "" if _is_number(value) else _hint_for_value(value)
    raise QueryError(f"{name} must be a whole number{limits}, not {short_form(value)}{hint}")


def check_share(value: Any, name: str) -> float:  # noqa: ANN401 - checked here
    """Check a number from 0 to 1; the error for a larger one suggests percent."""
    is_percent = _is_number(value) and 1 < value <= 100  # noqa: PLR2004 - percent
    if is_percent:
        raise QueryError(
            f"{name} must be a number from 0 to 1, not {value:g}: {value:g} % is {value / 100:g}"
        )
    return check_number(value, name, low=0.0, high=1.0)


def check_power(value: Any, name: str) -> float:  # noqa: ANN401 - checked here
    """Check a power in kW, 0 or more; a power that must be in watts is an error."""
    power = check_number(value, name, low=0.0, unit="kW")
    if power > _MAX_POWER_KW:
        raise QueryError(
            f"{name}={power:g} kW is more than any charger delivers: powers are in kW, not W; for "
            f"{power:g} W pass {name}={power / 1000:g}"
        )
    return power


def check_km(value: Any, name: str, *, suspect_from: float = SUSPECT_KM) -> float:  # noqa: ANN401
    """
    Check a distance.

    Parameters
    ----------
    value : object
        The argument, in km.
    name : str
        Its name.
    suspect_from : float
        Warn at this distance or more, which is probably in metres.

    Returns
    -------
    float
        Kilometres.

    Raises
    ------
    QueryError
        If it is not a finite number above 0, or more than half the circumference of the Earth.

    Warns
    -----
    SuspectInput
        If it is `suspect_from` or more.
    """
    number = check_number(value, name, above=0.0, unit="km")
    metres = f"for {number:g} m pass {name}={number / 1000:g}"
    if number > _MAX_KM:
        raise QueryError(
            f"{name}={number:g} km is more than half the circumference of the Earth: distances are "
            "in km; "
            f"{metres}"
        )
    if number >= suspect_from:
        warn_user(f"{name}={number:g} km is a very long distance: {metres}", SuspectInput)
    return number


def check_km_list(values: Any, name: str) -> list[float]:  # noqa: ANN401 - one or several
    """Check one or several distances in km; return them ascending, each once."""
    return sorted(
        {check_km(value, name) for value in _list_arguments(values, name, "distance in km")}
    )


def _list_arguments(values: Any, name: str, kind: str) -> list[Any]:  # noqa: ANN401 - one or several
    """Return the values of an argument that may be one or several."""
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | dict | pd.DataFrame):
        return [values]
    found = list(np.atleast_1d(values)) if isinstance(values, np.ndarray) else list(values)
    if not found:
        raise QueryError(f"{name} is empty: pass at least one {kind}")
    return found


def is_duration(value: object) -> bool:
    """Return whether a value is a timedelta of Python, NumPy or pandas."""
    return isinstance(value, dt.timedelta | np.timedelta64)


def minutes_of(duration: Any) -> float:  # noqa: ANN401 - a timedelta of any kind
    """Convert a timedelta to minutes; NaN for NaT."""
    return float(pd.Timedelta(duration) / pd.Timedelta(minutes=1))


def check_minutes(value: Any, name: str = "minutes") -> float:  # noqa: ANN401 - checked here
    """Check a time: a number of minutes above 0, or a timedelta, which is converted."""
    number = minutes_of(value) if is_duration(value) else value
    if not (_is_number(number) and 0 < number < math.inf):
        raise QueryError(
            f"{name} must be a positive number of minutes or a timedelta, not {short_form(value)}"
        )
    return float(number)


def check_minutes_list(values: Any, name: str = "minutes") -> list[float]:  # noqa: ANN401
    """Check one or several times; return them ascending in minutes, each once."""
    times = _list_arguments(values, name, "time in minutes")
    return sorted({check_minutes(value, name) for value in times})


def check_choice(value: Any, name: str, choices: Collection[str]) -> str:  # noqa: ANN401
    """Check one of several words."""
    if isinstance(value, str) and value in choices:
        return value
    allowed = ", ".join(map(repr, choices))
    raise QueryError(f"{name} must be one of {allowed}, not {short_form(value)}")


def check_flag(value: Any, name: str) -> bool:  # noqa: ANN401 - checked here
    """Check True or False; a text such as "no" would count as True."""
    if not isinstance(value, bool | np.bool_):
        raise QueryError(f"{name} must be True or False, not {short_form(value)}")
    return bool(value)


def check_engine(engine: Any, *methods: str) -> Any:  # noqa: ANN401 - any engine
    """Check that a routing engine has the required methods."""
    lacking = [name for name in methods if not callable(getattr(engine, name, None))]
    if isinstance(engine, type) or lacking:
        can = " and ".join(f"{name}()" for name in lacking or methods)
        raise QueryError(
            f"engine must be a routing engine with {can}, such as ocm.Valhalla(url) or "
            f"ocm.ValhallaTiles(folder), not {short_form(engine)}"
        )
    return engine


def check_options(given: Iterable[str], allowed: Collection[str], what: str) -> None:
    """Check the names of keyword options of a function."""
    for name in given:
        if name not in allowed:
            options = ", ".join(allowed)
            raise QueryError(f"{name!r} is not an option of {what}: the options are {options}")


def check_ocm_id(value: Any, name: str = "ocm_id") -> int:  # noqa: ANN401 - checked here
    """
    Check an id of Open Charge Map: a positive whole number.

    A whole float is valid: pandas converts a column of ids with a missing value to floats.
    """
    if _is_number(value) and math.isfinite(value) and value == int(value) and value > 0:
        return int(value)
    is_text = isinstance(value, str) and not value.strip().isdigit()
    hint = "; a UUID or the id of another register is not an OCM id" if is_text else ""
    raise QueryError(f"{name} must be a positive whole number, not {short_form(value)}{hint}")


def check_crs(table: Any, what: str) -> None:  # noqa: ANN401 - GeoDataFrame or GeoSeries
    """
    Check that a table has a coordinate reference system.

    Parameters
    ----------
    table : geopandas.GeoDataFrame or geopandas.GeoSeries
        The argument.
    what : str
        Its name.

    Raises
    ------
    QueryError
        If it has none.

    Warns
    -----
    SuspectInput
        If the system is in metres and all coordinates look like degrees.
    """
    if table.crs is None:
        raise QueryError(
            f"{what} has no coordinate reference system (CRS): set it, with "
            "set_crs('EPSG:4326') if the coordinates are longitude and latitude"
        )
    if not len(table) or not table.crs.is_projected:
        return
    bounds = np.abs(table.total_bounds)
    # A single point at the origin of a local system is not suspicious.
    if np.all(bounds <= (180.0, 90.0, 180.0, 90.0)) and np.any(bounds > 1.0):
        warn_user(
            f"{what}: the coordinates look like degrees, but the coordinate reference system is "
            f"{table.crs.name!r} in {table.crs.axis_info[0].unit_name}s: if they are longitude and "
            "latitude, use set_crs('EPSG:4326', allow_override=True)",
            SuspectInput,
        )
