"""GPX, KML, TCX and tables of points as programs, devices and people leave them."""

from __future__ import annotations

import gzip
import io
import json
import re
import time
import zipfile
from typing import TYPE_CHECKING

import pytest
import shapely

from ocm_geo.errors import DroppedRows, OCMError, OCMWarning, QueryError, RouteError, SuspectInput
from ocm_geo.routes import route_from_file

if TYPE_CHECKING:
    from pathlib import Path

LONLAT = [(round(5 + i * 0.011, 6), round(50 + i * 0.013, 6)) for i in range(12)]
LINE = shapely.LineString(LONLAT)
GPX = '<gpx xmlns="http://www.topografix.com/GPX/1/1" version="1.1" creator="t">{}</gpx>'
KML = '<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>d</name>{}</Document></kml>'
COORDINATES = " ".join(f"{x},{y},0" for x, y in LONLAT)
LINESTRING = f"<LineString><coordinates>\n{COORDINATES}\n</coordinates></LineString>"
PIN = "<Placemark><name>stop</name><Point><coordinates>5,50</coordinates></Point></Placemark>"


def points(lonlat: list[tuple[float, float]] = LONLAT, tag: str = "trkpt", comma: str = ".") -> str:
    rows = [(f"{x:.6f}".replace(".", comma), f"{y:.6f}".replace(".", comma)) for x, y in lonlat]
    return "".join(
        f'<{tag} lat="{y}" lon="{x}"><ele>1,5</ele><time>2024-01-01T00:00:00Z</time></{tag}>'
        for x, y in rows
    )


def track(*segments: str, name: str = "day") -> str:
    return f"<trk><name>{name}</name>{''.join(f'<trkseg>{s}</trkseg>' for s in segments)}</trk>"


def mark(inner: str, name: str = "road") -> str:
    return f"<Placemark><name>{name}</name>{inner}</Placemark>"


def folder(name: str, *inner: str) -> str:
    return f"<Folder><name>{name}</name>{''.join(inner)}</Folder>"


ONE = points([(5.5, 50.5)])
TCX = (
    '<TrainingCenterDatabase xmlns="http://www.garmin.com/xmlschemas/TrainingCenterDatabase/v2">'
    "{}</TrainingCenterDatabase>"
)


def trackpoints(lonlat: list[tuple[float, float]]) -> str:
    return "<Track>{}</Track>".format(
        "".join(
            "<Trackpoint><Time>2024-01-01T00:00:00Z</Time><Position>"
            f"<LatitudeDegrees>{y}</LatitudeDegrees><LongitudeDegrees>{x}</LongitudeDegrees>"
            "</Position></Trackpoint><Trackpoint><HeartRateBpm/></Trackpoint>"
            for x, y in lonlat
        )
    )


def course(*tracks: str) -> str:
    return f"<Courses><Course><Name>c</Name>{''.join(tracks)}</Course></Courses>"


def prefixed(text: str) -> str:
    return re.sub(r"<(/?)(\w)", r"<\1g:\2", text).replace(" xmlns=", " xmlns:g=")


RIGHT = {
    "commas.gpx": GPX.format(track(points(comma=","))),
    "single first.gpx": GPX.format(track(ONE, points(), ONE)),
    "single track.gpx": GPX.format(track(ONE, name="slip") + track(points()) + "<trk/>"),
    "empty segments.gpx": GPX.format(track("", points(), "")),
    "empty track and route.gpx": GPX.format(
        f"<rte>{points(tag='rtept')}</rte>{track('')}<trk><name>e</name></trk>"
    ),
    "prefix.gpx": prefixed(GPX.format(track(points()))),
    "prefix without namespace.gpx": GPX.format(
        track(points().replace("</ele>", "</ele><extensions><x:hr>7</x:hr></extensions>"))
    ),
    "no namespace.gpx": f"<gpx>{track(points())}</gpx>",
    "old.gpx": GPX.replace("1/1", "1/0").replace('"1.1"', '"1.0"').format(track(points())),
    "capitals.GPX": GPX.format(track(points())),
    "comment.gpx": "<!-- from a watch -->\n" + GPX.format(track(points())),
    "stylesheet.gpx": '<?xml version="1.0"?><?xml-stylesheet href="a.xsl"?>'
    + GPX.format(track(points())),
    "waypoints too.gpx": GPX.format('<wpt lat="50" lon="5"/>' * 3 + track(points())),
    "no extension": GPX.format(track(points())),
    "wrong extension.kml": GPX.format(track(points())),
    "named as.xml": GPX.format(track(points())),
    "line.kml": KML.format(mark(LINESTRING) + PIN),
    "prefix.kml": prefixed(KML.format(mark(LINESTRING))),
    "my maps.kml": KML.format(
        folder("Directions from A to B", mark(LINESTRING), PIN, PIN) + folder("Stops", PIN)
    ),
    "nested.kml": KML.format(folder("a", folder("b", folder("c", mark(LINESTRING))))),
    "multi.kml": KML.format(
        mark(f"<MultiGeometry><Point><coordinates>5,50</coordinates></Point>{LINESTRING}</MultiGeometry>")
    ),
    "track.kml": KML.format(
        mark("<gx:Track>{}</gx:Track>".format(
            "".join(f"<when>2024-01-01</when><gx:coord>{x} {y} 7</gx:coord>" for x, y in LONLAT)
        ))
    ),
    "spaces.kml": KML.format(mark(LINESTRING.replace(",", " , "))),
    "single.kml": KML.format(
        mark("<LineString><coordinates>5,50</coordinates></LineString>") + mark(LINESTRING)
    ),
    "shape beside.kml": KML.format(
        mark("<Polygon><outerBoundaryIs><LinearRing><coordinates>0,0 1,0 1,1 0,0</coordinates>"
             "</LinearRing></outerBoundaryIs></Polygon>")
        + mark(LINESTRING)
    ),
    "no document.kml": f"<kml>{mark(LINESTRING)}</kml>",
    "ride.tcx": TCX.format(
        "<Activities><Activity Sport='Biking'><Id>1</Id>"
        f"<Lap>{trackpoints(LONLAT[:5])}</Lap><Lap>{trackpoints(LONLAT[4:])}</Lap>"
        "</Activity></Activities>"
    ),
    "course.tcx": TCX.format(course(trackpoints(LONLAT[:1]), trackpoints(LONLAT))),
    "table.csv": "lon,lat\n" + "".join(f"{x},{y}\n" for x, y in LONLAT),
    "table.txt": "Time\tLatitude\tLongitude\n" + "".join(f"1\t{y}\t{x}\n" for x, y in LONLAT),
    "commas.csv": "Längengrad;Latitude (deg);LNG\n"
    + "".join(f"a;{str(y).replace('.', ',')};{str(x).replace('.', ',')}\n" for x, y in LONLAT),
    "collection.geojson": json.dumps(
        {"type": "GeometryCollection", "geometries": [
            {"type": "Point", "coordinates": [5, 50]},
            {"type": "LineString", "coordinates": LONLAT},
        ]}
    ),
    "feature.geojson": json.dumps(
        {"type": "Feature", "properties": None,
         "geometry": {"type": "MultiLineString", "coordinates": [LONLAT[:6], LONLAT[5:]]}}
    ),
    "feature.json": json.dumps(
        {"type": "Feature", "properties": {},
         "geometry": {"type": "LineString", "coordinates": LONLAT}}
    ),
}  # fmt: skip


def same(route: shapely.LineString) -> bool:
    return len(route.coords) == len(LONLAT) and shapely.equals_exact(route, LINE, 1e-6)


@pytest.mark.parametrize("name", RIGHT)
def test_real_files(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(RIGHT[name], encoding="utf-8")
    assert same(route_from_file(path))
    packed = tmp_path / f"{name}.gz"
    packed.write_bytes(gzip.compress(RIGHT[name].encode()))
    assert same(route_from_file(packed))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1", "cp1252"])
@pytest.mark.parametrize("said", ["", "UTF-8", "utf-16", "ISO-8859-1", "windows-1252", "made-up"])
def test_whatever_the_encoding_is_and_is_said_to_be(
    tmp_path: Path, encoding: str, said: str
) -> None:
    head = f'<?xml version="1.0" encoding="{said}"?>\n' if said else ""
    text = head + GPX.format(
        track(points(), name="Zürich€" if "8859" not in encoding else "Zürich")
    )
    path = tmp_path / "t.gpx"
    path.write_bytes(text.encode(encoding))
    unsure = encoding in ("iso-8859-1", "cp1252") and said not in ("ISO-8859-1", "windows-1252")
    if unsure:
        with pytest.warns(SuspectInput, match="Windows-1252"):
            assert same(route_from_file(path))
    else:
        assert same(route_from_file(path))


def test_kmz_and_the_document_inside(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("files/icon.png", b"x")
        archive.writestr("other.kml", KML.format(PIN))
        archive.writestr("doc.kml", KML.format(mark(LINESTRING)))
    (tmp_path / "r.kmz").write_bytes(packed.getvalue())
    assert same(route_from_file(tmp_path / "r.kmz"))


WRONG = {
    "waypoints.gpx": (GPX.format('<wpt lat="50" lon="5"/>' * 3), "only 3 waypoints"),
    "one.gpx": (GPX.format(track(ONE)), "only 1 point in tracks"),
    "words.gpx": (GPX.format(track('<trkpt lat="north" lon="5"/>')), "lat='north'"),
    "lacks.gpx": (GPX.format(track('<trkpt lat="5"/>')), "lon=''"),
    "nan.gpx": (GPX.format(track('<trkpt lat="NaN" lon="5"/>' * 2)), "lat='NaN'"),
    "thousands.gpx": (GPX.format(track('<trkpt lat="50.1,5" lon="5"/>' * 2)), "50.1,5"),
    "far.gpx": (GPX.format(track('<trkpt lat="95" lon="5"/><trkpt lat="96" lon="5"/>')), "95"),
    "amp.gpx": (GPX.format("\n" + track(points(), name="A & B")), "line 2, column"),
    "cut.gpx": (GPX.format(track(points()))[:-40], "broken XML at line 1"),
    "html.gpx": ("<!DOCTYPE html><title>Sign in</title>", "web page, 'Sign in'"),
    "html.kml": ("<html><body>404</body></html>", "web page"),
    "html.json": ("<html><head><title>Oops</title></head></html>", "web page, 'Oops'"),
    "svg.gpx": ("<svg></svg>", "root is 'svg'"),
    "bomb.gpx": (
        '<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><gpx>&b;</gpx>',
        "entities",
    ),
    "outside.gpx": (
        '<!DOCTYPE gpx [<!ENTITY a SYSTEM "file:///etc/passwd">]><gpx>&a;</gpx>',
        "ent",
    ),
    "deep.gpx": ("<a>" * 10_000, "deep"),
    "commas.kml": (KML.format(mark(LINESTRING.replace(".", ","))), "decimal commas"),
    "words.kml": (
        KML.format(mark("<LineString><coordinates>a,b</coordinates></LineString>")),
        "num",
    ),
    "link.kml": (
        KML.format("<NetworkLink><Link><href>https://maps.example/kml</href></Link></NetworkLink>"),
        "only a link to 'https://maps.example/kml'",
    ),
    "two folders.kml": (
        KML.format(folder("a", mark(LINESTRING)) + folder("b", mark(LINESTRING))),
        r"choose one of \['a', 'b'\]",
    ),
    "pins.kml": (KML.format(PIN * 2), "only 2 points"),
    "empty.tcx": (TCX.format(course()), "contains no line"),
    "names.csv": ("name,town\na,b\n", r"no columns of longitude.*'name', 'town'"),
    "swapped.csv": ("lon,lat\n50,105\n51,106\n", "105"),
    "one.csv": ("lon,lat\n5,50\n", "only 1 point"),
    "words.csv": ("lon,lat\n5,50\nfive,51\n", "'five'"),
    "cut.geojson": (
        '{"type": "LineString", "coordinates": [[5, 50], [5',
        "not valid JSON|cut off|neither",
    ),
    "deep.json": ("[" * 200_000, "not valid JSON"),
    "empty.gpx": ("", "neither|no line|broken"),
    "none.kmz": ("PK\x03\x04 no zip", "cannot be read"),
    "none.gpx.gz": ("\x1f\x8b no gzip", "cannot be read|neither"),
}


@pytest.mark.parametrize("name", WRONG)
def test_files_that_are_no_route_say_why(tmp_path: Path, name: str) -> None:
    text, told = WRONG[name]
    path = tmp_path / name
    path.write_bytes(text.encode("latin-1"))
    begun = time.monotonic()
    with pytest.raises((RouteError, QueryError), match=told) as caught:
        route_from_file(path)
    assert name.removesuffix(".gz") in str(caught.value)
    assert time.monotonic() - begun < 20


def test_lines_chosen_by_name(tmp_path: Path) -> None:
    path = tmp_path / "days.gpx"
    path.write_text(GPX.format(track(points(LONLAT[::-1]), name="out") + track(points())))
    assert same(route_from_file(path, feature="name = 'day'"))
    assert same(route_from_file(path, feature=1))
    with pytest.raises(QueryError, match=r"its columns are 'name'.*feature=\"name = 'day'\""):
        route_from_file(path, feature="day")
    with pytest.raises(RouteError, match="no line that meets"):
        route_from_file(path, feature="name = 'never'")


def test_folders_chosen_by_name(tmp_path: Path) -> None:
    path = tmp_path / "f.kml"
    path.write_text(KML.format(folder("a", mark(LINESTRING)) + folder("b", mark(LINESTRING))))
    assert same(route_from_file(path, layer="b"))
    with pytest.raises(RouteError, match="no folder 'c'"):
        route_from_file(path, layer="c")


def test_rows_without_position_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    rows = [f"{x},{y}\n" for x, y in LONLAT]
    path.write_text("lon,lat\n" + ",\n".join(["".join(rows[:6]), ",", "".join(rows[6:])][::2]))
    with pytest.warns(DroppedRows, match="1 of 13 rows have no position"):
        assert same(route_from_file(path))


@pytest.mark.parametrize(
    "name",
    ["commas.gpx", "my maps.kml", "ride.tcx", "table.csv", "feature.geojson", "feature.json"],
)
def test_cut_and_changed_anywhere(tmp_path: Path, name: str) -> None:
    content = RIGHT[name].encode()
    path = tmp_path / name
    changed = [content[: len(content) * i // 20] for i in range(20)]
    for i in range(20):
        at = len(content) * i // 20
        changed.append(content[:at] + bytes([content[at] ^ 0x15]) + content[at + 1 :])
    for text in changed:
        path.write_bytes(text)
        try:
            route_from_file(path)
        except (OCMError, OCMWarning) as error:
            assert name in str(error)  # noqa: PT017 - a changed digit may give another route
