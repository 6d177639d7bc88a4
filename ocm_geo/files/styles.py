"""Styles of QGIS inside a GeoPackage: classes and colours of the figures, headings and credit."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import quoteattr

from ocm_geo.headings import find_heading
from ocm_geo.palette import POWER_CLASSES, SHARES, UNKNOWN, UNKNOWN_EDGE, UNKNOWN_POWER

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

__all__ = ["choose_layer", "write_style"]

_TABLE = "layer_styles"
_SHARED = ("population_share", "area_share", "share", "usable_share")
"""Columns of shares by which areas are coloured; the first that a table has decides."""
_PLAIN, _EDGE = "#1e8bbd", "#ffffff"
_CREATE = f"""CREATE TABLE {_TABLE} (
    id INTEGER PRIMARY KEY AUTOINCREMENT, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT,
    styleSLD TEXT, useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30),
    update_time DATETIME)"""
_INSERT = f"""INSERT INTO {_TABLE} (f_table_catalog, f_table_schema, f_table_name,
    f_geometry_column, styleName, styleQML, styleSLD, useAsDefault, description, owner, ui,
    update_time) VALUES ('', '', ?, ?, 'ocm_geo', ?, '', 1, ?, '', NULL, ?)"""  # noqa: S608
_SYMBOLS = {
    "POINT": ("marker", "SimpleMarker", "color", "outline_color", "outline_width"),
    "LINESTRING": ("line", "SimpleLine", "line_color", "", "line_width"),
    "POLYGON": ("fill", "SimpleFill", "color", "outline_color", "outline_width"),
}
"""For each kind of geometry: type and layer of its symbol, and the names of their properties."""

_Rule = tuple[str, str, str, str]
"""Filter, label, colour and colour of the edge."""


def choose_layer(path: Path) -> str | None:
    """
    Return the layer of a file that is not a table of styles.

    Parameters
    ----------
    path : pathlib.Path
        A file that GDAL reads.

    Returns
    -------
    str or None
        The first other layer if the file contains styles; else None, for GDAL's own choice.
    """
    import pyogrio  # noqa: PLC0415 - not needed by the other formats

    if path.suffix.lower() != ".gpkg":
        return None
    try:
        names = [str(name) for name, _ in pyogrio.list_layers(path)]
    except (OSError, RuntimeError, ValueError):
        return None  # whoever reads the file reports it
    return next((name for name in names if name != _TABLE), None) if _TABLE in names else None


def write_style(path: Path, columns: pd.DataFrame, credit: str) -> None:
    """
    Add the default style of the only layer of a GeoPackage, and its credit.

    Parameters
    ----------
    path : pathlib.Path
        A GeoPackage with one layer.
    columns : pandas.DataFrame
        The columns of the layer.
    credit : str
        The credit of the data.
    """
    with contextlib.closing(sqlite3.connect(path)) as db, db:
        layer, geometry, kind = db.execute(
            "SELECT table_name, column_name, geometry_type_name FROM gpkg_geometry_columns"
        ).fetchone()
        (date,) = db.execute(
            "SELECT last_change FROM gpkg_contents WHERE table_name = ?", (layer,)
        ).fetchone()
        qml = _build_qml(columns, kind.removeprefix("MULTI"))
        db.execute(_CREATE)
        db.execute(_INSERT, (layer, geometry, qml, credit, date))
        db.execute(
            "INSERT INTO gpkg_contents (table_name, data_type, identifier, last_change) "
            "VALUES (?, 'attributes', ?, ?)",
            (_TABLE, _TABLE, date),
        )
        db.execute("UPDATE gpkg_contents SET description = ? WHERE table_name = ?", (credit, layer))


def _build_qml(columns: pd.DataFrame, kind: str) -> str:
    """Return the style of a layer in the form of QGIS."""
    aliases = "".join(
        f"<alias field={quoteattr(str(name))} index={quoteattr(str(i))} "
        f"name={quoteattr(str(find_heading(str(name), columns[name])))}/>"
        for i, name in enumerate(columns)
    )
    named = next((name for name in ("title", "name") if name in columns), "")
    shown = quoteattr(f'"{named}"' if named else "")
    return (
        "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
        '<qgis version="3.22.0" styleCategories="Symbology|Fields|MapTips">'
        f"{_build_renderer(_choose_rules(columns), kind)}"
        f"<aliases>{aliases}</aliases><previewExpression>{shown[1:-1]}</previewExpression></qgis>"
    )


def _choose_rules(columns: pd.DataFrame) -> list[_Rule]:
    """Return the classes of a table, as figures draw them; one symbol for any other table."""
    if "max_power_kw" in columns:
        return _list_power_rules()
    share = next((n for n in _SHARED if n in columns and columns[n].notna().any()), None)
    return _list_share_rules(share) if share else [("", "", _PLAIN, _EDGE)]


def _list_power_rules() -> list[_Rule]:
    """Return the classes of the highest power; the lower end of a class belongs to it."""
    ends = [low for low, _, _ in POWER_CLASSES[1:]]
    rules = [('"max_power_kw" IS NULL', UNKNOWN_POWER, UNKNOWN, UNKNOWN_EDGE)]
    for i, (low, label, colour) in enumerate(POWER_CLASSES):
        above = f' AND "max_power_kw" < {ends[i]:g}' if i < len(ends) else ""
        rules.append((f'"max_power_kw" >= {low:g}{above}', label, colour, _EDGE))
    return rules


def _list_share_rules(column: str) -> list[_Rule]:
    """Return the classes of a share; the upper end of a class belongs to it."""
    step = 1 / len(SHARES)
    rules = [(f'"{column}" IS NULL', "not known", UNKNOWN, UNKNOWN_EDGE)]
    for i, colour in enumerate(SHARES):
        low, high = round(i * step, 3), round((i + 1) * step, 3)
        sign, word = (">", "over ") if i else (">=", "")
        label = f"{word}{100 * low:g} to {100 * high:g} %"
        rules.append(
            (f'"{column}" {sign} {low:g} AND "{column}" <= {high:g}', label, colour, _EDGE)
        )
    return rules


def _build_renderer(rules: list[_Rule], kind: str) -> str:
    """Return the rules with their symbols; any kind of geometry without one has the default."""
    if kind not in _SYMBOLS:
        return ""
    listed = "".join(
        f'<rule key="{{{i}}}" symbol="{i}" filter={quoteattr(where)} label={quoteattr(label)}/>'
        for i, (where, label, _, _) in enumerate(rules)
    )
    symbols = "".join(_build_symbol(i, rule, kind) for i, rule in enumerate(rules))
    return (
        '<renderer-v2 type="RuleRenderer" symbollevels="0" enableorderby="0" forceraster="0">'
        f'<rules key="{{rules}}">{listed}</rules><symbols>{symbols}</symbols></renderer-v2>'
    )


def _build_symbol(number: int, rule: _Rule, kind: str) -> str:
    """Return the symbol of a rule."""
    symbol, layer, colour, edge, width = _SYMBOLS[kind]
    thickness = "0.8" if kind == "LINESTRING" else "0.2"
    values = {colour: _to_rgba_text(rule[2]), width: thickness, f"{width}_unit": "MM"}
    if edge:
        values[edge] = _to_rgba_text(rule[3])
    if kind == "POINT":
        values |= {"name": "circle", "size": "2.2", "size_unit": "MM"}
    pairs = [(name, quoteattr(value)) for name, value in values.items()]
    options = "".join(f'<Option type="QString" name="{n}" value={v}/>' for n, v in pairs)
    old = "".join(f'<prop k="{n}" v={v}/>' for n, v in pairs)
    return (
        f'<symbol type="{symbol}" name="{number}" alpha="1" clip_to_extent="1" force_rhr="0">'
        f'<layer class="{layer}" enabled="1" pass="0" locked="0">'
        f'<Option type="Map">{options}</Option>{old}</layer></symbol>'
    )


def _to_rgba_text(colour: Any) -> str:  # noqa: ANN401 - a hexadecimal colour
    """Return a colour as QGIS writes it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},255"
