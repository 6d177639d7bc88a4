"""The bundled borders: outlines and codes of countries, and which of them claims a position."""

from ocm_geo.borders.countries import (
    BORDER_KM,
    are_within_reach,
    countries,
    find_countries,
    rows_of_codes,
    rows_reaching,
    territory,
)

__all__ = [
    "BORDER_KM",
    "are_within_reach",
    "countries",
    "find_countries",
    "rows_of_codes",
    "rows_reaching",
    "territory",
]
