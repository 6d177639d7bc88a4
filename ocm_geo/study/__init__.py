"""A whole coverage study from one configuration: tables, figures, a map and a report."""

from ocm_geo.study.config import StudyConfig, read_config
from ocm_geo.study.run import StudyResult, run_study

__all__ = ["StudyConfig", "StudyResult", "read_config", "run_study"]
