"""Run a coverage study from one configuration: tables, figures, a map and a report."""

from ocm_geo.study.config import read_config
from ocm_geo.study.result import StudyResult
from ocm_geo.study.run import run_study
from ocm_geo.study.tables import StudyConfig

__all__ = ["StudyConfig", "StudyResult", "read_config", "run_study"]
