"""Controls of the filters of a map."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets
import pandas as pd

from ocm_geo.query import FILTERS
from ocm_geo.schema import REMOVED
from ocm_geo.widgets.parts import slider

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ocm_geo.reference import ReferenceData

__all__ = ["FilterPanel"]

_ANY = "any"
_POWERS_KW = (0, 3, 7, 11, 22, 43, 50, 100, 150, 250, 350)
_AGES: tuple[tuple[str, int], ...] = (
    (_ANY, 0), ("10 years", 120), ("5 years", 60), ("2 years", 24), ("1 year", 12), ("6 months", 6),
)  # fmt: skip
_CHOICES = ("connection_types", "operators", "usage_types")


class FilterPanel:
    """
    Controls for power, connector, operator, status, access and age.

    Parameters
    ----------
    reference : ReferenceData
        Choices of connectors, operators and access.
    changed : callable
        Called after every change.

    Attributes
    ----------
    widget : ipywidgets.Box
        All controls.
    controls : dict
        The controls by the name of the filter that they set.
    """

    def __init__(self, reference: ReferenceData, changed: Callable[[], None]) -> None:
        powers = [f"{kw} kW" if kw else _ANY for kw in _POWERS_KW]
        self.controls: dict[str, Any] = {
            "min_power_kw": slider(FILTERS["min_power_kw"].label, powers),
            "modified_since": slider("Changed within", [label for label, _ in _AGES]),
            "status_types": _build_dropdown(FILTERS["status_types"].label),
        }
        for name in _CHOICES:
            self.controls[name] = _build_dropdown(FILTERS[name].label)
        for control in self.controls.values():
            control.layout.width = "270px"
        self._reference: ReferenceData | None = None
        self.set_reference(reference)
        for name, control in self.controls.items():
            trait = "index" if name in {"min_power_kw", "modified_since"} else "value"
            control.observe(lambda _: changed(), names=trait)
        layout = ipywidgets.Layout(display="flex", flex_flow="row wrap")
        self.widget = ipywidgets.Box(list(self.controls.values()), layout=layout)

    def set_reference(self, reference: ReferenceData) -> None:
        """
        Offer the choices of reference data, and keep what is chosen.

        Parameters
        ----------
        reference : ReferenceData
            Meaning of ids.
        """
        if reference is self._reference:
            return
        self._reference = reference
        for name in _CHOICES:
            titles = reference.titles(name).dropna().sort_values()
            codes = titles.index.to_numpy(dtype=int).tolist()
            _set_options(
                self.controls[name], [(str(t), (c,)) for t, c in zip(titles, codes, strict=True)]
            )
        known = reference.status_types["is_operational"].drop(list(REMOVED), errors="ignore")
        ids = {state: tuple(int(i) for i in known.index[known == state]) for state in (True, False)}
        states = [("working", ids[True]), ("not working", ids[False])]
        _set_options(self.controls["status_types"], states)

    def values(self) -> tuple[tuple[str, object], ...]:
        """
        Return the filters that are set.

        Returns
        -------
        tuple of pairs
            Names and values of `StationFilters`, in order of names.
        """
        chosen: dict[str, object] = {}
        if power := _POWERS_KW[self.controls["min_power_kw"].index]:
            chosen["min_power_kw"] = float(power)
        if months := _AGES[self.controls["modified_since"].index][1]:
            # A whole day: the question stays the same, and its answer known, until midnight.
            since = pd.Timestamp.now("UTC").normalize() - pd.DateOffset(months=months)
            chosen["modified_since"] = since.strftime("%Y-%m-%d")
        for name in ("status_types", *_CHOICES):
            if ids := self.controls[name].value:
                chosen[name] = ids
        return tuple(sorted(chosen.items()))


def _build_dropdown(label: str) -> ipywidgets.Dropdown:
    return ipywidgets.Dropdown(description=label, options=[(_ANY, ())])


def _set_options(
    control: ipywidgets.Dropdown, choices: Sequence[tuple[str, tuple[int, ...]]]
) -> None:
    """Replace the options of a control, and keep the chosen one if it is still there."""
    chosen = control.value
    control.options = [(_ANY, ()), *choices]
    if any(chosen == ids for _, ids in choices):
        control.value = chosen
