"""Work for the benchmarks: real records repeated under new ids, and made positions."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np

__all__ = ["N_SITES", "made_positions", "made_route", "repeated_lines"]

N_SITES = 300_000
SHARED = Path(os.environ.get("OCM_GEO_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def repeated_lines(n: int) -> list[bytes]:
    """
    Repeat the real Dutch records under new ids until there are n, one JSON line each.

    Parameters
    ----------
    n : int
        How many.

    Returns
    -------
    list of bytes
        Lines; positions are spread over Europe by a fixed seed.
    """
    path = SHARED / "ocm" / "nl_2023-10" / "ocm_nl_20231009_rebuilt_compact.json"
    records = json.loads(path.read_bytes())
    lon, lat = made_positions(n)
    lines = []
    for i in range(n):
        record = records[i % len(records)]
        record["ID"] = i + 1
        record["AddressInfo"]["Longitude"] = float(lon[i])
        record["AddressInfo"]["Latitude"] = float(lat[i])
        lines.append(json.dumps(record, separators=(",", ":")).encode())
    return lines


def made_positions(n: int) -> tuple[np.ndarray, np.ndarray]:
    """
    Make positions over Europe: half in clusters, half anywhere.

    Parameters
    ----------
    n : int
        How many.

    Returns
    -------
    lon, lat : numpy.ndarray
        Degrees.
    """
    rng = np.random.default_rng(1)
    centres = rng.uniform((-5, 38), (28, 62), (400, 2))
    near = centres[rng.integers(0, 400, n // 2)] + rng.normal(0, 0.15, (n // 2, 2))
    anywhere = rng.uniform((-10, 36), (30, 65), (n - n // 2, 2))
    return tuple(np.round(np.vstack([near, anywhere]), 6).T)


def made_route(n: int) -> np.ndarray:
    """
    Make a winding road of some 3,000 km from Portugal to the Balkans.

    Parameters
    ----------
    n : int
        Vertices.

    Returns
    -------
    numpy.ndarray, shape (n, 2)
        Degrees.
    """
    rng = np.random.default_rng(2)
    bends = np.cumsum(rng.normal(0, 2.5, n))
    bends -= np.linspace(0, 1, n) * bends[-1]
    heading = np.radians(55 + 25 * np.sin(np.linspace(0, 12, n)) + bends / 3)
    step_km = 3000 / n * rng.gamma(1.5, 1 / 1.5, n)
    lat = 38 + np.cumsum(step_km * np.cos(heading)) / 111.2
    lon = -8 + np.cumsum(step_km * np.sin(heading) / np.cos(np.radians(lat))) / 111.3
    return np.column_stack([lon, lat])
