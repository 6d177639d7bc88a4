"""Answers compared with right and wrong ones: numbers, texts, ids, series and geometry."""

from __future__ import annotations

import math
import re
from numbers import Real
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from ocm_geo.checks import short_form
from ocm_geo.schema import CRS
from ocm_geo.teaching.exercise import COUNT

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["AnswerOfOtherKind", "are_equal", "explain_difference", "read_answer"]

_KM_PER_MILE = 1.609344
_KM_PER_DEGREE = 111.32
_IN_KM = {"km": 1.0, "m": 0.001, "mi": _KM_PER_MILE, "miles": _KM_PER_MILE}
_IN_SHARES = {"share": 1.0, "": 1.0, "%": 0.01, "percent": 0.01, "per cent": 0.01}
_IN_KW = {"kW": 1.0, "W": 0.001, "MW": 1000.0}
_TABLES = {"km": _IN_KM, "share": _IN_SHARES, "kW": _IN_KW}
_UNITS: dict[str, dict[str, float]] = {
    "km": {
        "metres, not km?": 1000.0,
        "miles, not km?": 1 / _KM_PER_MILE,
        "km taken for miles and converted?": _KM_PER_MILE,
        "degrees, not km? Measure on the ellipsoid": 1 / _KM_PER_DEGREE,
    },
    "km²": {
        "m², not km²?": 1e6,
        "hectares, not km²?": 100.0,
        "square miles, not km²?": 1 / _KM_PER_MILE**2,
        "square degrees, not km²?": 1 / _KM_PER_DEGREE**2,
    },
    "share": {"per cent? The answer is a share from 0 to 1": 100.0},
    "kW": {"W, not kW?": 1000.0, "MW, not kW?": 0.001},
    "people": {"thousands? The answer is a number of people": 0.001, "millions?": 1e-6},
}
_WITH_UNIT = re.compile(r"\s*([-+]?[\d,]*\.?\d+(?:[eE][-+]?\d+)?)\s*(\D*?)\s*")
_AREA_TOLERANCE = 0.002
_CLOSE = 0.05


class AnswerOfOtherKind(Exception):  # noqa: N818 - advice for the learner, never an error
    """The answer is of another kind than the question asks for; the text is advice."""


def read_answer(expected: object, answer: object, unit: str) -> Any:  # noqa: ANN401 - any kind
    """Return an answer as the kind of the expected one, or raise `AnswerOfOtherKind`."""
    for kind, read in _READERS:
        if isinstance(expected, kind):
            return read(expected, answer, unit)
    raise TypeError(f"an exercise has an answer of type {type(expected).__name__}")


def _read_number_answer(_: object, answer: object, unit: str) -> float:
    """Return one number, from a text with a unit too."""
    if isinstance(answer, str):
        return _parse_number(answer, unit)
    if isinstance(answer, pd.DataFrame):
        raise AnswerOfOtherKind(
            f"the answer is one number ({unit}), not a table of {len(answer)} rows: count them "
            "with len(...), or reduce one column with .max(), .sum() or .mean()"
        )
    if isinstance(answer, pd.Series | pd.Index | np.ndarray | list | tuple | set | dict):
        values = list(answer)
        if len(values) != 1:
            raise AnswerOfOtherKind(
                f"the answer is one number ({unit}), not {len(values)}: reduce them with "
                "max(...), sum(...) or len(...)"
            )
        return _read_number_answer(_, values[0], unit)
    if isinstance(answer, bool | np.bool_) or not isinstance(answer, Real):
        raise AnswerOfOtherKind(f"the answer is a number ({unit}), not {short_form(answer)}")
    if not math.isfinite(answer):
        raise AnswerOfOtherKind(f"the answer is {answer}: a value was missing on the way to it")
    return float(answer)


def _parse_number(text: str, unit: str) -> float:
    """Return the number of a text, converted from its unit into that of the question."""
    found = _WITH_UNIT.fullmatch(text)
    if not found:
        raise AnswerOfOtherKind(f"the answer is a number ({unit}), not the text {short_form(text)}")
    value, named = float(found[1].replace(",", "")), found[2]
    factors = _TABLES.get(unit, {})
    if named and named != unit and named not in factors:
        known = ", ".join(name for name in factors if name) or unit
        raise AnswerOfOtherKind(f"the unit {named!r} does not fit: use {known}")
    return value * factors.get(named, 1.0) if named else value


def _read_text_answer(_: object, answer: object, unit: str) -> str:
    """Return a text, without the blanks around it and in lower case."""
    if isinstance(answer, pd.Series | pd.Index | list | tuple) and len(answer) == 1:
        answer = next(iter(answer))
    if not isinstance(answer, str):
        raise AnswerOfOtherKind(f"the answer is a text ({unit}), not {short_form(answer)}")
    return " ".join(answer.split()).casefold()


def _read_id_answer(_: object, answer: object, unit: str) -> frozenset[object]:
    """Return ids as a set; those of a table are its index."""
    if isinstance(answer, pd.DataFrame):
        return frozenset(answer.index)
    if isinstance(answer, pd.Series | pd.Index | np.ndarray | list | tuple | set | frozenset):
        return frozenset(answer)
    raise AnswerOfOtherKind(f"the answer is a table or a list ({unit}), not {short_form(answer)}")


def _read_series(expected: pd.Series[Any], answer: object, unit: str) -> pd.Series[float]:
    """Return a series in the order of the expected one."""
    if isinstance(answer, dict):
        answer = pd.Series(answer)
    if isinstance(answer, pd.DataFrame):
        numbers = answer.select_dtypes("number")
        if numbers.shape[1] != 1:
            raise AnswerOfOtherKind(
                f"the answer is one column ({unit}), not {answer.shape[1]}: choose it by its name"
            )
        answer = numbers.iloc[:, 0]
    if not isinstance(answer, pd.Series):
        raise AnswerOfOtherKind(f"the answer is a series ({unit}), not {short_form(answer)}")
    if answer.index.has_duplicates:
        raise AnswerOfOtherKind("labels are repeated: choose one distance, or group the rows")
    missing = expected.index.difference(answer.index)
    if len(missing):
        raise AnswerOfOtherKind(
            f"{len(missing)} of {len(expected)} labels are missing, such as {missing[0]!r}: set "
            "them with .set_index(...)"
        )
    try:
        return answer.reindex(expected.index).astype(float)
    except (TypeError, ValueError):
        raise AnswerOfOtherKind(f"the answer is a series of numbers ({unit})") from None


def _read_geometry(_: object, answer: object, unit: str) -> shapely.Geometry:
    """Return one geometry in longitude and latitude."""
    if isinstance(answer, gpd.GeoSeries | gpd.GeoDataFrame):
        if answer.crs is None:
            raise AnswerOfOtherKind("the answer has no coordinate reference system")
        return answer.geometry.to_crs(CRS).union_all()
    if not isinstance(answer, shapely.Geometry):
        raise AnswerOfOtherKind(f"the answer is a geometry ({unit}), not {short_form(answer)}")
    return answer


_READERS: tuple[tuple[Any, Callable[..., Any]], ...] = (
    (str, _read_text_answer),
    (Real, _read_number_answer),
    (pd.Index, _read_id_answer),
    (pd.Series, _read_series),
    (shapely.Geometry, _read_geometry),
)


def are_equal(expected: object, read: Any, unit: str, tolerance: float) -> bool:  # noqa: ANN401
    """Return whether an answer that was read equals an expected (or a classic wrong) one."""
    if isinstance(expected, str):
        return bool(read == " ".join(expected.split()).casefold())
    if isinstance(expected, pd.Index):
        return bool(read == frozenset(expected))
    if isinstance(expected, pd.Series):
        other = expected.astype(float).reindex(read.index)
        return bool(np.allclose(read, other, rtol=tolerance, atol=1e-9, equal_nan=True))
    if isinstance(expected, shapely.Geometry):
        off = shapely.symmetric_difference(read, expected).area
        return bool(off <= _AREA_TOLERANCE * expected.area)
    allowed = 1e-9 if unit == COUNT else tolerance * abs(float(expected))  # type: ignore[arg-type]
    return bool(abs(read - float(expected)) <= allowed)  # type: ignore[arg-type]


def explain_difference(expected: object, read: Any, unit: str, tolerance: float) -> str | None:  # noqa: ANN401
    """Return what is wrong with an answer by its unit or its size, or None."""
    if isinstance(expected, pd.Index):
        wanted = frozenset(expected)
        return f"{len(wanted - read)} are missing and {len(read - wanted)} do not belong"
    if isinstance(expected, pd.Series):
        return _explain_series(expected.astype(float), read, unit, tolerance)
    if isinstance(expected, shapely.Geometry):
        ratio = read.area / expected.area if expected.area else math.inf
        return "too large" if ratio > 1 + _AREA_TOLERANCE else "too small, or in another place"
    if isinstance(expected, str):
        return None
    return _explain_number(float(expected), read, unit, tolerance)  # type: ignore[arg-type]


def _explain_number(expected: float, read: float, unit: str, tolerance: float) -> str | None:
    """Return what explains a wrong number: its unit, its sign, or a border case."""
    for advice, factor in _UNITS.get(unit, {}).items():
        if math.isclose(read, expected * factor, rel_tol=2 * tolerance):
            return f"did you answer in {advice}" if advice[-1] == "?" else f"did you use {advice}"
    if math.isclose(read, -expected, rel_tol=tolerance):
        return "only the sign is wrong"
    if unit == COUNT and abs(read - expected) == 1:
        return "one off: what lies on the border counts in (<= and >=), and each is counted once"
    if math.isclose(read, expected, rel_tol=_CLOSE):
        return "close: do not round on the way, and look at what lies near the limits (< or <=)"
    return None


def _explain_series(
    expected: pd.Series[float], read: pd.Series[float], unit: str, tolerance: float
) -> str | None:
    """Return what explains a wrong series: one factor for all values, or some wrong ones."""
    for advice, factor in _UNITS.get(unit, {}).items():
        if np.allclose(read, expected * factor, rtol=2 * tolerance, equal_nan=True):
            return f"did you answer in {advice}" if advice[-1] == "?" else f"did you use {advice}"
    off = int((~np.isclose(read, expected, rtol=tolerance, equal_nan=True)).sum())
    return f"{off} of {len(expected)} values are wrong"
