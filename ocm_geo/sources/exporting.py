"""Writing the tables of a snapshot in one file each, for programs that know no mirrors."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.schema import CONNECTION_COLUMNS, arrow_schema
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.build import order_in_space
from ocm_geo.sources.stack import Stack

if TYPE_CHECKING:
    from pathlib import Path

    from ocm_geo.sources.loaded import LoadedSnapshot

__all__ = ["export_table"]


def export_table(loaded: LoadedSnapshot, path: Path, *, connections: bool) -> None:
    """
    Write the stations or connections of a snapshot.

    Parameters
    ----------
    loaded : LoadedSnapshot
        The snapshot.
    path : pathlib.Path
        The file.
    connections : bool
        Write connections.
    """
    table = loaded.read_connections() if connections else loaded.rows
    schema = arrow_schema(CONNECTION_COLUMNS) if connections else table.schema
    order = np.arange(len(table))
    with contextlib.closing(Stack(schema, path.parent)) as stack:
        stack.add(table)
        if connections:
            disk.write_connections(path, stack, order)
        else:
            order = order_in_space(stack, order)
            disk.write_stations(path, stack, order, loaded.manifest["attribution"])
