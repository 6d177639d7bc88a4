"""Everything that an import reads, piled up in columns; what is rejected goes to a file at once."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, arrow_schema
from ocm_geo.sources.records import Reject
from ocm_geo.sources.repeats import OLDER, REPEATED, split_repeats
from ocm_geo.sources.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import TextIO

    from numpy.typing import NDArray

    from ocm_geo.sources.tables import Parsed

__all__ = ["Gathered"]


class Gathered:
    """
    All that was read.

    Parameters
    ----------
    rejects : text file
        Takes a line of JSON per rejected record.
    """

    def __init__(self, rejects: TextIO) -> None:
        position = [("lon", pa.float64()), ("lat", pa.float64())]
        self.stations = Stack(pa.schema([*arrow_schema(STATION_COLUMNS), *position]))
        self.connections = Stack(arrow_schema(CONNECTION_COLUMNS))
        self.reasons: Counter[str] = Counter()
        self.coerced: Counter[str] = Counter()
        self.rejected_from: Counter[str] = Counter()
        self.rejected_ids: set[int] = set()
        self.harvest: dict[str, dict[int, Any]] = {}
        self.n_read = 0
        self._rejects = rejects
        self._origins: dict[str, int] = {}
        self._places: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []
        self._counts: list[NDArray[np.int32]] = []

    @property
    def n_rejected(self) -> int:
        """Records rejected so far."""
        return self.reasons.total()

    def add(self, parsed: Parsed) -> None:
        """
        Take a batch.

        Parameters
        ----------
        parsed : Parsed
            What was read.
        """
        self.stations.add(parsed.stations)
        self.connections.add(parsed.connections)
        self._counts.append(parsed.n_connections.astype(np.int32))
        known = self._origins
        numbers = [known.setdefault(origin, len(known)) for origin in parsed.origins]
        self._places.append((np.array(numbers, np.int32), parsed.positions))
        self._write_rejects(parsed.rejects)
        self.coerced.update(parsed.coerced)
        self.n_read += parsed.n_read
        for table, rows in parsed.harvest.items():
            self.harvest.setdefault(table, {}).update(rows)

    def _write_rejects(self, rejects: Iterable[Reject]) -> None:
        """Count records that cannot be used, and write them to the file."""
        for reject in rejects:
            # The details after the colon differ from record to record.
            self.reasons[reject.reason.partition(":")[0]] += 1
            self.rejected_from[reject.origin] += reject.reason not in {OLDER, REPEATED}
            if reject.ocm_id is not None:
                self.rejected_ids.add(reject.ocm_id)
            self._rejects.write(json.dumps(asdict(reject)) + "\n")

    def choose_newest(self) -> NDArray[np.int64]:
        """
        Choose one record of each id and reject the others.

        Returns
        -------
        numpy.ndarray of int
            Positions of the chosen records, ascending.
        """
        ids = self.stations.column("ocm_id").to_numpy()
        updated = self.stations.column("date_last_status_update")
        kept, left_out, older = split_repeats(ids, updated)
        if left_out.size:
            origins, positions = map(np.concatenate, zip(*self._places, strict=True))
            names = list(self._origins)
            titles = self.stations.column("title").take(pa.array(left_out)).to_pylist()
            self._write_rejects(
                Reject(names[origins[row]], int(positions[row]), int(ids[row]), reason, title or "")
                for row, reason, title in zip(
                    left_out, np.where(older, OLDER, REPEATED).tolist(), titles, strict=True
                )
            )
        return kept

    def order_connections(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """
        Order connections like their stations, each station's in the order of its record.

        Parameters
        ----------
        order : numpy.ndarray of int
            Positions of stations; the connections of others are left out.

        Returns
        -------
        numpy.ndarray of int
            Positions of connections.
        """
        counts = np.concatenate([np.empty(0, np.int32), *self._counts])
        rank = np.full(len(counts), -1, np.int64)
        rank[order] = np.arange(len(order))
        of_connections = np.repeat(rank, counts)
        by_rank = np.argsort(of_connections, kind="stable")
        return by_rank[np.count_nonzero(of_connections < 0) :].astype(np.int64)
