"""Growth from snapshot to snapshot, against brute force, and survival against a textbook."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import ocm_geo as ocm
from ocm_geo.history.lifetimes import product_limit
from tests.unit.sources.records import poi

if TYPE_CHECKING:
    from pathlib import Path

    State = dict[int, tuple[str, int, float]]


def record(ocm_id: int, state: tuple[str, int, float], day: str) -> dict[str, Any]:
    country, n, power = state
    more: dict[str, Any] = {
        "DateLastStatusUpdate": f"{day}T10:00:00Z",
        "DateCreated": "2019-01-01T00:00:00Z",
    }
    made = poi(ocm_id, **more)
    made["AddressInfo"]["CountryID"] = {"NL": 159, "BE": 26}[country]
    made["Connections"] = [{"ID": ocm_id, "PowerKW": power, "Quantity": n}]
    return made


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> tuple[ocm.Mirror, list[State], list[str]]:
    """A mirror of five snapshots with random births, upgrades, removals and returns."""
    folder = tmp_path_factory.mktemp("history")
    rng = random.Random(3)  # noqa: S311 - edits, not secrets
    state: State = {i: (rng.choice(["NL", "BE"]), 1, 22.0) for i in range(1, 60)}
    states, days = [], ["2020-01-01", "2020-07-01", "2021-01-01", "2022-01-01", "2023-01-01"]
    removed: State = {}
    for number, day in enumerate(days):
        for i in list(state):
            if number and rng.random() < 0.15:
                removed[i] = state.pop(i)
            elif number and rng.random() < 0.2:
                country, n, power = state[i]
                state[i] = (country, n + rng.choice([0, 1, -1 if n > 1 else 0]), power + 3)
        if number == 3:
            state.update(dict(list(removed.items())[:3]))
        state.update({100 * number + i: ("NL", 2, 50.0) for i in range(number * 5)})
        state.pop(0, None)
        states.append(dict(state))
        path = folder / "pois.json"
        path.write_text(json.dumps([record(i, s, day) for i, s in state.items()]))
        if not number:
            ocm.Mirror.build(folder / "m", path)
        else:
            ocm.Mirror(folder / "m").update(data=path)
    return ocm.Mirror(folder / "m"), states, days


def test_growth_as_known_then(history: tuple[ocm.Mirror, list[State], list[str]]) -> None:
    mirror, states, days = history
    table = ocm.growth(mirror, by="country_code").set_index(["date", "country_code"])
    for number, (state, day) in enumerate(zip(states, days, strict=True)):
        for country in ("NL", "BE"):
            here = {i: s for i, s in state.items() if s[0] == country}
            row: Any = table.loc[(pd.Timestamp(day), country)]
            assert row["n_stations"] == len(here)
            assert row["n_connectors"] == sum(n for _, n, _ in here.values())
            assert row["total_power_kw"] == pytest.approx(sum(n * p for _, n, p in here.values()))
            assert row["n_power_unknown"] == 0
            if not number:
                assert row[["n_births", "n_upgrades", "n_removals"]].isna().all()
                continue
            before = {i: s for i, s in states[number - 1].items() if s[0] == country}
            assert row["n_births"] == len(here.keys() - before.keys())
            assert row["n_removals"] == len(before.keys() - here.keys())
            grown = [
                i
                for i in here.keys() & before.keys()
                if here[i][1] > before[i][1]
                or here[i][1] * here[i][2] > before[i][1] * before[i][2]
            ]
            assert row["n_upgrades"] == len(grown)


def test_growth_as_known_now(history: tuple[ocm.Mirror, list[State], list[str]]) -> None:
    mirror, states, _ = history
    table = ocm.growth(mirror, as_known="now")
    last = {i: number for number, state in enumerate(states) for i in state}
    # All of them were entered before the first snapshot, as their dates of entry say now.
    assert table["n_stations"].tolist() == [
        sum(end >= number for end in last.values()) for number in range(5)
    ]
    assert table["n_stations"].iloc[-1] == len(states[-1])
    assert table["n_upgrades"].isna().all()
    assert table["n_births"].tolist()[1:] == [0, 0, 0, 0]


def test_survival_over_the_snapshots(history: tuple[ocm.Mirror, list[State], list[str]]) -> None:
    mirror, states, _ = history
    first: dict[int, int] = {}
    last: dict[int, int] = {}
    for number, state in enumerate(states):
        for i in state:
            first.setdefault(i, number)
            last[i] = number
    share, expected = 1.0, [1.0]
    for number in range(1, 5):
        at_risk = [i for i in first if first[i] < number <= last[i] + 1]
        share *= 1 - sum(last[i] == number - 1 for i in at_risk) / len(at_risk)
        expected.append(share)
    table = ocm.growth(mirror)
    assert table["survival"].tolist() == pytest.approx(expected)
    inside = table.iloc[1:]
    assert (inside["survival_low"] < inside["survival"]).all()
    assert (inside["survival_high"] > inside["survival"]).all()
    ages = ocm.survival(mirror)
    assert ages["n_removals"].sum() == sum(number < 4 for number in last.values())
    assert ages["survival"].is_monotonic_decreasing


def test_the_product_limit_of_the_textbook() -> None:
    """Remission of leukaemia under 6-MP: Freireich et al. (1963), in Kalbfleisch and Prentice."""
    removed = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    censored = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    left = np.array([*removed, *censored], float)
    is_removed = np.array([True] * len(removed) + [False] * len(censored))
    curve = product_limit(np.zeros(len(left)), left, is_removed).set_index("time")
    assert curve["n_at_risk"].tolist() == [21, 17, 15, 12, 11, 7, 6]
    known = [0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448]
    assert curve["survival"].tolist() == pytest.approx(known, abs=0.0005)
    # As survfit of R gives it with conf.type = "log-log".
    assert curve["survival_low"].to_list()[2] == pytest.approx(0.503, abs=0.0005)
    assert curve["survival_high"].to_list()[2] == pytest.approx(0.889, abs=0.0005)


def test_a_table_of_growth_is_drawn_without_the_warning_about_imports(
    history: tuple[ocm.Mirror, list[State], list[str]],
) -> None:
    mirror, states, _ = history
    axes = ocm.plot_growth(ocm.growth(mirror, by="country_code"))
    assert axes.get_title(loc="left") == "Stations by date of the data"
    told = " ".join(text.get_text() for text in axes.texts)
    assert mirror.snapshot in told.replace("\n", " ")
    assert "not dates of opening" not in told
    legend = axes.get_legend()
    assert legend is not None
    labels = [text.get_text() for text in legend.get_texts()]
    n_dutch = sum(s[0] == "NL" for s in states[-1].values())
    assert any(label == f"NL ({n_dutch})" for label in labels)
    plt.close("all")


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    for wrong in ({"by": "colour"}, {"by": 3}, {"as_known": "later"}):
        with pytest.raises(ocm.QueryError, match=next(iter(wrong))):
            ocm.growth(ocm.sample(), **wrong)
    with pytest.raises(ocm.QueryError, match="must be a Mirror"):
        ocm.growth(tmp_path)  # type: ignore[arg-type]
