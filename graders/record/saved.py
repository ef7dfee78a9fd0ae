"""A notebook's cells with the outputs that were saved in them: texts, pictures as they are encoded, errors.

HTML, scripts, vector drawings and links are left where they are: no one reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from graders.model import SourceFile
from graders.notebook.cells import UNREADABLE_JSON, raw_cells

MOST_CELLS = 2_000
MOST_OUTPUTS = 2_000  # of one cell; a stream that is flushed often comes in many

PICTURES = ("image/png", "image/jpeg")
_OLD_PICTURES = {"image/png": "png", "image/jpeg": "jpeg"}  # format 3


@dataclass(frozen=True)
class Saved:
    """A cell of a notebook. `texts` are its printed streams, joined, and its results; `count` its execution count.

    `pictures` are pairs of a type of PICTURES and base64 text, `error` is the name and message of the last error.
    """

    file: str
    number: int
    is_code: bool
    source: str
    count: int | None = None
    streams: Mapping[str, str] = field(default_factory=dict)
    results: tuple[str, ...] = ()
    displayed: tuple[str, ...] = ()  # text that was displayed, such as the summary of a model
    pictures: tuple[tuple[str, str], ...] = ()
    error: tuple[str, str] | None = None
    has_output: bool = False

    @property
    def place(self) -> str:
        """Where the student finds it."""
        return f"cell {self.number}"

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it but comments and white space."""
        return all(not line.strip() or line.lstrip().startswith("#") for line in self.source.split("\n"))


def saved_cells(file: SourceFile) -> list[Saved]:
    """Return the cells of a notebook, [] for what is none (the reader of its code says so)."""
    try:
        raw = raw_cells(file.text or "")
    except UNREADABLE_JSON:
        return []
    numbered = enumerate(raw[:MOST_CELLS], start=1)
    return [_saved(file.name, number, cell) for number, cell in numbered if isinstance(cell, dict)]


def _saved(file: str, number: int, cell: dict[str, Any]) -> Saved:
    source = text_of(cell.get("source", cell.get("input", "")))
    if cell.get("cell_type") != "code":
        return Saved(file, number, False, source if cell.get("cell_type") == "markdown" else "")
    listed = cell.get("outputs")
    outputs = [one for one in listed[:MOST_OUTPUTS] if isinstance(one, dict)] if isinstance(listed, list) else []
    count = cell.get("execution_count", cell.get("prompt_number"))
    return Saved(
        file,
        number,
        True,
        source,
        int(count) if isinstance(count, float) and 0 < count < 1e6 else None,
        _streams(outputs),
        tuple(text for one in outputs if (text := _result(one))),
        tuple(text for one in outputs if _kind(one) == "display_data" and (text := _text(one))),
        tuple(picture for one in outputs for picture in _pictures(one)),
        next((_error(one) for one in reversed(outputs) if _kind(one) in ("error", "pyerr")), None),
        bool(outputs),
    )


def text_of(value: Any) -> str:
    """Return a text that a notebook holds as one string or as a list of lines, "" for anything else."""
    if isinstance(value, list):
        return "".join(line for line in value if isinstance(line, str))
    return value if isinstance(value, str) else ""


def _kind(output: dict[str, Any]) -> str:
    return text_of(output.get("output_type"))


def _streams(outputs: list[dict[str, Any]]) -> dict[str, str]:
    """Return what was printed, by stream: a progress bar goes on where a warning came between."""
    parts: dict[str, list[str]] = {"stdout": [], "stderr": []}
    for one in outputs:
        if _kind(one) == "stream":
            name = one.get("name", one.get("stream"))
            parts["stderr" if name == "stderr" else "stdout"].append(text_of(one.get("text")))
    return {name: "".join(texts) for name, texts in parts.items() if any(texts)}


def _data(output: dict[str, Any]) -> dict[str, Any]:
    data = output.get("data")
    return data if isinstance(data, dict) else output if _kind(output) in ("pyout", "display_data") else {}


def _result(output: dict[str, Any]) -> str:
    """Return the text of the value of a cell's last line."""
    return _text(output) if _kind(output) in ("execute_result", "pyout") else ""


def _text(output: dict[str, Any]) -> str:
    data = _data(output)
    return text_of(data.get("text/plain", data.get("text")))


def _pictures(output: dict[str, Any]) -> Iterator[tuple[str, str]]:
    data = _data(output)
    for kind in PICTURES:
        if encoded := text_of(data.get(kind, data.get(_OLD_PICTURES[kind]))):
            yield kind, encoded
            return  # the same picture in another coding is no second one


def _error(output: dict[str, Any]) -> tuple[str, str]:
    return shortened(text_of(output.get("ename")), 60) or "error", shortened(text_of(output.get("evalue")), 200)


def shortened(text: str, most: int) -> str:
    r"""Return one line of at most `most` characters, which any file can hold.

    >>> shortened("a\n  b", 10), shortened("abcdef", 4)
    ('a b', 'abc…')
    """
    words = " ".join(text[: 4 * most].encode("utf-8", "replace").decode().split())
    return words if len(words) <= most else words[: most - 1] + "…"
