"""Write the public names with their signatures: what a release promises to keep.

Run it after a change that is meant, and read the difference: a name or an argument that goes
away breaks somebody's notebook.
"""

from __future__ import annotations

import dataclasses
import inspect
import sys
from pathlib import Path

import ocm_geo

TARGET = Path(__file__).parents[1] / "tests" / "public_names.txt"


def describe_signature(found: object) -> str:
    """Return the names, kinds and defaults of arguments, without their types."""
    try:
        signature = inspect.signature(found)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in signature.parameters.values()]
    return str(inspect.Signature(bare))


def list_members(cls: type) -> list[str]:
    """Return the public attributes and methods that a class of this package defines."""
    lines = []
    owners = [c for c in cls.__mro__ if c.__module__.startswith("ocm_geo")]
    members = {name: c.__dict__[name] for c in reversed(owners) for name in c.__dict__}
    if dataclasses.is_dataclass(cls):
        members |= {f.name: None for f in dataclasses.fields(cls)}
    for name, member in sorted(members.items()):
        if name.startswith("_"):
            continue
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        lines.append(f"    .{name}{describe_signature(plain) if inspect.isfunction(plain) else ''}")
    return lines


def build_text() -> str:
    """Return one line for each name, and below a class its members."""
    lines = []
    for name in sorted(ocm_geo.__all__):
        found = getattr(ocm_geo, name)
        if not isinstance(found, type):
            lines.append(f"{name}{describe_signature(found)}")
        elif issubclass(found, Exception):
            lines.append(f"{name}: {found.__bases__[0].__name__}")
        else:
            lines += [f"class {name}{describe_signature(found)}", *list_members(found)]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    TARGET.write_text(build_text(), encoding="utf-8")
    sys.stdout.write(f"{TARGET.name}: {len(ocm_geo.__all__)} names\n")
