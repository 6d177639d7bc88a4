"""Make the bundled names of countries: ISO alpha-3 codes, English and native names, from CLDR.

pip install babel
python scripts/make_country_names.py
"""

from __future__ import annotations

import json
import re
from collections import Counter
from importlib.metadata import version
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.languages import get_official_languages

from ocm_geo.reference import bundled
from ocm_geo.reference.finding import fold_name

TARGET = Path(__file__).parents[1] / "ocm_geo" / "reference" / "country_names.json"
COMMON = {
    "AE": ["UAE", "Emirates"],
    "AT": ["Oesterreich"],
    "BA": ["Bosnia"],
    "CD": ["DR Congo", "DRC", "Democratic Republic of the Congo"],
    "CG": ["Republic of the Congo", "Congo Republic"],
    "CI": ["Ivory Coast"],
    "CN": ["PRC", "People's Republic of China"],
    "CV": ["Cabo Verde"],
    "CZ": ["Czech Republic"],
    "DE": ["Federal Republic of Germany"],
    "FK": ["Falkland Islands"],
    "FM": ["Federated States of Micronesia"],
    "GB": [
        "UK",
        "Great Britain",
        "Britain",
        "United Kingdom of Great Britain and Northern Ireland",
    ],
    "GR": ["EL", "Hellas"],
    "HK": ["Hong Kong"],
    "IE": ["Republic of Ireland", "Eire"],
    "KP": ["North Korea"],
    "KR": ["South Korea", "Republic of Korea"],
    "LU": ["Luxemburg"],
    "MK": ["North Macedonia"],
    "MM": ["Myanmar", "Burma"],
    "MO": ["Macau", "Macao"],
    "NL": ["Holland"],
    "PS": ["Palestine"],
    "SZ": ["Swaziland"],
    "TL": ["East Timor"],
    "TR": ["Turkey"],
    "TW": ["Taiwan"],
    "US": ["United States of America", "America"],
    "VA": ["Vatican", "Holy See"],
    "VN": ["Vietnam"],
    "XK": ["XKX"],
}
"""Names in use that CLDR does not list as such; UK and EL are Eurostat's codes."""


def main() -> None:
    """Write the table: of each country its alpha-3 codes, then its names."""
    codes = sorted(bundled().countries["iso_code"])
    names = {code: [*_three_letters(code), *_names(code)] for code in codes}
    uses = Counter(name for found in names.values() for name in {*map(fold_name, found)})
    if shared := sorted(name for name, n in uses.items() if n > 1):
        raise SystemExit(f"names of several countries: {shared}")
    origin = f"Unicode CLDR (Unicode License v3), as in babel {version('babel')}"
    lines = ",\n".join(f" {json.dumps({c: n}, ensure_ascii=False)[1:-1]}" for c, n in names.items())
    text = f'{{\n"origin": {json.dumps(origin)},\n"names": {{\n{lines}\n}}\n}}\n'
    TARGET.write_text(text, encoding="utf-8")


def _three_letters(code: str) -> list[str]:
    """Return the alpha-3 codes of a country, those of its former names included."""
    aliases = get_global("territory_aliases")
    return sorted(
        old for old, new in aliases.items() if re.fullmatch("[A-Z]{3}", old) and new == [code]
    )


def _names(code: str) -> list[str]:
    """Return the names of a country: English, in its official languages, and others in use."""
    languages = ["en", *get_official_languages(code, regional=False, de_facto=True)]
    found = []
    for language in languages:
        try:
            found.append(Locale.parse(language).territories[code])
        except (KeyError, UnknownLocaleError):
            continue
    found += COMMON.get(code, [])
    seen: dict[str, str] = {}
    for name in found:
        seen.setdefault(fold_name(name), name)
    return list(seen.values())


if __name__ == "__main__":
    main()
