"""Figures of completeness."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection

import ocm_geo as ocm


def table_of(**options: object) -> pd.DataFrame:
    stations = ocm.stations_from_country("NL", source="sample")
    a, b = stations.iloc[::2], stations.iloc[::3]
    common = a.index.intersection(b.index)
    pairs = pd.DataFrame({"id_a": common, "id_b": common})
    return ocm.completeness(a, b, matches=pairs, **options)  # type: ignore[arg-type]


def test_each_stratum_has_a_dot_in_its_intervals_for_each_register() -> None:
    table = table_of(by="operator")
    ax = ocm.plot_completeness(table, names=["first", "second"])
    dots = [line for line in ax.lines if line.get_label() in {"first", "second"}]
    assert np.allclose(dots[0].get_xdata(), 100 * table["share_a"])
    assert np.allclose(dots[1].get_xdata(), 100 * table["share_b"])
    lines = [
        np.array([s[:, 0] for s in c.get_segments()])
        for c in ax.collections
        if isinstance(c, LineCollection)
    ]
    assert np.allclose(lines[0][:, 0], 100 * table["share_a_dependent_low"])
    assert np.allclose(lines[1][:, 1], 100 * table["share_a_high"])
    assert [text.get_text() for text in ax.get_yticklabels()][-1] == "all"


def test_a_table_read_from_a_file_can_be_drawn() -> None:
    plain = pd.DataFrame(table_of())
    assert len(ocm.plot_completeness(plain).get_yticks()) == 1


@pytest.mark.parametrize(("names", "message"), [("ocm", "names of two"), (["one"], "names of two")])
def test_wrong_names_are_refused(names: object, message: str) -> None:
    with pytest.raises(ocm.QueryError, match=message):
        ocm.plot_completeness(table_of(), names=names)  # type: ignore[arg-type]


def test_a_wrong_table_is_refused() -> None:
    with pytest.raises(ocm.QueryError, match="share_a_dependent_low"):
        ocm.plot_completeness(pd.DataFrame({"share_a": [0.5]}))
