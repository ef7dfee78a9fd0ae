"""Which items the cells of a notebook belong to, by the marks of skeleton and students at the start of a line."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence

from graders.record.saved import Saved

MOST_LINES = 60  # of a cell
_LONGEST = 200  # characters of a line; marks stand at its start
_FIRST = re.compile(r"[\s#>*_`$\"'(\[-]{0,16}([BCPQ])_?\{?(\d{1,2}[a-z]?)\b")
_NEXT = re.compile(r"[\s*_`$\"')\]},&+/-]{1,12}(?:and )?[*_`$(\[]{0,6}([BCPQ])_?\{?(\d{1,2}[a-z]?)\b")


def marks_of(cell: Saved) -> tuple[str, ...]:
    r"""Return the marks of the first line that begins with one: of a text, of a comment in code.

    >>> marks_of(Saved("a", 1, False, "## The model\n\n`[C2]` `[Q2]` The model of Table 1"))
    ('C2', 'Q2')
    >>> marks_of(Saved("a", 1, True, "#[Q₄] and B1\nB1 = 3")), marks_of(Saved("a", 1, True, "B1 = 3"))
    (('Q4', 'B1'), ())
    """
    for line in cell.source[: MOST_LINES * _LONGEST].split("\n")[:MOST_LINES]:
        plain = unicodedata.normalize("NFKC", line[:_LONGEST]).replace("@title", "")
        if (not cell.is_code or plain.lstrip().startswith("#")) and (found := tuple(_in_line(plain))):
            return found
    return ()


def _in_line(line: str) -> Iterator[str]:
    match = _FIRST.match(line)
    while match:
        yield match[1] + match[2]
        match = _NEXT.match(line, match.end())


def flowing(cells: Sequence[Saved]) -> Iterator[tuple[str, ...]]:
    """Yield the marks of each cell of a notebook; one without marks belongs to those of the cell above it."""
    current: tuple[str, ...] = ()
    for cell in cells:
        current = marks_of(cell) or current
        yield current
