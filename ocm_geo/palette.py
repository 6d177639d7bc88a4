"""Classes and colours that figures, maps and files share."""

from __future__ import annotations

__all__ = ["POWER_CLASSES", "SHARES", "UNKNOWN", "UNKNOWN_EDGE", "UNKNOWN_POWER"]

# Even steps of matplotlib's inferno, dark for high power: the order is kept in every common form
# of colour blindness and in a grey print.
POWER_CLASSES: tuple[tuple[float, str, str], ...] = (
    (0.0, "under 22 kW", "#f8a13f"),
    (22.0, "22 to under 50 kW", "#e05c5c"),
    (50.0, "50 to under 150 kW", "#9c2f7f"),
    (150.0, "150 kW and more", "#2c105c"),
)
UNKNOWN_POWER = "power not known"
SHARES = ("#bde5b5", "#52bcc2", "#1e8bbd", "#2259a6", "#1a2b7e")
"""Low to high values: ColorBrewer's YlGnBu in even steps of lightness, all darker than land."""
UNKNOWN, UNKNOWN_EDGE = "#e6e6e6", "#666666"
"""Missing values: areas and bars are hatched too, points have this edge."""
