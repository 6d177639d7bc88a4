"""Make the bundled borders from world-atlas (ISC; Natural Earth 1:50m, public domain).

npm pack world-atlas@2.0.2 && tar xzf world-atlas-2.0.2.tgz
python scripts/make_borders.py package/countries-50m.json
"""

from __future__ import annotations

import sys
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from ocm_geo.borders.countries import BORDER_KM, CELL_DEGREES, MIXED, MOST_OWNERS
from ocm_geo.geodesy import circle
from ocm_geo.geodesy.antimeridian import WORLD, polygon_of_ring, split_antimeridian

TARGET = Path(__file__).parents[1] / "ocm_geo" / "borders" / "data"
_DEGREE_KM = 111.32
_DIGITS = 0.01
_MOST_LAT = 89.0

# ISO 3166 alpha-2 code of each outline of Natural Earth, by its name there.
_CODES = """
AD Andorra; AE United Arab Emirates; AF Afghanistan; AG Antigua and Barb.; AI Anguilla; AL
Albania; AM Armenia; AO Angola; AQ Antarctica; AR Argentina; AS American Samoa; AT Austria; AU
Australia; AU Ashmore and Cartier Is.; AW Aruba; AX Åland; AZ Azerbaijan; BA Bosnia and Herz.;
BB Barbados; BD Bangladesh; BE Belgium; BF Burkina Faso; BG Bulgaria; BH Bahrain; BI Burundi; BJ
Benin; BL St-Barthélemy; BM Bermuda; BN Brunei; BO Bolivia; BR Brazil; BS Bahamas; BT Bhutan; BW
Botswana; BY Belarus; BZ Belize; CA Canada; CC Indian Ocean Ter.; CD Dem. Rep. Congo; CF Central
African Rep.; CG Congo; CH Switzerland; CI Côte d'Ivoire; CK Cook Is.; CL Chile; CM Cameroon; CN
China; CO Colombia; CR Costa Rica; CU Cuba; CV Cabo Verde; CW Curaçao; CY N. Cyprus; CY Cyprus;
CZ Czechia; DE Germany; DJ Djibouti; DK Denmark; DM Dominica; DO Dominican Rep.; DZ Algeria; EC
Ecuador; EE Estonia; EG Egypt; EH W. Sahara; ER Eritrea; ES Spain; ET Ethiopia; FI Finland; FJ
Fiji; FK Falkland Is.; FM Micronesia; FO Faeroe Is.; FR France; GA Gabon; GB United Kingdom; GD
Grenada; GE Georgia; GG Guernsey; GH Ghana; GL Greenland; GM Gambia; GN Guinea; GQ Eq. Guinea;
GR Greece; GS S. Geo. and the Is.; GT Guatemala; GU Guam; GW Guinea-Bissau; GY Guyana; HK Hong
Kong; HM Heard I. and McDonald Is.; HN Honduras; HR Croatia; HT Haiti; HU Hungary; ID Indonesia;
IE Ireland; IL Israel; IM Isle of Man; IN India; IN Siachen Glacier; IO Br. Indian Ocean Ter.;
IQ Iraq; IR Iran; IS Iceland; IT Italy; JE Jersey; JM Jamaica; JO Jordan; JP Japan; KE Kenya; KG
Kyrgyzstan; KH Cambodia; KI Kiribati; KM Comoros; KN St. Kitts and Nevis; KP North Korea; KR
South Korea; KW Kuwait; KY Cayman Is.; KZ Kazakhstan; LA Laos; LB Lebanon; LC Saint Lucia; LI
Liechtenstein; LK Sri Lanka; LR Liberia; LS Lesotho; LT Lithuania; LU Luxembourg; LV Latvia; LY
Libya; MA Morocco; MC Monaco; MD Moldova; ME Montenegro; MF St-Martin; MG Madagascar; MH
Marshall Is.; MK Macedonia; ML Mali; MM Myanmar; MN Mongolia; MO Macao; MP N. Mariana Is.; MR
Mauritania; MS Montserrat; MT Malta; MU Mauritius; MV Maldives; MW Malawi; MX Mexico; MY
Malaysia; MZ Mozambique; NA Namibia; NC New Caledonia; NE Niger; NF Norfolk Island; NG Nigeria;
NI Nicaragua; NL Netherlands; NO Norway; NP Nepal; NR Nauru; NU Niue; NZ New Zealand; OM Oman;
PA Panama; PE Peru; PF Fr. Polynesia; PG Papua New Guinea; PH Philippines; PK Pakistan; PL
Poland; PM St. Pierre and Miquelon; PN Pitcairn Is.; PR Puerto Rico; PS Palestine; PT Portugal;
PW Palau; PY Paraguay; QA Qatar; RO Romania; RS Serbia; RU Russia; RW Rwanda; SA Saudi Arabia;
SB Solomon Is.; SC Seychelles; SD Sudan; SE Sweden; SG Singapore; SH Saint Helena; SI Slovenia;
SK Slovakia; SL Sierra Leone; SM San Marino; SN Senegal; SO Somalia; SO Somaliland; SR Suriname;
SS S. Sudan; ST São Tomé and Principe; SV El Salvador; SX Sint Maarten; SY Syria; SZ eSwatini;
TC Turks and Caicos Is.; TD Chad; TF Fr. S. Antarctic Lands; TG Togo; TH Thailand; TJ
Tajikistan; TL Timor-Leste; TM Turkmenistan; TN Tunisia; TO Tonga; TR Turkey; TT Trinidad and
Tobago; TW Taiwan; TZ Tanzania; UA Ukraine; UG Uganda; US United States of America; UY Uruguay;
UZ Uzbekistan; VA Vatican; VC St. Vin. and Gren.; VE Venezuela; VG British Virgin Is.; VI U.S.
Virgin Is.; VN Vietnam; VU Vanuatu; WF Wallis and Futuna Is.; WS Samoa; XK Kosovo; YE Yemen; ZA
South Africa; ZM Zambia; ZW Zimbabwe
"""
CODES = {
    name: code
    for code, name in (
        pair.strip().split(maxsplit=1) for pair in " ".join(_CODES.splitlines()).split(";")
    )
}

# Parts of an outline that have a code of their own, or that Natural Earth draws with the wrong
# country: what lies in the box (west, south, east, north).
PARTS = (
    ("France", "Guadeloupe", "GP", (-62.0, 15.7, -60.9, 16.6)),
    ("France", "Martinique", "MQ", (-61.4, 14.2, -60.7, 15.0)),
    ("France", "French Guiana", "GF", (-55.0, 2.0, -51.0, 6.0)),
    ("France", "Réunion", "RE", (55.0, -21.6, 56.0, -20.6)),
    ("France", "Mayotte", "YT", (44.8, -13.2, 45.5, -12.4)),
    ("Netherlands", "Caribbean Netherlands", "BQ", (-69.0, 11.5, -62.0, 18.5)),
    ("Norway", "Svalbard and Jan Mayen", "SJ", (-10.0, 70.5, 36.0, 82.0)),
    ("Netherlands", "Germany", "DE", (6.60, 53.53, 6.85, 53.65)),  # Borkum
    ("Russia", "Crimea", "UA", (32.0, 44.2, 36.68, 46.25)),
    ("Indian Ocean Ter.", "Christmas Island", "CX", (105.0, -11.0, 106.0, -10.0)),
    ("New Zealand", "Tokelau", "TK", (-173.0, -10.0, -171.0, -8.0)),
)

# Islands and exclaves that the outlines leave out, as circles: (lon, lat, km).
SMALL = (
    ("Spain", "ES", (-5.32, 35.89, 4.0)),  # Ceuta
    ("Spain", "ES", (-2.95, 35.29, 3.0)),  # Melilla
    ("Germany", "DE", (8.69, 47.70, 2.5)),  # Büsingen
    ("Germany", "DE", (7.89, 54.18, 2.0)),  # Helgoland
    ("Italy", "IT", (8.97, 45.97, 1.5)),  # Campione
    ("Gibraltar", "GI", (-5.35, 36.14, 2.5)),
    ("Monaco", "MC", (7.42, 43.74, 1.8)),
    ("Vatican", "VA", (12.453, 41.903, 0.5)),
    ("Tuvalu", "TV", (179.20, -8.52, 8.0)),
    ("Bouvet Island", "BV", (3.37, -54.42, 6.0)),
)

# Codes under which the stations of an outline may be filed as well: its status is disputed, or
# lists treat it as a part of the other.
ALSO = {
    "Kosovo": "RS",
    "N. Cyprus": "CY TR",
    "Crimea": "UA RU",
    "W. Sahara": "MA",
    "Palestine": "IL",
    "Siachen Glacier": "PK",
    "Åland": "FI",
    "Svalbard and Jan Mayen": "NO",
    "Ashmore and Cartier Is.": "AU",
    "Somaliland": "SO",
}

# Whose stations may lie there without a code, or with the code of the state: decided by positions.
STATES = {
    "FR": "GP MQ GF RE YT MF BL PM WF PF NC TF",
    "GB": "GG JE IM GI AI BM VG KY MS TC FK SH PN GS IO",
    "US": "PR VI GU MP AS UM",
    "NL": "AW CW SX BQ",
    "DK": "FO GL",
    "NO": "SJ BV",
    "CN": "HK MO TW",
    "AU": "CX CC NF HM",
    "NZ": "CK NU TK",
    "FI": "AX",
    "IT": "SM VA",
}


def main(source: str) -> None:
    """Write the outlines with their codes, what each claims, what it reaches, and the cells."""
    table = _countries(source)
    table["also"] = [ALSO.get(name, "") for name in table["name"]]
    state = {code: s.split()[0] for s, codes in STATES.items() for code in codes.split()}
    table["state"] = [state.get(code, "") for code in table["code"]]
    reach = np.array([_reach(shape) for shape in table.geometry], dtype=object)
    claim = _claims(table.geometry.to_numpy(), reach)
    smooth = shapely.set_precision(shapely.simplify(reach, _DIGITS / 2), _DIGITS)
    table = table.assign(reach=gpd.GeoSeries(smooth, crs="EPSG:4326"))
    table.to_parquet(TARGET / "countries.parquet", compression="zstd", compression_level=19)
    cells, owners = _cells(claim)
    np.savez_compressed(TARGET / "cells.npz", cells=cells, owners=owners)


def _countries(source: str) -> gpd.GeoDataFrame:
    """Cut the outlines at the antimeridian, round them to 0.01 degrees and tell parts apart."""
    given = gpd.read_file(source, layer="countries")
    shapes = shapely.set_precision(np.array([_country(s) for s in given.geometry]), _DIGITS)
    rows = [(name, CODES[name], shape) for name, shape in zip(given["name"], shapes, strict=True)]
    for owner, name, code, box in PARTS:
        at = next(i for i, row in enumerate(rows) if row[0] == owner)
        pieces = shapely.get_parts(rows[at][2])
        inside = shapely.within(pieces, shapely.box(*box))
        if not inside.any():
            raise SystemExit(f"nothing of {owner} lies in the box of {name}")
        rows[at] = (*rows[at][:2], _joined(pieces[~inside]))
        rows.append((name, code, _joined(pieces[inside])))
    rows = _with_small(rows)
    frame = gpd.GeoDataFrame(rows, columns=["name", "code", "geometry"], crs="EPSG:4326")
    frame = frame.dissolve(by=["name", "code"], as_index=False, sort=False)
    frame["geometry"] = [_polygons(shape) for shape in frame.geometry]
    return frame[["name", "code", "geometry"]]


def _polygons(shape: shapely.Geometry) -> shapely.Geometry:
    parts = shapely.get_parts(shape)
    return _joined(parts[shapely.get_dimensions(parts) == 2])  # noqa: PLR2004 - polygons


def _with_small(
    rows: list[tuple[str, str, shapely.Geometry]],
) -> list[tuple[str, str, shapely.Geometry]]:
    for name, code, (lon, lat, km) in SMALL:
        disc = shapely.set_precision(circle(lon, lat, km, n_points=24), _DIGITS / 5)
        rows = [
            (n, c, s if n == name or not s.intersects(disc) else s.difference(disc))
            for n, c, s in rows
        ]
        rows.append((name, code, disc))
    return rows


def _joined(pieces: np.ndarray) -> shapely.Geometry:
    return pieces[0] if len(pieces) == 1 else shapely.multipolygons(pieces)


def _country(shape: shapely.Geometry) -> shapely.Geometry:
    """Unite the parts: the source lets rings jump from 180 to -180 where they cross."""
    return shapely.union_all([_part(part) for part in shapely.get_parts(shape)])


def _part(part: shapely.Polygon) -> shapely.Geometry:
    shell, *holes = (
        polygon_of_ring(shapely.get_coordinates(ring)) for ring in (part.exterior, *part.interiors)
    )
    # Antarctica is given as a ring about the pole with its coast as the hole: what lies between.
    return shapely.symmetric_difference(shell, shapely.union_all(holes))


def _reach(shape: shapely.Geometry) -> shapely.Geometry:
    """Widen an outline by `BORDER_KM`: its edges, belt by belt, in a plane that fits the belt."""
    edges = shapely.segmentize(shapely.boundary(shape), 0.5)
    _, south, _, north = edges.bounds
    radius = BORDER_KM / _DEGREE_KM
    strips = [shape]
    for lat in np.arange(np.floor(south), min(np.ceil(north), _MOST_LAT)):
        belt = shapely.intersection(edges, shapely.box(-180.0, lat, 180.0, lat + 1.0))
        if belt.is_empty:
            continue
        wide = 1.0 / np.cos(np.radians(min(abs(lat + 0.5), _MOST_LAT)))
        flat = shapely.transform(belt, lambda xy, w=wide: xy / [w, 1.0])
        strip = shapely.buffer(flat, radius, quad_segs=4)
        strips.append(shapely.transform(strip, lambda xy, w=wide: xy * [w, 1.0]))
    whole = shapely.union_all(strips)
    return shapely.intersection(split_antimeridian(whole), WORLD)


def _claims(shapes: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Add the sea within `BORDER_KM` to each outline: what it reaches, without the others."""
    tree = shapely.STRtree(shapes)
    claims = []
    for row, wide in enumerate(reach):
        near = tree.query(wide, predicate="intersects")
        claims.append(wide.difference(shapely.union_all(shapes[near[near != row]])))
    return np.array(claims, dtype=object)


def _cells(claims: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """
    Note for each cell the row that claims all of it.

    Returns 1 + the row, 0 on the open sea and `MIXED` elsewhere; and for each mixed cell, in their
    order, 1 + the rows that claim a part of it.
    """
    if len(claims) >= MIXED:
        raise SystemExit("too many outlines for one byte a cell")
    n_lat, n_lon = round(180 / CELL_DEGREES), round(360 / CELL_DEGREES)
    west = -180.0 + CELL_DEGREES * np.arange(n_lon)
    cells = np.zeros((n_lat, n_lon), dtype=np.uint8)
    owners = np.zeros((n_lat, n_lon, MOST_OWNERS), dtype=np.uint8)
    tree = shapely.STRtree(claims)
    for row in range(n_lat):
        south = -90.0 + CELL_DEGREES * row
        boxes = shapely.box(west, south, west + CELL_DEGREES, south + CELL_DEGREES)
        # Wider than the cells: where a claim is cut, rounding moves its edge.
        belt = shapely.box(-180.0, south - CELL_DEGREES, 180.0, south + 2 * CELL_DEGREES)
        for of in np.sort(tree.query(belt, predicate="intersects")):
            shape = shapely.intersection(claims[of], belt)
            shapely.prepare(shape)
            touched = np.flatnonzero(shapely.intersects(shape, boxes))
            whole = shapely.covers(shape, boxes[touched])
            free = cells[row, touched] == 0
            cells[row, touched] = np.where(whole & free, of + 1, MIXED)
            count = np.count_nonzero(owners[row, touched], axis=1)
            room = count < MOST_OWNERS
            owners[row, touched[room], count[room]] = of + 1
    return cells, owners[cells == MIXED]


if __name__ == "__main__":
    main(sys.argv[1])
