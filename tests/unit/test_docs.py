"""The pages made for the documentation, and the code that they show."""

from __future__ import annotations

import ast
import base64
import importlib
import importlib.util
import inspect
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import geopandas as gpd
import matplotlib.pyplot as plt
import nbformat
import pytest
from mkdocs.exceptions import PluginError

import ocm_geo as ocm
from benchmarks.__main__ import replace_section, write_section
from benchmarks.timing import Measured

DOCS = Path(__file__).parents[2] / "docs"
PNG = b"\x89PNG"
NAMES = [name for name in ocm.__all__ if name != "__version__"]


def load(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def hooks() -> Any:
    return load("hooks")


@pytest.fixture(scope="module")
def figures() -> Any:
    return load("hooks_figures")


@pytest.fixture(scope="module")
def tutorials() -> Any:
    return load("hooks_tutorials")


@pytest.fixture(scope="module")
def reference() -> Any:
    return load("hooks_reference")


@pytest.fixture(scope="module")
def listed(reference: Any) -> list[Any]:
    entries = reference.list_entries((DOCS / "reference.md").read_text(encoding="utf-8"))
    assert isinstance(entries, list)
    return entries


def test_the_gallery_draws_every_kind_of_figure(figures: Any) -> None:
    text = (DOCS / "figures.md").read_text(encoding="utf-8")
    kinds = [name for name in ocm.__all__ if name.startswith("plot_")]
    assert not [kind for kind in kinds if f"ocm.{kind}(" not in text]
    pictures = {n: shown for n, shown in figures.draw(text).items() if shown.suffix}
    assert all(shown.content.startswith(PNG) for shown in pictures.values())
    assert not plt.get_fignums()
    assert len(pictures) >= len(kinds)


def test_what_a_block_shows_is_below_it(figures: Any) -> None:
    drawing = "```python\nimport matplotlib.pyplot as plt\nplt.figure()\n```\n"
    text = "```python\nx = 1\n```\n" + drawing + "```python\nprint(x)\nx + 1\n```\n"
    shown = figures.draw(text)
    assert list(shown) == [1, 2]
    assert shown[1].suffix == ".png"
    assert shown[2].text == "```text\n1\n```\n```text\n2\n```\n"
    page = figures.put_below(text, {1: figures.link_picture("x.png"), 2: shown[2].text})
    assert page.startswith(text[: text.index(drawing)] + drawing + "\n![")
    assert page.index("x.png") < page.index("print(x)") < page.index("```text\n2")


def test_a_notebook_becomes_a_page_with_its_outputs(tutorials: Any) -> None:
    cell = nbformat.v4.new_code_cell("table")
    picture = base64.b64encode(PNG).decode()
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "0"}, "text/plain": "Map()"}
    table = '<style>td {}</style>\n<table border="1" class="dataframe">\n\n<tr></tr></table>'
    cell.outputs = [
        nbformat.v4.new_output("stream", name="stdout", text="\x1b[31mone\x1b[0m\n"),
        nbformat.v4.new_output("stream", name="stderr", text="two"),
        nbformat.v4.new_output("display_data", data={"image/png": picture, "text/plain": "f"}),
        nbformat.v4.new_output("execute_result", data={"text/html": table}),
        nbformat.v4.new_output("display_data", data=widget),
    ]
    text = nbformat.v4.new_markdown_cell("# Title\n\n[next](02_x.ipynb) [maps](../docs/maps.md)")
    page = tutorials.convert("01_x", nbformat.v4.new_notebook(cells=[text, cell]))
    assert page.pictures == {"01_x-0.png": PNG}
    assert "[next](02_x.md) [maps](../maps.md)" in page.markdown
    assert "```text\none\n```" in page.markdown
    assert "two" not in page.markdown
    assert '<div class="output">\n<table>\n<tr></tr></table>\n</div>' in page.markdown
    assert "![Output of the cell above](01_x-0.png)" in page.markdown
    assert "interactive map" in page.markdown


def test_every_notebook_has_a_title(tutorials: Any) -> None:
    paths = tutorials.list_notebooks()
    assert len(paths) >= 3
    titles = [tutorials.get_title(path) for path in paths]
    assert len(set(titles)) == len(paths)
    assert not [title for title in titles if title.endswith("ipynb")]


def test_measured_ratios_are_replaced_one_benchmark_at_a_time() -> None:
    rows = [Measured("nearest, 10 points", 0.5, {"geopandas": 3.04})]
    section = write_section("bench_distance", rows)
    assert "| nearest, 10 points | 0.5 s | geopandas 3.0 |" in section
    both = replace_section(
        replace_section("", "bench_distance", section), "bench_a", "## bench_a\nx"
    )
    assert re.findall(r"^## (\w+)$", both, re.MULTILINE) == ["bench_a", "bench_distance"]
    again = replace_section(both, "bench_distance", "## bench_distance\nnew")
    assert "geopandas" not in again
    assert "new" in again
    assert "x" in again


PAGES = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
TESTED_ELSEWHERE = {"access.md", "scale.md", "tables.md"}
NEEDS_MORE = re.compile(
    r"\.osm\.pbf|password|my-mirror|irve-|\(mirror,|mirror\.|OpenChargeMap\(|Client\("
)
"""Code that needs the reader's files or a server: only its names and arguments are checked."""
ALL = 'import ocm_geo as ocm\nstations = ocm.stations(source="sample")\n'
DUTCH = 'import ocm_geo as ocm\nstations = ocm.stations_from_country("NL", source="sample")\n'
BEFORE = {
    "maps.md": DUTCH + "table = ocm.coverage(ocm.sample_areas().head(2), stations, [5])\n",
    "quality.md": ALL + "a, b, areas = stations[::2], stations[::3], ocm.sample_areas()\n",
}
"""What the reader has before the first line of a page."""


def blocks(name: str) -> list[str]:
    text = (DOCS / name).read_text(encoding="utf-8")
    return re.findall(r"(?ms)^```python\n(.*?)^```", text)


@pytest.mark.parametrize("name", [name for name in PAGES if name not in TESTED_ELSEWHERE])
def test_the_code_of_a_page_runs(figures: Any, name: str) -> None:
    codes = [BEFORE.get(name, "import ocm_geo as ocm\n"), *blocks(name)]
    kept = [code for code in codes if code and not NEEDS_MORE.search(re.sub("#.*", "", code))]
    figures.draw("".join(f"```python\n{code}```\n\n" for code in kept))
    assert not plt.get_fignums()


@pytest.mark.parametrize("name", PAGES)
def test_code_on_pages_uses_names_and_arguments_that_exist(name: str) -> None:
    wrong = []
    for node in (node for code in blocks(name) for node in ast.walk(ast.parse(code))):
        called = node.func if isinstance(node, ast.Call) else None
        if not (isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name)):
            continue
        if called.value.id != "ocm":
            continue
        found = getattr(ocm, called.attr, None)
        if found is None:
            wrong.append(called.attr)
            continue
        assert isinstance(node, ast.Call)
        known = inspect.signature(found).parameters
        open_ended = any(p.kind is p.VAR_KEYWORD for p in known.values())
        wrong += [
            f"{called.attr}({keyword.arg}=)"
            for keyword in node.keywords
            if keyword.arg and keyword.arg not in known and not open_ended
        ]
    assert not wrong


def test_every_public_name_is_in_the_reference_once(reference: Any, listed: list[Any]) -> None:
    assert sorted(entry.name for entry in listed) == sorted(NAMES)
    reference.check_entries(listed)
    for entry in listed:
        page = reference.write_page(entry)
        path = re.findall(r"^::: (\S+)$", page, re.MULTILINE)[0]
        found = getattr(ocm, entry.name)
        if isinstance(found, ModuleType):
            assert importlib.import_module(path) is found
        else:
            module = importlib.import_module(path.rpartition(".")[0])
            assert getattr(module, path.rpartition(".")[2]) is found


def test_no_two_pages_differ_only_in_capitals(reference: Any) -> None:
    pages = [reference.page_of(name).lower() for name in NAMES]
    assert len(set(pages)) == len(NAMES)


@pytest.mark.parametrize("fault", ["missing", "not public", "repeated", "without a group"])
def test_a_fault_of_the_list_stops_the_build(reference: Any, listed: list[Any], fault: str) -> None:
    first, *rest = listed
    wrong = {
        "missing": rest,
        "not public": [*listed, first._replace(name="nothing")],
        "repeated": [*listed, first],
        "without a group": [first._replace(group=""), *rest],
    }
    with pytest.raises(PluginError, match=f"{fault}: \\w+"):
        reference.check_entries(wrong[fault])


def test_a_page_without_its_heading_stops_the_build(reference: Any, tmp_path: Path) -> None:
    page = tmp_path / "density.html"
    with pytest.raises(PluginError, match="does not describe density"):
        reference.check_pages({"density": page})
    page.write_text('<h1 id="ocm_geo.coverage.densities.other">', encoding="utf-8")
    with pytest.raises(PluginError, match="does not describe density"):
        reference.check_pages({"density": page})
    page.write_text('<h1 id="ocm_geo.coverage.densities.density">', encoding="utf-8")
    reference.check_pages({"density": page})


def test_the_index_has_one_line_and_one_address_for_each_name(reference: Any) -> None:
    shown = reference.write_index((DOCS / "reference.md").read_text(encoding="utf-8"))
    rows = re.findall(r'(?m)^\| <a id="ocm\.(\w+)"></a>\[`\w+`\]\((\S+)\) \| (.+) \|$', shown)
    assert sorted(name for name, _, _ in rows) == sorted(NAMES)
    for name, address, summary in rows:
        assert address == reference.page_of(name)
        assert summary[0].isupper()
    assert ":::" not in shown


def test_names_in_code_lead_to_their_pages(reference: Any) -> None:
    html = "<p><code>ocm.coverage(areas)</code> <code>coverage</code> <code>ocm.none</code></p>"
    linked = reference.link_names(html, "maps.md", "maps.html")
    assert linked.count("<a ") == 1
    assert '<a href="reference/coverage.html"><code>ocm.coverage(areas)</code></a>' in linked
    fixed = "<h2><code>ocm.read</code></h2><pre><code>ocm.read</code></pre>"
    assert reference.link_names(fixed, "maps.md", "maps.html") == fixed
    inside = reference.link_names(
        "<code>route_gaps</code>", "reference/read.md", "reference/read.html"
    )
    assert inside == '<a href="route_gaps.html"><code>route_gaps</code></a>'


def tables() -> dict[str, Any]:
    """Return a result of many functions, computed from the sample."""
    source, route, areas = ocm.sample(), ocm.sample_route(), ocm.sample_areas()
    stations = ocm.stations(source=source)
    roads = gpd.GeoSeries([route], crs=4326)
    few = stations.head(40)
    points = areas.set_geometry(areas.to_crs(3035).centroid.to_crs(4326))
    along = ocm.stations_from_route(route, 3, source=source)
    return {
        "add_labels": ocm.add_labels(few),
        "completeness": ocm.completeness(few, few.iloc[::2]),
        "corridor": ocm.corridor(route, 2),
        "coverage": ocm.coverage(areas, stations, [5], population="population", bounds=True),
        "coverage_grid": ocm.coverage_grid(areas, stations, 20, within_km=10),
        "density": ocm.density(areas, stations, population="population", roads=roads),
        "derogations": ocm.derogations(),
        "find_duplicates": ocm.find_duplicates(stations),
        "locate_along": ocm.locate_along(few, route),
        "match_stations": ocm.match_stations(few, few),
        "nearest_stations": ocm.nearest_stations(points, stations, bounds=True),
        "power_limits": ocm.power_limits(),
        "registers": ocm.registers(),
        "route_gaps": ocm.route_gaps(route, along, drive_on="right"),
        "route_points_every": ocm.route_points_every(route, 10),
        "sample_areas": areas,
        "service_areas": ocm.service_areas(few, 5),
        "standards": ocm.standards(),
        "stations_from_point": ocm.stations_from_point((5.1, 52.1), 20, source=source),
        "stations_from_route": along,
        "uncertain_stations": ocm.uncertain_stations(stations),
        "uncertainty_drivers": ocm.uncertainty_drivers(areas, stations, [5]),
    }


@pytest.mark.filterwarnings("ignore::ocm_geo.OCMWarning")
def test_every_column_of_every_table_is_documented(reference: Any) -> None:
    """Columns come from the input, the schema, a documented name or a pattern like …_low."""
    schema = {column.name for column in ocm.schema.STATION_COLUMNS}
    given = schema | {"geometry", "ocm_id", "name", "population"}
    missing = {}
    for name, table in tables().items():
        text = inspect.getdoc(getattr(ocm, name)) or ""
        documented = set(reference.result_columns(name))
        for fields in re.findall(r"`ocm_geo\.standards\.(\w+)`", text):
            documented |= set(getattr(ocm, fields).__annotations__)
        ends = tuple(word.removeprefix("…") for word in re.findall(r"…_\w+|``_\w+", text))
        ends = tuple(end.removeprefix("``") for end in ends)
        left = [
            column
            for column in table.columns
            if column not in documented | given and not (ends and column.endswith(ends))
        ]
        if left:
            missing[name] = left
    assert not missing


def test_the_filters_are_documented_from_their_rows(hooks: Any) -> None:
    text = (DOCS / "exactness.md").read_text(encoding="utf-8")
    shown = hooks.on_page_markdown(text)
    assert "{{" not in shown
    assert all(f"| `{name}` | `--" in shown for name in ocm.StationFilters.__annotations__)
