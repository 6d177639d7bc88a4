"""An update in a process of its own, to be killed."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import ocm_geo as ocm
from ocm_geo.sources import updating  # noqa: F401 - loaded before the process is forked
from tests.live.stand_in import KEY


def update(path: str, url: str, *, full: bool) -> None:
    """Update a mirror; tell by files when it begins and when it is done."""
    warnings.simplefilter("ignore")
    api = ocm.OpenChargeMap(KEY, base_url=url, min_interval_s=0)
    mirror = ocm.Mirror(path)
    os.close(os.open(f"{path}/begun", os.O_CREAT))
    with ocm.using(cache_hours=0):
        mirror.update(api, full=full)
    Path(f"{path}/done").touch()
