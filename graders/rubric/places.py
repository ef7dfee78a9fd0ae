"""One line of all that is wrong with a rubric, with the place of each: file, line, item, key."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from graders.errors import UsageError

Loc = tuple[str | int, ...]  # where in the TOML, as pydantic says it: ("items", 3, "criteria", 0, "points")

_HEAD = r"\s*\[\[?[\w\s.\"'-]+\]\]?\s*(#.*)?\r?$"  # [late] or [[items]]
SHOWN = 3  # so many of the things that are wrong stand in the one line; the rest is counted


class Wrong(NamedTuple):
    """One thing that is wrong: where it stands and what is to be said of it."""

    loc: Loc
    text: str


def refusal(path: Path, text: str, tree: dict[str, Any], wrong: Sequence[Wrong]) -> UsageError:
    """Return the error that says all that is wrong, in one line."""
    lines = [f"{_place(text, tree, each.loc)}{each.text}" for each in wrong[:SHOWN]]
    more = [f"and {len(wrong) - SHOWN} more"] if len(wrong) > SHOWN else []
    return UsageError(f"{path}: " + " ".join("; ".join(lines + more).split()))


def _place(text: str, tree: dict[str, Any], loc: Loc) -> str:
    """Return "line 12: item C3: criterion 'shape': ", or as much of it as can be told."""
    line = _line(text, tree, loc)
    place = f"line {line}: " if line else ""
    if loc[0] == "items" and len(loc) > 1:
        place += f"item {_label(tree, loc[:2], 'id')}: "
    if "criteria" in loc and len(loc) > 3:
        place += f"criterion {_label(tree, loc[:4], 'name')}: "
    if loc[0] == "decisions" and len(loc) > 1:
        place += f"decision {int(loc[1]) + 1}: "
    return place


def _label(tree: dict[str, Any], loc: Loc, key: str) -> str:
    table: Any = tree
    for part in loc:
        table = table[part]
    named = table.get(key) if isinstance(table, dict) else None
    return named if isinstance(named, str) and named else f"number {int(loc[-1]) + 1}"


def _line(text: str, tree: dict[str, Any], loc: Loc) -> int | None:
    """Find the line of a location, which the parser does not keep; None where the text is not laid out as usual."""
    lines = text.split("\n")
    heads = [at for at, line in enumerate(lines) if re.match(_HEAD, line)]
    mine = [at for at in heads if re.match(rf"\s*\[+\s*{re.escape(str(loc[0]))}\s*\]", lines[at])]
    if len(loc) == 1 or not mine:
        above = range(heads[0] if heads else len(lines))
        return mine[0] + 1 if mine else _key_line(lines, above, str(loc[0]))
    tables = tree[str(loc[0])]
    if len(mine) != (len(tables) if isinstance(tables, list) else 1):
        return None
    first = mine[loc[1] if isinstance(loc[1], int) else 0]
    span = range(first, next((at for at in heads if at > first), len(lines)))
    if "criteria" in loc and len(loc) > 3:
        return _inline_line(lines, span, int(loc[3])) or first + 1
    return _key_line(lines, span, str(loc[2] if len(loc) > 2 else loc[-1])) or first + 1


def _key_line(lines: Sequence[str], span: range, key: str) -> int | None:
    pattern = rf"\s*[\"']?{re.escape(key)}[\"']?\s*="
    return next((at + 1 for at in span if re.match(pattern, lines[at])), None)


def _inline_line(lines: Sequence[str], span: range, index: int) -> int | None:
    """Return the line where the inline table of that index opens."""
    bare = {at: re.sub(r'"(?:[^"\\]|\\.)*"', '""', lines[at]) for at in span}  # a hint may have braces in it
    opened = [at + 1 for at in span for _ in re.findall(r"\{\s*[\w\"]+\s*=", bare[at])]
    return opened[index] if index < len(opened) else None
