"""The length that passes and that may pass, and what follows from it, the same for all verdicts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ocm_geo.standards.rule import Rule

__all__ = ["Tally", "add_up_lengths", "decide", "decide_between"]

_SHARE_TOLERANCE = 1e-9


class Tally(NamedTuple):
    """
    Lengths of a road or network, km.

    Parameters
    ----------
    total : float
        All of it.
    passing : float
        Between two pools at most the spacing apart.
    possible : float
        Ends that a pool right behind them could make pass.
    long_ends : float
        Ends longer than the spacing.
    tiny : float
        Ends shorter than the tolerance of drawing, of those that could pass.
    """

    total: float
    passing: float
    possible: float
    long_ends: float
    tiny: float

    def share(self, *, closed: bool) -> float:
        """Return the share that passes."""
        if self.total <= 0:
            return 0.0
        return min((self.passing + (self.possible if closed else 0.0)) / self.total, 1.0)

    @property
    def between_pools(self) -> float:
        """The share of what does not lie beyond the last pools."""
        rest = self.total - self.possible - self.long_ends
        return self.passing / rest if rest > 0 else 0.0


def add_up_lengths(
    km: NDArray[np.float64],
    passes: NDArray[np.bool_],
    end_km: NDArray[np.float64],
    *,
    spacing_km: float,
    tiny: NDArray[np.bool_],
) -> Tally:
    """
    Add up lengths.

    Parameters
    ----------
    km : numpy.ndarray of float
        Lengths of the pieces, as far as they count.
    passes : numpy.ndarray of bool
        Those between two pools at most the spacing apart.
    end_km : numpy.ndarray of float
        Where a piece is an end, the way from the dead end behind it to the next pool; else NaN.
    spacing_km : float
        The greatest distance between pools.
    tiny : numpy.ndarray of bool
        The ends that are shorter than the tolerance of drawing.

    Returns
    -------
    Tally
        The lengths.
    """
    # Passing, possible, long ends and the rest are a partition of the length.
    is_end = ~np.isnan(end_km) & ~passes
    possible = is_end & ((end_km <= spacing_km + 1e-6) | tiny)
    return Tally(
        float(km.sum()),
        float(km[passes].sum()),
        float(km[possible].sum()),
        float(km[is_end & ~possible].sum()),
        float(km[possible & tiny].sum()),
    )


def decide(tally: Tally, rule: Rule, *, closed: bool) -> tuple[bool | None, str]:
    """
    Decide whether a road passes a rule.

    Parameters
    ----------
    tally : Tally
        The lengths.
    rule : Rule
        The rule.
    closed : bool
        Whether each dead end counts as a pool.

    Returns
    -------
    passes : bool or None
        None if it cannot be decided.
    reason : str
        Why not.
    """
    # At best a pool lies behind each end that is short enough; at worst only what is shorter than
    # the tolerance of drawing counts as closed, because such an end is none.
    most = tally.share(closed=True)
    least = most if closed else tally._replace(possible=tally.tiny).share(closed=True)
    open_because = (
        f"it depends on what lies behind the ends, {tally.possible:.1f} km before the first or "
        "after the last pool"
    )
    return decide_between(rule, rule.share_of_length, (least, most), open_because)


def decide_between(
    rule: Rule, needed: float | None, bounds: tuple[float, float], open_because: str
) -> tuple[bool | None, str]:
    """
    Decide whether a share that lies between two bounds is what a rule asks for.

    Parameters
    ----------
    rule : Rule
        The rule.
    needed : float or None
        The share that it asks for.
    bounds : tuple of float
        The least and the greatest that the share can be.
    open_because : str
        What decides between them.

    Returns
    -------
    passes : bool or None
        None if it cannot be decided.
    reason : str
        Why not.
    """
    least, most = bounds
    # False first: no missing fact can mend a share that is too low even at best.
    if needed is None:
        return None, "the rule asks for no share"
    if most < needed - _SHARE_TOLERANCE:
        if rule.also_counts:
            return None, f"the rule also counts {', '.join(rule.also_counts)}, which are not known"
        return False, ""
    if rule.needs:
        return None, f"the data do not show {', '.join(rule.needs)}"
    return (True, "") if least >= needed - _SHARE_TOLERANCE else (None, open_because)
