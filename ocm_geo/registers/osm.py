"""OpenStreetMap: extracts in PBF, answers of Overpass, GeoJSON; old and new tagging."""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import shapely

from ocm_geo.errors import RegisterError
from ocm_geo.geodesy import distance_km
from ocm_geo.registers.codes import load_codes
from ocm_geo.registers.content import Document, OsmFile
from ocm_geo.registers.draft import Connector, Draft, Point, Site, transpose
from ocm_geo.registers.jsons import Excerpts, other_fields
from ocm_geo.registers.values import Cleaner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ocm_geo.registers.content import Content

__all__ = ["draft_osm", "recognise_osm"]

_SOCKET = re.compile(r"socket:([a-z0-9_]+)")
_POWER = re.compile(r"(\d+(?:[.,]\d+)?)\s*(kw|kva|w|mw)?", re.IGNORECASE)
_HSTORE = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')
_COUNT = re.compile(r"[0-9]{1,4}")
_SIZES = {"kw": 1.0, "kva": 1.0, "w": 0.001, "mw": 1000.0}
_GONE = ("disused:", "removed:", "demolished:", "abandoned:", "was:", "razed:")
_NEAR_KM = 0.05
_MOST_KW = 1000.0
_ONE_PHASE_KW = 7.4
_TYPE_2 = (25, 1036)
_SUPERCHARGER_US = 27
_USED = frozenset(
    {
        "amenity", "name", "operator", "network", "brand", "access", "fee", "charge",
        "opening_hours", "phone", "contact:phone", "website", "contact:website", "capacity",
        "addr:street", "addr:housenumber", "addr:city", "addr:postcode", "addr:state",
        "addr:country", "start_date", "check_date", "charging_station:output", "description",
        "man_made", "ref:EU:EVSE", "osm_id", "osm_way_id", "@id",
    }
)  # fmt: skip
_LAYERS = ("points", "lines", "multipolygons")


class _Element(NamedTuple):
    """An element of the map: its id, position, outline if it is an area, and tags."""

    name: str
    lon: float | None
    lat: float | None
    shape: Any
    tags: dict[str, str]


def recognise_osm(content: Content) -> bool:
    """Return whether a file is of OpenStreetMap."""
    if isinstance(content, OsmFile):
        return True
    value = content.value if isinstance(content, Document) else None
    if not isinstance(value, dict):
        return False
    if "elements" in value and ("osm3s" in value or "generator" in value):
        return True
    features = value.get("features")
    if value.get("type") != "FeatureCollection" or not isinstance(features, list):
        return False
    return any("amenity" in _tags_of(f) or "man_made" in _tags_of(f) for f in features[:50])


def _tags_of(feature: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    found = feature.get("properties") if isinstance(feature, dict) else None
    return found if isinstance(found, dict) else {}


def _elements_of(content: Content) -> Iterator[_Element]:
    """Yield the charging stations and charge points of a file."""
    if isinstance(content, OsmFile):
        yield from _read_pbf(content)
    elif isinstance(content, Document) and "elements" in content.value:
        yield from _read_overpass(content.value["elements"])
    elif isinstance(content, Document):
        for feature in content.value["features"]:
            tags = {k: str(v) for k, v in _tags_of(feature).items() if v is not None}
            name = str(tags.get("@id") or (feature.get("id") if isinstance(feature, dict) else ""))
            geometry = feature.get("geometry") if isinstance(feature, dict) else None
            yield _make_element(name, _to_shape(geometry), tags)


def _to_shape(geometry: Any) -> Any:  # noqa: ANN401 - a shape or None
    """Return the shape of a GeoJSON geometry; None where it is broken."""
    try:
        return shapely.from_geojson(_encode_tags(geometry)) if geometry else None
    except (shapely.errors.GEOSException, TypeError, ValueError):
        return None


def _encode_tags(value: Any) -> str:  # noqa: ANN401 - any JSON
    return json.dumps(value)


def _make_element(name: str, shape: Any, tags: dict[str, str]) -> _Element:  # noqa: ANN401 - a shape
    """Make an element; an area stands at a point on its surface."""
    if shape is None or shape.is_empty:
        return _Element(name, None, None, None, tags)
    at = shape.representative_point() if shape.geom_type != "Point" else shape
    return _Element(name, at.x, at.y, shape if shape.geom_type != "Point" else None, tags)


def _read_overpass(elements: Any) -> Iterator[_Element]:  # noqa: ANN401 - any JSON
    """Yield the elements of an answer of Overpass; areas have a centre, bounds or geometry."""
    listed = elements if isinstance(elements, list) else []
    nodes = {e.get("id"): e for e in listed if isinstance(e, dict) and e.get("type") == "node"}
    for element in listed:
        tags = element.get("tags") if isinstance(element, dict) else None
        if not isinstance(tags, dict):
            continue
        texts = {key: str(value) for key, value in tags.items()}
        name = f"{element.get('type')}/{element.get('id')}"
        at = element if "lat" in element else element.get("center")
        ring = element.get("geometry") or [nodes.get(n) for n in element.get("nodes") or ()]
        corners = [(p.get("lon"), p.get("lat")) for p in ring if isinstance(p, dict)] if (
            isinstance(ring, list)) else []  # fmt: skip
        shape = _to_polygon(corners)
        if isinstance(at, dict):
            lon, lat = (
                v if isinstance(v, int | float) else None for v in (at.get("lon"), at.get("lat"))
            )
            yield _Element(name, lon, lat, shape, texts)
        else:
            yield _make_element(name, shape, texts)


def _to_polygon(corners: list[Any]) -> Any:  # noqa: ANN401 - a shape or None
    right = all(isinstance(v, int | float) for corner in corners for v in corner)
    return shapely.Polygon(corners) if right and len(corners) >= 4 else None  # noqa: PLR2004 - a ring


def _read_pbf(file: OsmFile) -> Iterator[_Element]:
    """Yield the charging stations of an extract, by GDAL."""
    wanted = "other_tags LIKE '%charging_station%' OR other_tags LIKE '%charge_point%'"
    for layer in _LAYERS:
        condition = wanted
        if layer == "multipolygons":
            condition = f"amenity = 'charging_station' OR {wanted}"
        elif layer == "points":
            condition = f"man_made = 'charge_point' OR {wanted}"
        try:
            frame = _read_layer(file, layer, condition)
        except Exception as error:  # GDAL raises what it likes on damaged files
            raise RegisterError(f"{file.origin} cannot be read as OSM's PBF ({error})") from error
        yield from (_row_element(layer, row) for row in frame.to_dict("records"))


def _read_layer(file: OsmFile, layer: str, condition: str) -> Any:  # noqa: ANN401 - a GeoDataFrame
    """Read one layer of an extract through GDAL."""
    import pyogrio  # noqa: PLC0415 - used here alone

    before = pyogrio.get_gdal_config_option("OSM_USE_CUSTOM_INDEXING")
    # The index that is faster refuses files whose nodes are not in order.
    pyogrio.set_gdal_config_options({"OSM_USE_CUSTOM_INDEXING": False})
    try:
        return pyogrio.read_dataframe(file.path, layer=layer, where=condition)
    finally:
        pyogrio.set_gdal_config_options({"OSM_USE_CUSTOM_INDEXING": before})


def _row_element(layer: str, row: dict[str, Any]) -> _Element:
    """Make an element of a row of GDAL, with all its tags."""
    tags = {
        key: _unescape_tag(value)
        for key, value in _HSTORE.findall(str(row.get("other_tags") or ""))
    }
    tags |= {
        k: v for k, v in row.items() if isinstance(v, str) and k not in {"other_tags", "osm_id"}
    }
    kind = "node" if layer == "points" else "way" if layer == "lines" else "relation"
    number = row.get("osm_id")
    if layer == "multipolygons" and not (isinstance(number, str) and number):
        kind, number = "way", row.get("osm_way_id")
    return _make_element(f"{kind}/{number}", row.get("geometry"), tags)


def _unescape_tag(text: str) -> str:
    return text.replace('\\"', '"').replace("\\\\", "\\")


class _Reader:
    """Gathers stations, and the charge points in them."""

    def __init__(self) -> None:
        self.clean, self.unknown, self.seen = Cleaner(), Counter[str](), Excerpts()
        self.codes = load_codes("osm")
        self.sites: list[Site] = []
        self.points: list[Point] = []
        self.connectors: list[Connector] = []
        self.notes: Counter[str] = Counter()

    def read(self, stations: list[_Element], posts: list[_Element], origin: str) -> None:
        """Read stations; where charge points lie in one, they replace its sockets."""
        owners = _find_owners(stations, posts)
        alone = [post for post, owner in zip(posts, owners, strict=True) if owner is None]
        for position, element in enumerate([*stations, *alone]):
            self.seen.n_read += 1
            place = (origin, position)
            if element.tags.get("bicycle") == "yes" and element.tags.get("motorcar") in (
                None,
                "no",
            ):
                cars = any(element.tags.get(k) not in (None, "no") for k in ("car", "hgv", "truck"))
                if not cars and not _has_car_sockets(element.tags):
                    self.seen.reject(place, "for bicycles alone", element.name)
                    continue
            inside = [p for p, owner in zip(posts, owners, strict=True) if owner == position]
            self._add_site(element, place, n_posts=len(inside))
            for part in inside or [element]:
                self._add_sockets(part)
            self.notes["n_charge_points_inside"] += len(inside)

    def _add_site(self, element: _Element, place: tuple[str, int], *, n_posts: int) -> None:
        """Add a station with its tags."""
        tags, clean = element.tags, self.clean
        operator = next((tags[k] for k in ("operator", "brand", "network") if tags.get(k)), None)
        street, number = tags.get("addr:street"), tags.get("addr:housenumber")
        output = _parse_output_kw(tags.get("charging_station:output"))
        extra = {k: v for k, v in tags.items() if not k.startswith("socket:")}
        if n_posts:
            extra["charge_points"] = str(n_posts)
        ids = [t.strip() for t in re.split(r"[;,\s]", tags.get("ref:EU:EVSE", "")) if t.strip()]
        self.sites.append(
            Site(
                element.name,
                element.lon,
                element.lat,
                tags.get("name") or operator,
                f"{street} {number}" if street and number else street,
                tags.get("addr:city"),
                tags.get("addr:state"),
                tags.get("addr:postcode"),
                operator=operator,
                usage_type_id=self.codes.find("access", tags.get("access"), self.unknown),
                # Bays are not charging points; ids of charging points are.
                n_points=len(ids) if len(ids) > 1 else None,
                site_power_kw=output[0] if output else None,
                access_comments=tags.get("opening_hours"),
                general_comments=tags.get("description"),
                usage_cost=tags.get("charge"),
                phone=tags.get("phone") or tags.get("contact:phone"),
                url=tags.get("website") or tags.get("contact:website"),
                confirmed=clean.time(tags.get("check_date"), "date_last_confirmed"),
                extra=other_fields(extra, _USED - {"capacity"}),
                origin=place[0],
                position=place[1],
            )
        )

    def _find_socket_kind(self, word: str, lon: float | None) -> int | None:
        """Return the connection type of a socket; Tesla's differs between the continents."""
        kind = self.codes.find("connector", word, self.unknown)
        in_america = kind == 30 and word == "tesla_supercharger" and (lon or 0) < -30  # noqa: PLR2004
        return _SUPERCHARGER_US if in_america else kind

    def _read_socket_power(self, output: str | None) -> float | None:
        """Return the highest power of a socket in kW; what states none is counted as wrong."""
        powers = _parse_output_kw(output) or []
        if output and not powers:
            self.clean.wrong["connections.power_kw"] += 1
        return max((power for power in powers if power), default=None)

    def _add_sockets(self, element: _Element) -> None:
        """Add the sockets of a station or charge point, each with its number and power."""
        ids = [
            t.strip() for t in re.split(r"[;,\s]", element.tags.get("ref:EU:EVSE", "")) if t.strip()
        ]
        for key, value in element.tags.items():
            found = _SOCKET.fullmatch(key)
            if found is None or value in {"no", "0"}:
                continue
            word = found[1]
            kind = self._find_socket_kind(word, element.lon)
            top = self._read_socket_power(element.tags.get(f"{key}:output"))
            number = int(value) if _COUNT.fullmatch(value) else None
            if number is None and value != "yes":
                self.clean.wrong["connections.quantity"] += 1
            current = self.codes.find("current", word, Counter()) or None
            if kind in _TYPE_2 and top is not None:
                # One phase of 32 A gives 7.4 kW: more needs three.
                current = 20 if top > _ONE_PHASE_KW else 10
            self.points.append(
                Point(len(self.sites) - 1, ids[0] if len(ids) == 1 else None, quantity=number)
            )
            told = None if kind else f"Unknown ({word})"
            self.connectors.append(
                Connector(len(self.points) - 1, kind, current, None, top, quantity=number,
                          comments=told, reference=element.name)
            )  # fmt: skip


def _has_car_sockets(tags: dict[str, str]) -> bool:
    words = ("type2", "ccs", "chademo", "type1", "combo", "nacs", "tesla")
    return any(key.startswith("socket:") and any(w in key for w in words) for key in tags)


def _parse_output_kw(text: str | None) -> list[float] | None:
    """Read powers such as "22 kW", "22000 W", "150 kW;50 kW" or "50", which is kW."""
    found = []
    for part in re.split(r"\s*[;/|]\s*", text or ""):
        match = _POWER.fullmatch(part.strip())
        if match is None:
            continue
        number = float(match[1].replace(",", "."))
        size = _SIZES[match[2].lower()] if match[2] else 1.0
        # A number without a unit and beyond any charger is in watts.
        found.append(number / 1000 if match[2] is None and number > _MOST_KW else number * size)
    return found or None


def _find_owners(stations: list[_Element], posts: list[_Element]) -> list[int | None]:
    """Find the station that each charge point lies in, or within 50 m of with one operator."""
    lon = np.array([s.lon if s.lon is not None else np.nan for s in stations])
    lat = np.array([s.lat if s.lat is not None else np.nan for s in stations])
    owners: list[int | None] = []
    for post in posts:
        if post.lon is None or not len(stations):
            owners.append(None)
            continue
        close = np.flatnonzero((np.abs(lon - post.lon) < 0.01) & (np.abs(lat - post.lat) < 0.01))  # noqa: PLR2004
        at = shapely.Point(post.lon, post.lat)
        inside = [
            int(i) for i in close if stations[i].shape is not None and stations[i].shape.covers(at)
        ]
        away = (
            distance_km(lon[close], lat[close], post.lon, post.lat) if len(close) else np.empty(0)
        )
        order = [int(close[i]) for i in np.argsort(away) if away[i] <= _NEAR_KM]
        near = [i for i in order if _same_operator(stations[i].tags, post.tags)]
        owners.append(next(iter(inside + near), None))
    return owners


def _same_operator(first: dict[str, str], second: dict[str, str]) -> bool:
    """Return whether two elements name one operator, or one of them names none."""
    words = [
        {t[k].casefold() for k in ("operator", "network", "brand") if k in t}
        for t in (first, second)
    ]
    return not words[0] or not words[1] or bool(words[0] & words[1])


def draft_osm(contents: Sequence[Content]) -> Draft:
    """Read the charging stations of OpenStreetMap."""
    reader = _Reader()
    stations: dict[str, _Element] = {}
    posts: dict[str, _Element] = {}
    for content in contents:
        for element in _elements_of(content):
            if any(
                key.startswith(_GONE)
                for key in element.tags
                if key.endswith(("amenity", "man_made"))
            ):
                continue
            if element.tags.get("amenity") == "charging_station":
                stations.setdefault(element.name, element)
            elif element.tags.get("man_made") == "charge_point":
                posts.setdefault(element.name, element)
    reader.read(list(stations.values()), list(posts.values()), contents[0].origin)
    notes = {k: n for k, n in reader.notes.items() if n}
    return Draft(
        "station", reader.seen.n_read, transpose(reader.sites, Site),
        transpose(reader.points, Point), transpose(reader.connectors, Connector),
        reader.seen.rejects, reader.clean.wrong, reader.unknown, notes,
        has_points=False, unique_evse_ids=False,
    )  # fmt: skip
