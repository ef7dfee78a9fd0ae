"""How much of a cell's output is kept: of text the beginning and the end, pictures up to a size, nothing that runs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

KEPT_TEXT = 50_000  # characters of one stream at its beginning, and as many at its end
MOST_OUTPUTS = 200  # of one cell
LARGEST_PICTURE = 2_000_000  # characters of base64
MOST_OF_ALL = 24_000_000  # characters in a notebook
_LONGEST_LINE = 2_000  # of a traceback
_MOST_LINES = 100  # of a traceback

_TEXT = "text/plain"
_PICTURES = ("image/png", "image/jpeg", "image/gif")
# What a terminal shows: a carriage return starts the line anew, a backspace takes one character back.
_RETURN = re.compile(r"[^\n]*\r(?=[^\n\r])")
_BACKSPACE = re.compile(r"[^\n\x08]\x08|^\x08+")
_MOST_BACKSPACES = 1000  # that a line may take back at once: Keras 2 draws its bar so


class Ledger:
    """What one cell has put out so far; `left` is how many characters the whole notebook may still put out."""

    def __init__(self, left: int = MOST_OF_ALL) -> None:
        self.left = left
        self.begin()

    def begin(self) -> None:
        """Start with another cell."""
        self.cut: dict[int, int] = {}
        self.omitted: dict[str, int] = {}

    def add(self, outputs: list[Any], new: Any) -> bool:
        """Put one output of nbformat at the end of a cell's outputs, as far as it is kept; return whether it was."""
        if new["output_type"] == "stream":
            return self._add_text(outputs, new)
        kept = self._kept(new)
        if not kept:
            return False
        if len(outputs) >= MOST_OUTPUTS or _size(new) > self.left:
            self._omit("outputs")
            return False
        self.left -= _size(new)
        outputs.append(new)
        return True

    def _omit(self, what: str) -> None:
        self.omitted[what] = self.omitted.get(what, 0) + 1

    def _kept(self, new: Any) -> bool:
        """Take out of an output what is not kept; return whether anything is left."""
        if new["output_type"] == "error":
            lines = [str(line)[: _LONGEST_LINE * 10] for line in new["traceback"][:_MOST_LINES]]
            new["traceback"] = lines
            new["ename"], new["evalue"] = str(new["ename"])[:200], str(new["evalue"])[:_LONGEST_LINE]
            return True
        data = self._kept_data(new["data"])
        new["data"], new["metadata"] = data, {}
        return bool(data)

    def _kept_data(self, data: Mapping[str, Any]) -> dict[str, str]:
        kept: dict[str, str] = {}
        for kind, value in data.items():
            if kind == _TEXT and isinstance(value, str):
                kept[kind] = value if len(value) <= KEPT_TEXT else value[:KEPT_TEXT] + _gap(len(value) - KEPT_TEXT)
            elif kind in _PICTURES and isinstance(value, str):
                if len(value) <= LARGEST_PICTURE:
                    kept[kind] = value
                else:
                    self._omit("pictures")
        if not kept and data:
            self._omit("displays of " + ", ".join(sorted(str(kind)[:40] for kind in data)[:3]))
        return kept

    def _add_text(self, outputs: list[Any], new: Any) -> bool:
        """Join the text of a stream to that before it, when it is the same stream's."""
        if not (outputs and outputs[-1]["output_type"] == "stream" and outputs[-1]["name"] == new["name"]):
            if len(outputs) >= MOST_OUTPUTS:
                self._omit("outputs")
                return False
            outputs.append(new)
            old, new["text"] = new["text"], ""
        else:
            old = new["text"]
        self._join(len(outputs) - 1, outputs[-1], old)
        return True

    def _join(self, index: int, output: Any, text: str) -> None:
        before = len(output["text"])
        head, line_end, line = output["text"].rpartition("\n")
        joined = head + line_end + as_shown(line + text)
        if len(joined) > 2 * KEPT_TEXT:
            self.cut[index] = self.cut.get(index, 0) + len(joined) - 2 * KEPT_TEXT
            joined = joined[:KEPT_TEXT] + joined[-KEPT_TEXT:]
        grown = len(joined) - before
        if grown > self.left:
            self.cut[index] = self.cut.get(index, 0) + grown - max(0, self.left)
            joined = joined[: before + max(0, self.left)]
        self.left -= max(0, len(joined) - before)
        output["text"] = joined

    def forget(self) -> None:
        """The cell cleared its outputs."""
        self.cut.clear()

    def finish(self, outputs: list[Any]) -> None:
        """Say in the outputs what was left out of them."""
        for index, characters in self.cut.items():
            if index < len(outputs) and outputs[index]["output_type"] == "stream":
                text = outputs[index]["text"]
                outputs[index]["text"] = text[:KEPT_TEXT] + _gap(characters) + text[KEPT_TEXT:]
        if self.omitted:
            words = ", ".join(f"{count} {what}" for what, count in self.omitted.items())
            outputs.append({"output_type": "stream", "name": "stderr", "text": f"[left out here: {words}]\n"})


def _gap(characters: int) -> str:
    return f"\n[... {characters} characters left out ...]\n"


def _size(output: Any) -> int:
    if output["output_type"] == "error":
        return sum(map(len, output["traceback"])) + len(output["evalue"])
    return sum(map(len, output["data"].values()))


def as_shown(text: str) -> str:
    r"""Return a text as a terminal shows it.

    >>> as_shown("1/2 [=>..]\r2/2 [====]\nab\x08c")
    '2/2 [====]\nac'
    """
    if "\r" in text:
        text = _RETURN.sub("", text.replace("\r\n", "\n"))
    for _ in range(_MOST_BACKSPACES):
        if "\x08" not in text:
            break
        text = _BACKSPACE.sub("", text)
    return text
