"""Colours told apart by those who see fewer of them.

Deficiencies by the matrices of Machado, Oliveira and Fernandes (2009), severity 1; distances in
CIELAB. A difference of 2.3 is just noticeable (Mahy et al. 1994); small areas need several of it.
"""

from __future__ import annotations

from itertools import combinations, pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest

from ocm_geo.plots.style import FAR, GAP, LAND, OTHER, POWER_CLASSES, SERIES, SHARES, SHORT, UNKNOWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

SEEN = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deuteranopia": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritanopia": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
POWER = [colour for _, _, colour in POWER_CLASSES]
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def lab(colour: str, seen: str = "all colours") -> NDArray[np.float64]:
    srgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(SEEN[seen] @ linear, 0, 1) / (TO_XYZ @ np.ones(3))
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(a: str, b: str, seen: str) -> float:
    return float(np.linalg.norm(lab(a, seen) - lab(b, seen)))


def test_the_yardstick_is_right() -> None:
    # CIELAB of sRGB's primaries, D65 (Lindbloom).
    assert lab("#ffffff") == pytest.approx([100, 0, 0], abs=0.01)
    assert lab("#ff0000") == pytest.approx([53.24, 80.09, 67.20], abs=0.02)
    assert lab("#0000ff") == pytest.approx([32.30, 79.19, -107.86], abs=0.02)
    # Pure red and a dark green that differ only for those who see both.
    assert apart("#ff0000", "#a35c00", "protanopia") < apart("#ff0000", "#a35c00", "all colours")


@pytest.mark.parametrize("seen", SEEN)
@pytest.mark.parametrize("colours", [POWER, SHARES, FAR], ids=["power", "shares", "far"])
def test_neighbours_of_an_order_are_apart(colours: list[str], seen: str) -> None:
    for a, b in pairwise(colours):
        assert apart(a, b, seen) > 12


@pytest.mark.parametrize("colours", [POWER, SHARES, FAR], ids=["power", "shares", "far"])
def test_an_order_keeps_its_order_in_grey_with_even_steps(colours: list[str]) -> None:
    light = np.array([lab(colour)[0] for colour in colours])
    steps = -np.diff(light)
    assert (steps > 9).all()
    assert steps.max() < 2 * steps.min()


@pytest.mark.parametrize("seen", SEEN)
def test_groups_are_apart(seen: str) -> None:
    for a, b in combinations([*SERIES, OTHER], 2):
        assert apart(a, b, seen) > 15, (a, b)


@pytest.mark.parametrize("seen", SEEN)
def test_what_is_marked_stands_out(seen: str) -> None:
    assert apart(GAP, SHORT, seen) > 40
    for colour in POWER:
        assert apart(colour, LAND, seen) > 25
    for colour in (*SHARES, *FAR):
        assert apart(colour, UNKNOWN, seen) > 15  # which is hatched besides
        assert lab(LAND)[0] - lab(colour)[0] > 7  # seen on a grey print too
