"""Everything that an import reads, piled up in columns; what is rejected goes to a file at once."""

from __future__ import annotations

import contextlib
import json
from collections import Counter
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa

from ocm_geo.schema import CONNECTION_COLUMNS, STATION_COLUMNS, arrow_schema
from ocm_geo.sources import snapshot as disk
from ocm_geo.sources.progress import with_progress
from ocm_geo.sources.records import Reject
from ocm_geo.sources.repeats import OLDER, REPEATED, split_repeats
from ocm_geo.sources.stack import Stack

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from ocm_geo.sources.tables import Parsed

__all__ = ["Gathered"]


class Gathered:
    """
    All that was read.

    It is used in a ``with`` statement; at its end the rows are gone, and the counts stay.

    Parameters
    ----------
    folder : pathlib.Path
        Where the snapshot is being built: takes a file of what was rejected, a line of JSON per
        record, and for a while what is too large for memory.
    """

    def __init__(self, folder: Path) -> None:
        position = [("lon", pa.float64()), ("lat", pa.float64())]
        schema = pa.schema([*arrow_schema(STATION_COLUMNS), *position])
        self._closing = contextlib.ExitStack()
        self._rejects = self._closing.enter_context(
            (folder / disk.REJECTS).open("w", encoding="utf-8")
        )
        self.stations = Stack(schema, folder)
        self.connections = Stack(arrow_schema(CONNECTION_COLUMNS), folder)
        self._closing.callback(self.stations.close)
        self._closing.callback(self.connections.close)
        self.reasons: Counter[str] = Counter()
        self.coerced: Counter[str] = Counter()
        self.rejected_from: Counter[str] = Counter()
        self.rejected_ids: set[int] = set()
        self.harvest: dict[str, dict[int, Any]] = {}
        self.n_read = 0
        self._origins: dict[str, int] = {}
        self._places: list[tuple[NDArray[np.int32], NDArray[np.int64]]] = []
        self._counts: list[NDArray[np.int32]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._closing.close()

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

    def take_all(self, batches: Iterable[Parsed]) -> NDArray[np.int64]:
        """
        Take all batches and choose one record of each id.

        Parameters
        ----------
        batches : iterable of Parsed
            What is read.

        Returns
        -------
        numpy.ndarray of int
            Positions of the chosen records, ascending.
        """
        for parsed in with_progress(batches, "reading stations", lambda batch: batch.n_read):
            self.add(parsed)
        return self._choose_newest()

    def _choose_newest(self) -> NDArray[np.int64]:
        """Choose the newest record of each id and reject the others."""
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
        counts = self._join_counts()
        # A station's connections are next to each other: row i of the first is row 0 of its own.
        first = np.cumsum(counts, dtype=np.int64) - counts
        taken = counts[order]
        before = np.cumsum(taken, dtype=np.int64) - taken
        return np.repeat(first[order] - before, taken) + np.arange(taken.sum())

    def count_connections(self, rows: NDArray[np.int64]) -> int:
        """
        Count the connections of some stations.

        Parameters
        ----------
        rows : numpy.ndarray of int
            Positions of stations.

        Returns
        -------
        int
            How many connections they have.
        """
        return int(self._join_counts()[rows].sum())

    def _join_counts(self) -> NDArray[np.int32]:
        """Return how many connections each station has."""
        return np.concatenate([np.empty(0, np.int32), *self._counts])
