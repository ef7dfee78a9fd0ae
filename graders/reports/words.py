"""What people read and see of a verdict, and how text and numbers are made fit to be shown.

Standard library only, so that the terminal and the self-check stay quick.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graders.model import Json, Verdict

LIMIT = 2_000  # characters of a student's text that are shown


@dataclass(frozen=True)
class Look:
    """A verdict in words, as a sign, and its colours: strong with the ink to write on it, and a pale tint."""

    word: str
    sign: str
    colour: str
    ink: str
    tint: str


# Blue, amber and vermilion stay apart for every kind of colour blindness; red and green do not.
LOOKS: Mapping[Verdict, Look] = {
    Verdict.PASS: Look("passed", "✓", "#1b6ca8", "#ffffff", "#e1eef8"),
    Verdict.PARTIAL: Look("partly right", "◐", "#f2b134", "#1c1917", "#fdf1d3"),
    Verdict.FAIL: Look("not right yet", "✗", "#c4450c", "#ffffff", "#fbe1d5"),
    Verdict.BLOCKED: Look("waits for another item", "⊘", "#cbb0e0", "#1c1917", "#f0e7f7"),
    Verdict.MISSING: Look("not handed in", "□", "#9aa3ad", "#1c1917", "#eceff2"),
    Verdict.FAULT: Look("our fault: not counted", "!", "#171717", "#ffffff", "#d4d4d4"),
    Verdict.MANUAL: Look("waits for a person", "…", "#dfe5ec", "#1c1917", "#f6f8fa"),
}

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
# Control characters, marks that turn the direction of writing, halves of surrogate pairs, and what XML forbids.
_HOSTILE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def clean(text: str, limit: int = LIMIT) -> str:
    r"""Return the text without control characters, cut at `limit`.

    >>> clean("\x1b[31mred\x1b[0m\x00")
    'red'
    >>> clean("a" * 10, limit=4)
    'aaaa… (6 more characters)'
    """
    harmless = _HOSTILE.sub("", _ANSI.sub("", text).replace("\r\n", "\n").replace("\r", "\n"))
    rest = len(harmless) - limit
    return f"{harmless[:limit]}… ({rest:,} more characters)" if rest > 0 else harmless


def line(text: str, limit: int = 160) -> str:
    r"""Return the text as one short line.

    >>> line("two\n  lines")
    'two lines'
    """
    words = " ".join(clean(text).split())
    return words if len(words) <= limit else words[: limit - 1].rstrip() + "…"


def by_name(name: str) -> str:
    """Return a key that sorts names as people look for them: letters with accents beside those without.

    >>> sorted(["Zoe", "Óla", "Olga"], key=by_name)
    ['Óla', 'Olga', 'Zoe']
    """
    letters = unicodedata.normalize("NFKD", line(name))
    return "".join(char for char in letters if not unicodedata.combining(char)).casefold()


def points(value: float) -> str:
    """Return points as people write them.

    >>> points(8.0), points(7.5), points(1 / 3)
    ('8', '7.5', '0.33')
    """
    return f"{round(value, 2) + 0.0:.2f}".rstrip("0").rstrip(".")


def count(number: int, word: str) -> str:
    """Return a number with its noun.

    >>> count(1, "item"), count(2, "item")
    ('1 item', '2 items')
    """
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def listing(words: list[str]) -> str:
    """Return the words as a list in a sentence.

    >>> listing(["C3", "C4", "C5"])
    'C3, C4 and C5'
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def flat(value: Json, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield the rows (dotted key, text) of nested values.

    >>> list(flat({"seed": 7, "versions": {"numpy": "2.4"}}))
    [('seed', '7'), ('versions.numpy', '2.4')]
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat(inner, f"{prefix}.{key}" if prefix else str(key))
    elif isinstance(value, list | tuple):
        yield prefix, ", ".join(str(entry) for entry in value)
    else:
        yield prefix, str(value)
