from __future__ import annotations

from typing import Any

import inequality.atkinson
import inequality.gini
import inequality.theil
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import ocm_geo as ocm

RNG = np.random.default_rng(11)
Y = RNG.lognormal(0, 0.8, 300)
ALIKE = np.ones(300)


def pairwise(y: Any, w: Any) -> float:
    """Gini by its definition, over all pairs."""
    y, w = np.asarray(y, dtype=float), np.asarray(w, dtype=float)
    apart = (w[:, None] * w * np.abs(y[:, None] - y)).sum()
    return float(apart / (2 * (w @ y / w.sum()) * w.sum() ** 2))


def trapped(y: Any, w: Any) -> float:
    """Gini as it is often written by hand: no weights in the sum, no start at (0, 0)."""
    order = np.argsort(y)
    held, people = np.cumsum(y[order]), np.cumsum(w[order])
    held, people = held / held[-1], people / people[-1]
    return float(1 - np.sum(np.diff(people) * (held[1:] + held[:-1])))


def test_equal_weights_equal_pysal() -> None:
    found = ocm.equity(Y, ALIKE, n_boot=0)
    assert found.gini == pytest.approx(inequality.gini.Gini(Y).g, abs=1e-9)
    assert found.theil_t == pytest.approx(float(inequality.theil.Theil(Y).T), abs=1e-9)
    for epsilon in (0.3, 0.5, 1, 1.5, 3):
        mine = ocm.equity(Y, ALIKE, epsilon=epsilon, n_boot=0).atkinson
        assert mine == pytest.approx(inequality.atkinson.Atkinson(Y, epsilon).A, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_any_values_equal_pysal(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 400))
    y = rng.pareto(1.5, n) * 10.0 ** rng.integers(-6, 6) * (rng.random(n) < rng.uniform(0.5, 1))
    y[0] += 1e-3
    found = ocm.equity(y, np.full(n, rng.uniform(0.1, 1e6)), n_boot=0)
    assert found.gini == pytest.approx(inequality.gini.Gini(y).g, abs=1e-9)
    assert found.theil_t == pytest.approx(float(inequality.theil.Theil(y).T), abs=1e-9)
    some = y[y > 0]  # PySAL's Atkinson takes no zeros
    epsilon = float(rng.uniform(0.1, 3))
    mine = ocm.equity(some, np.ones(len(some)), epsilon=epsilon, n_boot=0).atkinson
    assert mine == pytest.approx(inequality.atkinson.Atkinson(some, epsilon).A, abs=1e-9)


@pytest.mark.filterwarnings("ignore:Setting the shape")  # PySAL's own use of NumPy
def test_decomposition_equals_pysal() -> None:
    groups = RNG.integers(0, 5, 300)
    peer = inequality.theil.TheilD(Y, groups)
    parts = ocm.equity(Y, ALIKE, groups=groups, n_boot=0).decomposition
    assert parts is not None
    assert parts.loc["theil_t", "between"] == pytest.approx(float(peer.bg[0]), abs=1e-9)
    assert parts.loc["theil_t", "within"] == pytest.approx(float(peer.wg[0]), abs=1e-9)


def test_zeros_equal_pysal_where_it_takes_them() -> None:
    y = np.where(Y < 0.5, 0, Y)
    found = ocm.equity(y, ALIKE, n_boot=0)
    assert found.gini == pytest.approx(inequality.gini.Gini(y).g, abs=1e-9)
    assert found.theil_t == pytest.approx(float(inequality.theil.Theil(y).T), abs=1e-9)


@pytest.mark.parametrize("n", [5, 10, 2000])
def test_the_gini_trap(n: int) -> None:
    """Without weights, or from the first unit on instead of (0, 0), the curve is another."""
    rng = np.random.default_rng(n)
    y, w = rng.lognormal(0, 1, n), rng.integers(1, 5000, n).astype(float)
    exact = pairwise(y, w)
    assert ocm.equity(y, w, n_boot=0).gini == pytest.approx(exact, abs=1e-12)
    assert abs(trapped(y, w) - exact) > 1e-4
    assert abs(trapped(w * y, w) - exact) > 1e-2


@given(
    st.lists(st.tuples(st.floats(0, 1e6), st.floats(0.001, 1e4)), min_size=1, max_size=30).filter(
        lambda rows: sum(y for y, _ in rows) > 1e-3
    )
)
def test_gini_equals_the_pairs_for_any_numbers(rows: list[tuple[float, float]]) -> None:
    y, w = zip(*rows, strict=True)
    found = ocm.equity(y, w, n_boot=0)
    assert found.gini == pytest.approx(pairwise(y, w), abs=1e-9)
    assert -1e-9 <= found.gini <= 1
    assert -1e-9 <= found.atkinson <= 1 + 1e-9
    # What the curve encloses is the same number.
    x, z = found.lorenz.to_numpy().T
    assert 1 - 2 * np.trapezoid(z, x) == pytest.approx(found.gini, abs=1e-9)


def test_a_weight_is_so_many_people() -> None:
    y, w = np.array([0.2, 1, 3, 7]), np.array([4, 1, 2, 3])
    together = ocm.equity(y, w, epsilon=2, n_boot=0)
    one_by_one = ocm.equity(np.repeat(y, w), np.ones(10), epsilon=2, n_boot=0)
    for name in ("gini", "theil_t", "theil_l", "atkinson"):
        assert getattr(together, name) == pytest.approx(getattr(one_by_one, name), abs=1e-12)


def test_textbook_values() -> None:
    # One of four has all: Gini 3/4, Theil T ln 4; Atkinson(1/2): 1 - (1/4)² / (1/4) = 3/4.
    one = ocm.equity([0, 0, 0, 1], np.ones(4), n_boot=0)
    assert one.gini == pytest.approx(0.75)
    assert one.theil_t == pytest.approx(np.log(4))
    assert one.atkinson == pytest.approx(0.75)
    assert one.theil_l == np.inf
    # Incomes of 10 to 50: the example in PySAL's documentation, 0.06315 and 0.13161.
    incomes = [10, 20, 30, 40, 50]
    assert ocm.equity(incomes, np.ones(5), n_boot=0).atkinson == pytest.approx(0.06315, abs=5e-6)
    assert ocm.equity(incomes, np.ones(5), epsilon=1, n_boot=0).atkinson == pytest.approx(
        0.13161, abs=5e-6
    )
    same = ocm.equity([2, 2, 2], [1, 5, 9], epsilon=1, n_boot=0)
    assert [same.gini, same.theil_t, same.theil_l, same.atkinson] == pytest.approx(
        [0, 0, 0, 0], abs=1e-12
    )


def test_the_lorenz_curve() -> None:
    curve = ocm.equity([4, 1, 1], [100, 100, 200], n_boot=0).lorenz
    assert curve["population_share"].tolist() == [0, 0.25, 0.75, 1]
    assert curve["value_share"].tolist() == pytest.approx([0, 1 / 7, 3 / 7, 1])


@pytest.mark.parametrize("zeros", ["drop", 0.01])
def test_decompositions_add_up(zeros: Any) -> None:
    y, w = np.where(Y < 0.4, 0, Y), RNG.integers(0, 900, 300)
    groups = pd.Series(RNG.choice(["north", "south", "west"], 300))
    found = ocm.equity(y, w, groups=groups, zeros=zeros, n_boot=0)
    assert found.decomposition is not None
    assert found.groups is not None
    parts = found.decomposition
    assert (parts["between"] + parts["within"]).tolist() == pytest.approx(parts["total"].tolist())
    assert parts["total"].tolist() == [found.theil_t, found.theil_l]
    assert found.groups["population_share"].sum() == pytest.approx(1)
    assert found.groups["value_share"].sum() == pytest.approx(1)
    north = groups.to_numpy() == "north"
    alone = ocm.equity(y[north], w[north], zeros=zeros, n_boot=0)
    assert found.groups.loc[["north"], ["theil_t", "theil_l"]].to_numpy()[0] == pytest.approx(
        [alone.theil_t, alone.theil_l]
    )


def test_many_groups_are_decomposed_each_alone() -> None:
    n = 20_000
    rng = np.random.default_rng(1)
    y, groups = rng.lognormal(size=n), rng.integers(0, 4_000, n)
    found = ocm.equity(y, np.ones(n), groups=groups, n_boot=0)
    assert found.decomposition is not None
    assert found.groups is not None
    sums = found.decomposition["between"] + found.decomposition["within"]
    assert sums.tolist() == pytest.approx(found.decomposition["total"].tolist(), abs=1e-9)
    mine = y[groups == 77]
    alone = ocm.equity(mine, np.ones(len(mine)), n_boot=0)
    assert found.groups.loc[[77], ["theil_t", "theil_l"]].to_numpy()[0] == pytest.approx(
        [alone.theil_t, alone.theil_l], abs=1e-9
    )


def test_groups_of_nobody_and_of_nothing() -> None:
    y, w, groups = [0, 0, 1, 3, 5], [2, 1, 1, 1, 0], ["none", "none", "some", "some", "empty"]
    found = ocm.equity(y, w, groups=groups, zeros="drop", n_boot=0)
    assert found.groups is not None
    assert found.decomposition is not None
    assert found.groups["population_share"].to_dict() == {"empty": 0, "none": 0.6, "some": 0.4}
    assert found.groups.loc[["none"], ["mean", "theil_t", "theil_l"]].to_numpy().tolist() == [
        [0, 0, 0]
    ]
    parts = found.decomposition
    assert (parts["between"] + parts["within"]).tolist() == pytest.approx(parts["total"].tolist())
    limit = ocm.equity(y, w, groups=groups, n_boot=0).decomposition
    assert limit is not None
    assert limit.loc["theil_l", "total"] == np.inf


@pytest.mark.parametrize("epsilon", [0.5, 1, 2, 5, 30])
@pytest.mark.parametrize("unit", [1e-150, 1e-6, 1e150])
def test_measures_have_no_unit(epsilon: float, unit: float) -> None:
    """Connectors for a person are few: their high powers must not be lost."""
    w = RNG.integers(1, 50, 300)
    one = ocm.equity(Y, w, epsilon=epsilon, n_boot=0)
    other = ocm.equity(Y * unit, w, epsilon=epsilon, n_boot=0)
    for name in ("gini", "theil_t", "theil_l", "atkinson"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-9)


@pytest.mark.parametrize("value", [0.1, 1 / 3, 1e-9, 7e8])
def test_equals_are_exactly_equal(value: float) -> None:
    found = ocm.equity([value] * 7, [3, 1, 4, 1, 5, 9, 2.6], n_boot=20)
    for name in ("gini", "theil_t", "theil_l", "atkinson"):
        assert 0 <= getattr(found, name) < 1e-14
    assert (found.intervals >= 0).all().all()
    assert "-" not in repr(found)
    one = ocm.equity([value], [8], n_boot=20)
    assert (one.gini, one.atkinson) == (0, 0)
    assert one.lorenz["value_share"].tolist() == [0, 1]


def test_the_order_of_rows_does_not_matter() -> None:
    w = RNG.integers(0, 50, 300)
    order = RNG.permutation(300)
    one, other = ocm.equity(Y, w, n_boot=0), ocm.equity(Y[order], w[order], n_boot=0)
    for name in ("gini", "theil_t", "theil_l", "atkinson"):
        assert getattr(other, name) == pytest.approx(getattr(one, name), abs=1e-12)


def test_groups_of_equals_differ_only_between() -> None:
    parts = ocm.equity([1, 1, 4, 4], [1, 2, 1, 1], groups=["a", "a", "b", "b"]).decomposition
    assert parts is not None
    assert parts["within"].tolist() == pytest.approx([0, 0], abs=1e-12)
    assert parts["between_share"].tolist() == pytest.approx([1, 1])


def test_zeros_have_a_stated_policy() -> None:
    y, w = [0, 1, 3], [1, 1, 2]
    limit = ocm.equity(y, w, epsilon=1, n_boot=0)
    assert (limit.theil_l, limit.atkinson) == (np.inf, 1)
    assert ocm.equity(y, w, epsilon=2, n_boot=0).atkinson == 1
    dropped = ocm.equity(y, w, epsilon=1, zeros="drop", n_boot=0)
    some = ocm.equity([1, 3], [1, 2], epsilon=1, n_boot=0)
    assert (dropped.theil_l, dropped.atkinson) == (some.theil_l, some.atkinson)
    assert dropped.gini == limit.gini
    raised = ocm.equity(y, w, epsilon=1, zeros=0.5, n_boot=0)
    assert raised.theil_l == pytest.approx(ocm.equity([0.5, 1, 3], w, n_boot=0).theil_l)
    assert limit.facts["n_zero"] == 1
    # Nobody lives where there is nothing: no policy is needed.
    assert ocm.equity(y, [0, 1, 2], n_boot=0).theil_l == pytest.approx(some.theil_l)


def test_intervals_are_seeded_and_hold_what_they_should() -> None:
    w = RNG.integers(1, 100, 300)
    found, again = ocm.equity(Y, w, seed=4), ocm.equity(Y, w, seed=4)
    pd.testing.assert_frame_equal(found.intervals, again.intervals)
    assert not found.intervals.equals(ocm.equity(Y, w, seed=5).intervals)
    assert (found.intervals["low"] < found.intervals["value"]).all()
    assert (found.intervals["value"] < found.intervals["high"]).all()
    # By drawing rows, as a bootstrap is defined.
    rng = np.random.default_rng(0)
    ginis = [pairwise(Y[rows], w[rows]) for rows in rng.integers(0, 300, (400, 300))]
    low, high = np.quantile(ginis, [0.025, 0.975])
    assert found.intervals.loc["gini", "low"] == pytest.approx(low, abs=0.01)
    assert found.intervals.loc["gini", "high"] == pytest.approx(high, abs=0.01)


def test_provenance_of_the_values_goes_along() -> None:
    stations = ocm.stations(source=ocm.sample())
    towns = ocm.sample_areas().assign(geometry=lambda t: t.representative_point())
    access = ocm.accessibility(towns, stations, 40, population="population")
    found = ocm.equity(access, towns["population"], n_boot=10)
    assert found.lorenz.attrs["ocm"]["source"] == stations.attrs["ocm"]["source"]
    assert found.intervals.attrs["ocm"]["access"]["method"] == "e2sfca"


@pytest.mark.parametrize(
    ("values", "weights", "options", "message"),
    [
        ([1, np.nan], [1, 1], {}, "missing"),
        (pd.Series([1, None], dtype="Float64"), [1, 1], {}, "missing"),
        ([1, -1], [1, 1], {}, "negative"),
        ([1, np.inf], [1, 1], {}, "infinite"),
        ([1, 1], [1, -1], {}, "negative"),
        ([1, 1], [0, 0], {}, "not all be 0"),
        ([0, 0], [1, 1], {}, "nothing to share"),
        ([1, 1, 1], [1, 1], {}, "3 values and 2 weights"),
        ([], [], {}, "not all be 0"),
        (["a", "b"], [1, 1], {}, "must be numbers"),
        (pd.Series([1, 2]), pd.Series([1, 2], index=[5, 6]), {}, "different indexes"),
        ([1, 2], [1, 1], {"epsilon": 0}, "epsilon"),
        ([1, 2], [1, 1], {"epsilon": "high"}, "epsilon"),
        ([1, 2], [1, 1], {"epsilon": np.nan}, "epsilon"),
        ([1, 2], [1, 1], {"zeros": True}, "choose"),
        ([1, 2], [1, 1], {"n_boot": "many"}, "n_boot"),
        ([1, 2], [1, 1], {"seed": -1}, "seed"),
        (pd.DataFrame({"a": [1, 2]}), [1, 1], {}, "must be numbers"),
        ([[1, 2]], [1, 1], {}, "must be numbers"),
        (5, 1, {"groups": [1, 2]}, "label for each"),
        ([1, 2], [1, 1], {"zeros": "ignore"}, "choose"),
        ([1, 2], [1, 1], {"zeros": -1}, "choose"),
        ([1, 2], [1, 1], {"n_boot": -1}, "n_boot"),
        ([1, 2], [1, 1], {"groups": ["a"]}, "label for each"),
        ([1, 2], [1, 1], {"groups": pd.DataFrame({"a": [1, 2]})}, "one column"),
        ([1, 2], [1, 1], {"groups": ["a", None]}, "missing"),
    ],
)
def test_wrong_input_says_what_is_wrong(
    values: Any, weights: Any, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ocm.QueryError, match=message):
        ocm.equity(values, weights, **options)
