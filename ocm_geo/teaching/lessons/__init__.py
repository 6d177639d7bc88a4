"""The lessons, one module each: what their notebooks ask."""

from ocm_geo.teaching.lessons import (
    access,
    cluster,
    corridor,
    coverage,
    first_map,
    frozen,
    quality,
    querying,
    real,
    siting,
)

__all__ = ["LESSONS"]

LESSONS = (
    first_map.LESSON,
    querying.LESSON,
    quality.LESSON,
    corridor.LESSON,
    coverage.LESSON,
    access.LESSON,
    siting.LESSON,
    frozen.LESSON,
    cluster.LESSON,
    real.LESSON,
)
