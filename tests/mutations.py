"""Records and bytes gone wrong in the ways that real ones do, and in others."""

from __future__ import annotations

import copy
import json
import math
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

__all__ = ["EFFORT", "HOSTILE", "mutate_bytes", "mutate_record"]

EFFORT = max(1, int(os.environ.get("OCM_GEO_TEST_EFFORT", "1")))
"""How many times the usual number of tries a test makes; `make test-all` sets it."""

HOSTILE = (
    *("<script>window.hit=1</script>", "<img src=x onerror=window.hit=1>", "javascript:alert(1)"),
    *("</script><script>window.hit=1</script>", "]]><x/>", "--><svg onload=window.hit=1>", "&#x0;"),
    *(
        "'\"`${window.hit=1}",
        "{{7*7}}",
        "{% raw %}",
        "=HYPERLINK(1)",
        "@SUM(1)",
        "$x^2$",
        "\\frac{",
    ),
    *("\x1b[31mred\x1b]0;title\x07", "\r\n\r\n", "a\x00b", "\ufffe\uffff", "\u202eevil\u2066"),
    *(
        "\ud800",
        "\u0085\u2028\u2029",
        "\U0001f50c",
        "x" * 5000,
        "_x0041_",
        "%s%n{0}",
        "\x7f\x9b31m",
    ),
)

_NUMBERS = (
    *(0, -1, 1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**400, 1e308, -0.0, 0.1, 5e-324),
    *(math.nan, math.inf, -math.inf, 1e18, 999999, -90, 90.0000001, 180, -180.5),
)
_DATES = (
    *(
        "2020-02-30T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
        "0001-01-01T00:00:00+14:00",
        "yesterday",
    ),
    *("2020-01-01", "2020-01-01T00:00:00.123456789Z", "2020-01-01T24:00:00Z", "12/31/2020", "Z"),
)
_OTHERS: tuple[Any, ...] = (
    *(None, True, False, "", " ", [], {}, [None], [[]], {"": ""}, {"ID": "x"}, {"id": 1, "ID": 2}),
    *({"$date": 10**30}, {"$date": "\ud800"}, {"$date": {"$numberLong": "1"}}, {"$oid": "g"}),
    *({"$numberInt": "5"}, {"$numberDouble": "NaN"}, {"\u2400unknown": 1}),
    *([1, "a", {}], {"a": {"b": {"c": None}}}, "5", "5,5", "1e999", "null", "true", "NL"),
)


def mutate_record(record: Any, rng: random.Random) -> Any:
    """Return a copy of a record in which one to four members went wrong."""
    changed = json.loads(json.dumps(record))
    for _ in range(rng.choice((1, 1, 2, 4))):
        holder, key = _choose_member(changed, rng)
        if holder is None:
            return _odd_value(rng, changed)
        rng.choice(_CHANGES)(holder, key, rng)
    return changed


def _choose_member(value: Any, rng: random.Random) -> tuple[Any, Any]:
    """Walk down to a member; sometimes stop on the way."""
    holder, key = None, None
    while isinstance(value, dict | list) and value and (holder is None or rng.random() < 0.7):
        holder = value
        key = rng.choice(list(value)) if isinstance(value, dict) else rng.randrange(len(value))
        value = value[key]
    return holder, key


def _odd_value(rng: random.Random, old: Any = None) -> Any:
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(_NUMBERS)
    if kind < 0.5:
        return rng.choice(HOSTILE)
    if kind < 0.6:
        return rng.choice(_DATES)
    if kind < 0.9:
        return copy.deepcopy(rng.choice(_OTHERS))
    if kind < 0.95:
        for _ in range(rng.choice((3, 60, 300))):
            old = [old] if rng.random() < 0.5 else {"a": old}
        return old
    return [old] * rng.choice((2, 20))


def _replace(holder: Any, key: Any, rng: random.Random) -> None:
    holder[key] = _odd_value(rng, holder[key])


def _delete(holder: Any, key: Any, _: random.Random) -> None:
    del holder[key]


def _respell(holder: Any, key: Any, rng: random.Random) -> None:
    """Add or rename a key: another case, another key of the record, a hostile one."""
    if not isinstance(holder, dict):
        return
    spelled = rng.choice(
        (key.lower(), key.upper(), key.swapcase(), rng.choice(HOSTILE), "ID", "id")
    )
    holder[spelled] = (
        copy.deepcopy(holder[key]) if rng.random() < 0.5 else _odd_value(rng, holder[key])
    )
    if rng.random() < 0.5:
        holder[key] = None


def _make_text(holder: Any, key: Any, rng: random.Random) -> None:
    holder[key] = str(holder[key]) if rng.random() < 0.5 else json.dumps(holder[key])


_CHANGES: tuple[Callable[[Any, Any, random.Random], None], ...] = (
    *(_replace, _replace, _replace, _delete, _respell, _make_text),
)


def mutate_bytes(text: bytes, rng: random.Random) -> bytes:
    """Return a text of one line in which some bytes went wrong; it stays on one line."""
    content = bytearray(text)
    for _ in range(rng.choice((1, 1, 3, 20))):
        place = rng.randrange(len(content) + 1)
        length = rng.choice((1, 1, 2, 40, 4000))
        kind = rng.random()
        if kind < 0.3:
            content[place : place + 1] = rng.randbytes(1)
        elif kind < 0.5:
            content[place:place] = rng.choice(
                (b'"', b"{", b"]", b",", b"\\", b"\xff", b"\x00", b":")
            )
        elif kind < 0.7:
            del content[place : place + length]
        elif kind < 0.9:
            content[place:place] = content[place : place + length]
        else:
            del content[place:]
    return bytes(content).translate(None, b"\r\n")
