"""Look up what ids mean: tables, labels, credit and links. Nothing here is fetched."""

from ocm_geo.reference import links
from ocm_geo.reference.credit import Attribution, attribution
from ocm_geo.reference.labels import add_labels
from ocm_geo.reference.reading import FILE, from_harvest, from_json, read, write
from ocm_geo.reference.registry import find_reference, reference_of, register_reference
from ocm_geo.reference.tables import ReferenceData, bundled

__all__ = [
    "FILE",
    "Attribution",
    "ReferenceData",
    "add_labels",
    "attribution",
    "bundled",
    "find_reference",
    "from_harvest",
    "from_json",
    "links",
    "read",
    "reference_of",
    "register_reference",
    "write",
]
