"""Files to cells: the code of a notebook or a script as Python text, with the line numbers that the student sees.

Nothing here runs or trusts what it reads: whatever is wrong with a file or a cell becomes a line for the report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from graders.model import SourceFile

# A cell of this many characters is no code that somebody wrote.
LONGEST_CELL = 300_000
# IPython reads the cell anew for every magic in it: the product of the two is its work.
MOST_MAGIC_WORK = 300_000

# What a text that is no notebook makes `raw_cells` raise.
UNREADABLE_JSON = (ValueError, RecursionError, MemoryError)

_PROSE = frozenset({"markdown", "raw", "heading", "html", "rst"})  # all kinds that any format has besides code

# Cell magics whose body is ordinary Python in the notebook's own namespace (or is meant to be).
_PYTHON_MAGICS = "capture debug heat lprun memit mprun no_raise prun pypy python python3 scalene snakeviz time timeit"
PYTHON_MAGICS = frozenset(_PYTHON_MAGICS.split())
WRITING_MAGICS = frozenset({"file", "writefile"})

# How a line begins that IPython knows and Python does not.
_MAGIC_STARTS = ("%", "!", "?", ",", ";", "/", ">>>", "In [")
_DROPPED_STARTS = ("%", "!", "?")
_MAGIC_ASSIGNMENT = re.compile(r"^[\w., \t]{1,200}=[ \t]*[!%]")


@dataclass(frozen=True)
class Cell:
    """The code of one cell or script. `module` names the file that a `%%writefile` cell writes."""

    place: str
    text: str
    module: str = ""
    append: bool = False


def clean(text: str) -> str:
    r"""Return the text with line ends as Python counts them, and nothing that cannot be encoded.

    >>> clean("a\r\nb\rc")
    'a\nb\nc'
    """
    text = text.encode("utf-8", "replace").decode("utf-8")
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def script_cells(file: SourceFile) -> tuple[list[Cell], list[str]]:
    """Return a script as one cell, and no notes, unless it is too long."""
    return _bounded([Cell(file.name, clean(file.text or ""))])


def notebook_parts(file: SourceFile) -> tuple[list[tuple[str, str]], list[str]]:
    """Return all cells of a notebook in their order as (code, markdown or raw; text), and a note on what is none.

    A cell that cannot be read stands there as an empty raw one, so that the others keep their numbers.
    """
    text = clean(file.text or "")
    try:
        listed = raw_cells(text)
    except UNREADABLE_JSON as error:
        return [], [f"{file.name}: is not a notebook ({_odd(text, error)}): save it again as .ipynb"]
    parts: list[tuple[str, str]] = []
    notes: list[str] = []
    for number, raw in enumerate(listed, start=1):
        try:
            code = _code(raw)
            kind = "code" if code is not None else "raw" if raw["cell_type"] == "raw" else "markdown"
            parts.append((kind, clean(_code({**raw, "cell_type": "code"}) or "")))
        except ValueError:
            parts.append(("raw", ""))
            notes.append(f"cell {number}: is not a valid cell and was skipped")
    return parts, notes


def notebook_cells(file: SourceFile) -> tuple[list[Cell], list[str]]:
    """Return the code cells of a notebook, and a note on everything that is none."""
    text = clean(file.text or "")
    try:
        listed = raw_cells(text)
    except UNREADABLE_JSON as error:
        return [], [f"{file.name}: is not a notebook ({_odd(text, error)}): save it again as .ipynb"]
    cells: list[Cell] = []
    notes: list[str] = []
    for number, raw in enumerate(listed, start=1):
        try:
            source = _code(raw)
        except ValueError:
            notes.append(f"cell {number}: is not a valid cell and was skipped")
            continue
        if source is not None:
            cells.extend(python_cell(Cell(f"cell {number}", clean(source))))
    if not listed:
        notes.append(f"{file.name}: has no cells: hand in the notebook that holds your code")
    bounded, too_long = _bounded(cells)
    return bounded, notes + too_long


def _odd(text: str, error: Exception) -> str:
    """Return what a file is that is no notebook, as far as its beginning tells."""
    start = text[:1000].lstrip()
    if not start:
        return "it is empty"
    if start.startswith("<"):
        return "it is a web page"
    if start.startswith("PK\x03\x04"):
        return "it is an archive"
    if isinstance(error, json.JSONDecodeError) and start.startswith("{"):
        end = not text[error.pos :].strip() or error.msg.startswith("Unterminated")
        return "it is cut short" if end else f"line {error.lineno} is no JSON"
    return "no JSON with cells in it"


def raw_cells(text: str) -> list[Any]:
    """Return all cells of a notebook of format 4, or of 2 or 3 with its worksheets; raises one of UNREADABLE_JSON."""
    # Line ends inside texts are no JSON, but some tools write them; numbers may have more digits than Python reads.
    notebook = json.loads(text, strict=False, parse_int=float)
    if not isinstance(notebook, dict):
        raise ValueError
    if isinstance(notebook.get("cells"), list):
        return list(notebook["cells"])
    sheets = notebook.get("worksheets")
    if not isinstance(sheets, list):
        raise ValueError
    pages = [sheet.get("cells") for sheet in sheets if isinstance(sheet, dict)]
    return [cell for page in pages if isinstance(page, list) for cell in page]


def _code(raw: Any) -> str | None:
    """Return the text of a code cell, None for another kind of cell; raises ValueError for what is no cell."""
    if not isinstance(raw, dict) or not isinstance(raw.get("cell_type"), str):
        raise ValueError
    if raw["cell_type"] in _PROSE:
        return None
    if raw["cell_type"] != "code":
        raise ValueError
    source = raw.get("source", raw.get("input", ""))
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    if isinstance(source, str):
        return source
    raise ValueError


def _bounded(cells: list[Cell]) -> tuple[list[Cell], list[str]]:
    kept = [cell for cell in cells if len(cell.text) <= LONGEST_CELL]
    lost = [cell.place for cell in cells if len(cell.text) > LONGEST_CELL]
    return kept, [f"{place}: is longer than {LONGEST_CELL} characters and was not read" for place in lost]


# Cell magics ----------------------------------------------------------------------------------------------------------


def python_cell(cell: Cell) -> Iterator[Cell]:
    """Yield the cell without its cell magics, if what is left is Python."""
    for _ in range(5):  # `%%capture` over `%%time` is one cell with two magics
        lines = cell.text.split("\n")
        first = next((i for i, line in enumerate(lines) if line.strip() and not line.lstrip().startswith("#")), 0)
        if not lines[first].startswith("%%"):
            yield cell
            return
        words = lines[first][2:].split()
        lines[first] = ""
        cell = replace(cell, text="\n".join(lines))
        if words and words[0] in WRITING_MAGICS and words[-1].strip("'\"").endswith(".py"):
            yield replace(cell, module=words[-1].strip("'\""), append="-a" in words)
            return
        if not words or words[0] not in PYTHON_MAGICS:
            return


# Line magics ----------------------------------------------------------------------------------------------------------


def looks_magic(text: str) -> bool:
    """Tell whether a text that is no Python may be IPython: magics, `!commands`, `help?`, prompts, a common indent."""
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    return first[:1].isspace() or any(_is_magic(line) for line in lines)


def _is_magic(line: str) -> bool:
    return _starts(line, _MAGIC_STARTS)


def _starts(line: str, starts: tuple[str, ...]) -> bool:
    bare = line.strip()
    asks = bare.endswith("?") and "#" not in bare
    return asks or bare.startswith(starts) or _MAGIC_ASSIGNMENT.match(bare) is not None


def without_magics(text: str) -> str:
    """Return the text with its magics as calls of `get_ipython()`, every line where it was."""
    body = text.lstrip("\n")
    blank = len(text) - len(body)
    body = _joined(body)
    if magic_work(body) <= MOST_MAGIC_WORK:
        try:
            return "\n" * blank + _transformed(body)
        except Exception:  # IPython's own parser met something odd; what follows never fails
            pass
    return "\n" * blank + _dropped(body)


def magic_work(text: str) -> int:
    """Return how much IPython has to read for a text: the whole of it once more for every magic."""
    return len(text) * (1 + sum(map(_is_magic, text.split("\n"))))


def _transformed(text: str) -> str:
    # Imported here: a class of scripts without a magic does not need IPython's half a second.
    from IPython.core.inputtransformer2 import TransformerManager

    lines = text.split("\n")
    blank = next((i for i, line in enumerate(lines) if line.strip()), 0)  # IPython drops blank lines at the top
    return "\n" * blank + str(TransformerManager().transform_cell("\n".join(lines[blank:])))


def _joined(text: str) -> str:
    """Put a magic that goes on after a backslash on its first line, and blank lines in place of the others."""
    lines = text.split("\n")
    for i in range(len(lines)):
        if not _is_magic(lines[i]) or not lines[i].endswith("\\"):
            continue
        last = i
        while last + 1 < len(lines) and lines[last].endswith("\\"):
            last += 1
        lines[i] = " ".join(line.removesuffix("\\") for line in lines[i : last + 1])
        lines[i + 1 : last + 1] = [""] * (last - i)
    return "\n".join(lines)


def _dropped(text: str) -> str:
    """Put `pass` in the place of every line that only IPython can read."""
    return "\n".join(
        line[: len(line) - len(line.lstrip())] + "pass" if _starts(line, _DROPPED_STARTS) else line
        for line in text.split("\n")
    )
