"""Where stations come from: the live API, a local mirror, the bundled sample."""

from __future__ import annotations

from ocm_geo.sources.base import Source, resolve_source

__all__ = ["Source", "resolve_source"]
