from __future__ import annotations

from itertools import combinations

import geopandas as gpd
import pandas as pd
import pytest
import shapely

import ocm_geo as ocm
from ocm_geo import teaching
from ocm_geo.teaching.checking import _compute_on_sample
from ocm_geo.teaching.judging import are_equal, read_answer
from ocm_geo.teaching.lessons import LESSONS

EXERCISES = {
    exercise.name: exercise
    for lesson in LESSONS
    if not lesson.on_real_data
    for exercise in lesson.exercises
}


@pytest.mark.parametrize("name", EXERCISES)
def test_the_solution_is_right_and_every_mistake_is_told_from_it_and_from_the_others(
    name: str,
) -> None:
    exercise = EXERCISES[name]
    right, *wrong = _compute_on_sample(name)
    assert teaching.check(name, right)
    assert teaching.check(name, right).message == "right"
    for mistake, value in zip(exercise.mistakes, wrong, strict=True):
        found = teaching.check(name, value)
        assert not found
        assert mistake.advice in found.message
    for a, b in combinations([right, *wrong], 2):
        read = read_answer(a, b, exercise.unit)
        assert not are_equal(a, read, exercise.unit, exercise.tolerance)


@pytest.mark.parametrize("name", EXERCISES)
def test_the_code_that_is_shown_gives_the_answer_that_is_checked(name: str) -> None:
    module = __import__(EXERCISES[name].solve.__module__, fromlist=["LESSON"])
    space = dict(vars(module))
    exec(teaching.solution(name), space)  # noqa: S102 - our own code
    assert teaching.check(name, space[f"answer_{name}"])


@pytest.mark.parametrize("name", EXERCISES)
def test_nothing_but_the_solution_shows_the_answer(name: str) -> None:
    right, *_ = _compute_on_sample(name)
    exercise = EXERCISES[name]
    shown = [
        repr(exercise),
        teaching.hint(name),
        repr(teaching.check(name, "?")),
        exercise.question,
    ]
    forms = {str(right), f"{right:.3g}" if isinstance(right, float) else str(right)}
    assert not any(form in text.split() for form in forms for text in shown)


def test_units_are_diagnosed() -> None:
    km = _compute_on_sample("4a")[0]
    assert "metres" in teaching.check("4a", km * 1000).message
    assert "miles" in teaching.check("4a", km / 1.609344).message
    assert "degrees" in teaching.check("4a", km / 111.32).message
    assert teaching.check("4a", f"{km / 1.609344:.3f} miles")
    assert teaching.check("4a", f"{km:.1f} km")
    assert "does not fit" in teaching.check("4a", f"{km} kg").message
    share = _compute_on_sample("5a")[0]
    assert "per cent" in teaching.check("5a", share * 100).message
    assert teaching.check("5a", f"{share * 100:.2f} %")
    assert "sign" in teaching.check("5a", -share).message
    count = _compute_on_sample("1a")[0]
    assert "one off" in teaching.check("1a", count + 1).message
    assert "close" in teaching.check("4a", km * 1.03).message
    assert "hint('4a')" in teaching.check("4a", km * 3.3).message


def test_tables_series_and_geometry_are_answers() -> None:
    near = ocm.stations_from_point((5.12, 52.09), 4, source=ocm.sample())
    assert teaching.check("2b", near)
    assert teaching.check("2b", near.index.tolist())
    assert "1 are missing and 0" in teaching.check("2b", near.iloc[1:]).message
    shares = _compute_on_sample("5b")[0]
    assert teaching.check("5b", shares.to_dict())
    assert teaching.check("5b", shares.sample(frac=1, random_state=1))
    assert teaching.check("5b", shares.to_frame())
    assert "per cent" in teaching.check("5b", 100 * shares).message
    assert "missing" in teaching.check("5b", shares.reset_index(drop=True)).message
    assert "repeated" in teaching.check("5b", pd.concat([shares, shares])).message
    shape = _compute_on_sample("5c")[0]
    assert teaching.check("5c", gpd.GeoSeries([shape], crs=4326).to_crs(3035))
    assert "too small" in teaching.check("5c", shape.buffer(-0.01)).message
    assert "no coordinate reference" in teaching.check("5c", gpd.GeoSeries([shape])).message
    assert "geometry" in teaching.check("5c", 3.0).message
    assert teaching.check("6a", " region of osnabrück ")


@pytest.mark.parametrize(
    "answer",
    [True, "many", float("nan"), [1, 2], {}, pd.DataFrame({"a": [1]}), shapely.Point(1, 2)],
)
def test_an_answer_of_another_kind_gets_advice(answer: object) -> None:
    found = teaching.check("4a", answer)
    assert found.right is False
    assert "the answer is" in found.message


@pytest.mark.parametrize("answer", [None, ...])
def test_no_answer_is_neither_right_nor_wrong(answer: object) -> None:
    assert teaching.check("4a", answer).right is None
    assert not teaching.check("4a", answer)


def test_an_unknown_exercise_is_an_error_with_a_suggestion() -> None:
    for ask in (teaching.hint, teaching.solution, lambda name: teaching.check(name, 1)):
        with pytest.raises(
            ocm.QueryError, match="the str '4z' is not an exercise: did you mean '4"
        ):
            ask("4z")
    assert teaching.hint(" 4B ") == teaching.hint("4b")
    with pytest.raises(ocm.QueryError, match="4 is not an exercise"):
        teaching.hint(4)  # type: ignore[arg-type]


def test_real_data_are_passed_where_they_are_needed_and_there_alone() -> None:
    with pytest.raises(ocm.QueryError, match="pass source="):
        teaching.check("10a", 0.5)
    with pytest.raises(ocm.QueryError, match="leave source= out"):
        teaching.check("1a", 5, source=ocm.sample())
    source = ocm.sample()
    missing = ocm.stations(source=source)["max_power_kw"].isna().mean()
    assert teaching.check("10a", missing, source=source)
    assert "per cent" in teaching.check("10a", 100 * missing, source=source).message


def test_the_exercises_are_listed() -> None:
    table = teaching.exercises()
    assert set(EXERCISES) < set(table.index)
    assert table["lesson"].nunique() == 10
    assert table["minutes"].between(10, 60).all()
