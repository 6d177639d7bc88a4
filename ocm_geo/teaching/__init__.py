"""
Exercises on the bundled sample, with their checks, hints and solutions.

The expected answers are computed by the code of the solutions, and so are the classic mistakes: an
answer that equals one of them is told which one it is.
"""

from ocm_geo.teaching.checking import Feedback, check, exercises, hint, solution
from ocm_geo.teaching.editions import write_editions

__all__ = ["Feedback", "check", "exercises", "hint", "solution", "write_editions"]
