"""Documents of DATEX II as plain trees: the same names and values from JSON and from XML."""

from __future__ import annotations

import re
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from ocm_geo.errors import RegisterError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["find_first", "iterate_elements", "plain_name", "plain_tree", "root_words"]

_PREFIX = re.compile(r"(?:a?egi|a?fac|locx?|com|Afir|afir)(?=[A-Z])")
_TEXT_KEYS = {"values", "value"}
_DEEPEST = 40


@cache
def plain_name(name: str) -> str:
    """Return a name without the prefix of its profile, the suffix of an extension and its case."""
    plain = name.lstrip("_")
    if found := _PREFIX.match(plain):
        plain = plain[found.end() :]
    if plain.endswith("G") and plain[-2:-1].islower():
        plain = plain[:-1]
    return plain[:1].lower() + plain[1:]


def plain_tree(value: Any, depth: int = 0) -> Any:  # noqa: ANN401 - any JSON
    """
    Return a JSON value by plain names, enumerations and texts of several languages unwrapped.

    Parameters
    ----------
    value : object
        A JSON value.
    depth : int
        How deep it lies; what lies deeper than any schema is left out.

    Returns
    -------
    object
        Dictionaries, lists, texts and numbers.
    """
    if isinstance(value, list):
        return [plain_tree(member, depth + 1) for member in value]
    if not isinstance(value, dict) or depth > _DEEPEST:
        return value if not isinstance(value, dict) else {}
    found = {plain_name(key): plain_tree(member, depth + 1) for key, member in value.items()}
    return _unwrap_element(found)


def _unwrap_element(found: dict[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    """Return the text of a text of several languages, or the word of an enumeration."""
    if "values" in found:
        texts = found["values"] if isinstance(found["values"], list) else [found["values"]]
        return next((text for text in texts if isinstance(text, str) and text.strip()), None)
    if "extendedValue" in found:
        return found["extendedValue"]
    if "value" in found and set(found) <= {"value", "lang", "id", "version"}:
        inner = found["value"]
        return inner[0] if isinstance(inner, list) and inner else inner
    return found


def find_first(tree: Any, *names: str) -> Any:  # noqa: ANN401 - any tree
    """Return the first member of one of some names, at any depth, in the order of the names."""
    for name in names:
        if (found := _search_tree(tree, name)) is not None:
            return found
    return None


def _search_tree(tree: Any, name: str) -> Any:  # noqa: ANN401 - any tree
    """Return the first member of that name, at any depth."""
    if isinstance(tree, dict):
        if tree.get(name) is not None:
            return tree[name]
        members = tree.values()
    elif isinstance(tree, list):
        members = tree  # type: ignore[assignment] # both are iterated
    else:
        return None
    return next((f for f in (_search_tree(m, name) for m in members) if f is not None), None)


def root_words(data: bytes) -> str:
    """Return the beginning of an XML document: its root with its type."""
    return data[:4000].decode("utf-8", "replace")


def iterate_elements(data: bytes, names: set[str], origin: str) -> Iterator[tuple[str, Any]]:
    """
    Yield elements of an XML document as plain trees, one at a time.

    Parameters
    ----------
    data : bytes
        The document.
    names : set of str
        The local names of the elements.
    origin : str
        The file, for errors.

    Yields
    ------
    name : str
        The name of the element.
    tree : object
        What is in it; attributes are members, too.

    Raises
    ------
    RegisterError
        If the document is damaged, or declares entities.
    """
    if b"<!ENTITY" in data or b"<!DOCTYPE" in data[:4000]:
        raise RegisterError(f"{origin} declares entities or a document type, which are not read")
    inside = 0
    try:
        for event, element in ET.iterparse(BytesIO(data), events=("start", "end")):  # noqa: S314 - no entities
            name = element.tag.rpartition("}")[2]
            if name not in names:
                continue
            inside += 1 if event == "start" else -1
            if event == "end" and inside == 0:
                yield name, _element_tree(element, 0)
                element.clear()
    except (ET.ParseError, LookupError, ValueError) as error:
        raise RegisterError(f"{origin} is XML that is cut off or damaged ({error})") from error


def _element_tree(element: ET.Element, depth: int) -> Any:  # noqa: ANN401 - any tree
    """Return an element as a tree: members by name, lists where a name repeats."""
    found: dict[str, Any] = {
        plain_name(key.rpartition("}")[2]): value for key, value in element.attrib.items()
    }
    if depth > _DEEPEST:
        return found
    for child in element:
        name = plain_name(child.tag.rpartition("}")[2])
        value = _element_tree(child, depth + 1)
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    if not len(element):
        text = (element.text or "").strip()
        return text if not found or set(found) <= {"lang", "type"} else {**found, "value": text}
    return _unwrap_element(found)
