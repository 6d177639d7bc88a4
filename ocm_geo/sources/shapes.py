"""The forms that records have, each with its typed decoders."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from ocm_geo.sources.records import CamelPoi, Poi

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CAMEL", "FEATURE", "PASCAL", "Shape"]


class Properties(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """The properties of a GeoJSON feature that holds the whole record."""

    poi: CamelPoi  # type: ignore[valid-type]  # made at run time
    name: msgspec.Raw = msgspec.Raw()
    description: msgspec.Raw = msgspec.Raw()
    url: msgspec.Raw = msgspec.Raw()
    level: msgspec.Raw = msgspec.Raw()
    connection_type: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="connectionType")


class Feature(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A GeoJSON feature as the API writes it."""

    properties: Properties
    type: msgspec.Raw = msgspec.Raw()
    id: msgspec.Raw = msgspec.Raw()
    geometry: msgspec.Raw = msgspec.Raw()


class Shape:
    """One form that records have: its typed decoders, and the way from what they give to rows."""

    def __init__(self, kind: Any, row: Callable[[Any], Any] | None = None) -> None:  # noqa: ANN401
        self._one = msgspec.json.Decoder(kind)
        self._many = msgspec.json.Decoder(list[kind])
        self._row = row

    def one(self, text: bytes) -> Any:  # noqa: ANN401 - a Poi
        """Decode one record."""
        found = self._one.decode(text)
        return self._row(found) if self._row else found

    def lines(self, block: bytes) -> list[Any]:
        """Decode records that stand on lines of their own."""
        return self._unwrap_rows(self._one.decode_lines(block))

    def array(self, text: bytes) -> list[Any]:
        """Decode an array of records."""
        return self._unwrap_rows(self._many.decode(text))

    def _unwrap_rows(self, found: list[Any]) -> list[Any]:
        return list(map(self._row, found)) if self._row else found


PASCAL, CAMEL = Shape(Poi), Shape(CamelPoi)
FEATURE = Shape(Feature, lambda feature: feature.properties.poi)
