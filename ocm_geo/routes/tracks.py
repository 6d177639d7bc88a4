"""Read the lines of GPX, KML and TCX files as programs and devices write them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ocm_geo.errors import QueryError, RouteError
from ocm_geo.files import Node, kml_positions, parse_markup

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["FoundLine", "read_markup"]

_DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+")
_MIN_POINTS = 2


@dataclass
class FoundLine:
    """
    A line of a file.

    Parameters
    ----------
    parts : list of numpy.ndarray, each of shape (n, 2)
        Its parts in order, longitude and latitude.
    columns : dict
        Its name, and where it is in the file.
    """

    parts: list[NDArray[np.float64]]
    columns: dict[str, str] = field(default_factory=dict)

    @property
    def n_points(self) -> int:
        """Return the number of points of all parts."""
        return sum(map(len, self.parts))


def read_markup(content: bytes, file: str, layer: str | None) -> list[FoundLine]:
    """
    Read the lines of an XML file.

    Parameters
    ----------
    content : bytes
        GPX, KML or TCX, with any namespaces and prefixes.
    file : str
        Its name, for messages.
    layer : str, optional
        For GPX ``tracks`` or ``routes``, by default the tracks if there are any; for KML the
        name of a folder, by default the one with lines.

    Returns
    -------
    list of FoundLine
        At least one; parts of a single point are dropped beside longer ones.

    Raises
    ------
    RouteError
        If the file is damaged or of another format, or contains no line.
    """
    readers: dict[str, Callable[[Node, str, str | None], list[FoundLine]]] = {
        "gpx": _read_gpx,
        "kml": _read_kml,
        "TrainingCenterDatabase": _read_tcx,
    }
    try:
        root = parse_markup(content, file)
        if root.tag not in readers:
            raise RouteError(f"{file} is XML but not GPX, KML or TCX: its root is {root.tag!r}")
        return readers[root.tag](root, file, layer)
    except QueryError as error:
        raise RouteError(str(error)) from error


def _read_gpx(root: Node, file: str, layer: str | None) -> list[FoundLine]:
    """Read the tracks of a GPX file, or its routes."""
    found = {
        "tracks": [
            _make_line(
                [_read_gpx_points(segment, "trkpt", file) for segment in track.all("trkseg")], track
            )
            for track in root.all("trk")
        ],
        "routes": [
            _make_line([_read_gpx_points(route, "rtept", file)], route) for route in root.all("rte")
        ],
    }
    if layer is not None and layer not in found:
        raise RouteError(f"{file} has no layer {layer!r} of lines: choose 'tracks' or 'routes'")
    named = found if layer is None else {layer: found[layer]}
    lines = next((kept for kind in named.values() if (kept := _drop_single_points(kind))), [])
    if not lines:
        n_single = sum(line.n_points for kind in named.values() for line in kind)
        raise _describe_no_line(
            file, {"waypoint": len(root.all("wpt")), "point in tracks": n_single}
        )
    return lines


def _make_line(parts: list[NDArray[np.float64]], node: Node) -> FoundLine:
    """Return a line with its describing texts; single points are dropped beside longer parts."""
    longer = [part for part in parts if len(part) >= _MIN_POINTS]
    kept = longer or [part for part in parts if len(part)]
    texts = {tag: node.text_of(tag) for tag in ("name", "desc", "type", "number")}
    return FoundLine(kept, {tag: text for tag, text in texts.items() if text})


def _drop_single_points(lines: list[FoundLine]) -> list[FoundLine]:
    """Return the lines with two points or more."""
    return [line for line in lines if line.n_points >= _MIN_POINTS]


def _describe_no_line(file: str, others: dict[str, int]) -> RouteError:
    """Return the error for a file without a line, with what it contains instead."""
    found = [f"{n} {what}{'s' if n > 1 else ''}" for what, n in others.items() if n]
    return RouteError(f"{file} contains no line" + (f", only {', '.join(found)}" if found else ""))


def _read_gpx_points(node: Node, tag: str, file: str) -> NDArray[np.float64]:
    """Return the points of a track segment or route."""
    rows = [
        [_parse_degrees(point.attributes.get(axis, ""), axis, file) for axis in ("lon", "lat")]
        for point in node.all(tag)
    ]
    return np.array(rows, dtype=float).reshape(-1, 2)


def _parse_degrees(text: str, what: str, file: str) -> float:
    """Return degrees; a comma in a single number is a decimal comma."""
    plain = text.strip()
    if _DECIMAL_COMMA.fullmatch(plain):
        plain = plain.replace(",", ".")
    try:
        value = float(plain)
    except ValueError:
        value = float("nan")
    if not np.isfinite(value):
        raise RouteError(f"{file}: a point has {what}={text!r}, which is not a number")
    return value


def _read_tcx(root: Node, file: str, layer: str | None) -> list[FoundLine]:
    """Read the activities and courses of a TCX file."""
    if layer is not None:
        raise RouteError(f"{file} has no layers: leave out layer={layer!r}")
    found = []
    for tag in ("Activity", "Course"):
        for node in root.every(tag):
            parts = [_read_tcx_points(track, file) for track in node.every("Track")]
            line = _make_line(parts, node)
            name = node.text_of("Name") or node.text_of("Id")
            found.append(FoundLine(line.parts, {"name": name} if name else {}))
    lines = _drop_single_points(found)
    if not lines:
        raise _describe_no_line(file, {"point": sum(line.n_points for line in found)})
    return lines


def _read_tcx_points(track: Node, file: str) -> NDArray[np.float64]:
    """Return the points of a track; points without a position are gaps in reception."""
    rows = [
        [
            _parse_degrees(position.text_of(name), name, file)
            for name in ("LongitudeDegrees", "LatitudeDegrees")
        ]
        for point in track.all("Trackpoint")
        for position in point.all("Position")
    ]
    return np.array(rows, dtype=float).reshape(-1, 2)


def _read_kml(root: Node, file: str, layer: str | None) -> list[FoundLine]:
    """Read the lines of a KML file, or of one of its folders."""
    found: list[FoundLine] = []
    _walk_kml(root, "", found, file)
    lines = _drop_single_points(found)
    folders = list(dict.fromkeys(line.columns.get("folder", "") for line in lines))
    if layer is not None:
        lines = [line for line in lines if line.columns.get("folder", "") == layer]
        if not lines:
            raise RouteError(f"{file} has no folder {layer!r} with lines: it has {folders}")
    elif len(folders) > 1:
        raise RouteError(
            f"{file} has {len(folders)} layers (folders): choose one of {folders} with layer="
        )
    if not lines:
        links = [link.text_of("href") for link in root.every("Link")]
        if links:
            raise RouteError(
                f"{file} contains only a link to {links[0][:200]!r}: export it again without "
                "'keep data up to date', as a file with the data"
            )
        others = {kind.lower(): len(list(root.every(kind))) for kind in ("Point", "Polygon")}
        raise _describe_no_line(file, others)
    return lines


def _walk_kml(node: Node, folder: str, found: list[FoundLine], file: str) -> None:
    """Collect the lines of placemarks, in the order of the file."""
    for child in node.children:
        if child.tag in ("Document", "Folder"):
            name = child.text_of("name") if child.tag == "Folder" else folder
            _walk_kml(child, name or folder, found, file)
        elif child.tag == "Placemark":
            parts = _read_kml_parts(child, file)
            columns = {"name": child.text_of("name"), "folder": folder}
            found.append(FoundLine(_make_line(parts, child).parts, columns))


def _read_kml_parts(node: Node, file: str) -> list[NDArray[np.float64]]:
    """Return the parts of a placemark that are lines."""
    parts = []
    for child in node.children:
        if child.tag in ("MultiGeometry", "MultiTrack"):
            parts += _read_kml_parts(child, file)
        elif child.tag in ("LineString", "Track"):
            parts.append(kml_positions(child, file)[:, :2])
    return parts
