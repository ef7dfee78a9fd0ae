"""The figures that a student states in words: in printed lines and in the cells of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from graders.model import Json
from graders.record.lines import NUMBER, number
from graders.record.saved import Saved, shortened

MOST_CLAIMS = 200
MOST_SERIES = 100
_LONGEST = 400  # characters of a line, numbers of a list
_TEXT = 100_000  # characters of a cell
_CLAIM = re.compile(
    r"\b((?:test(?:ing|set)?|evaluat\w{1,8}|final|bce|binary[ _-]?cross[ _-]?entropy|loss)\b[^.\n]{0,80}?)"
    r"(?<![\w.])(\d{1,9}\.\d{1,20}(?:e[-+]?\d{1,4})?|nan|inf)(?![\w%])",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:,\d{3}){1,4}|\d{3,15})(?![\w,]|\.\d)")
_ACCURACY = re.compile(
    r"\bacc(?:uracy)?\b[^\n]{0,60}?(?<![\w.])(\d{1,3}\.\d{1,20}|\d{1,3}(?=\s?%))(\s?%)?(?!\w|\.\d)", re.IGNORECASE
)
_LOGGED = re.compile(r"\bepoch|\bit/s\b|/step", re.IGNORECASE)
_LIST = re.compile(r"\[([^\[\]]{1,20000})\]")
_REFERENCE = re.compile(r"(section|sec|figure|fig|table|part|step|version|keras|tensorflow)\W*$", re.IGNORECASE)
_LOSS = re.compile(r"loss|bce|cross.?entropy|eval", re.IGNORECASE)
_TEST = re.compile(r"test|evaluat|final|bce|entropy", re.IGNORECASE)
_OTHER_SET = re.compile(r"train|val(?:id|_|\b)", re.IGNORECASE)


def stated(lines: Iterable[tuple[int, str]]) -> Iterator[dict[str, Json]]:
    """Yield the losses that lines of text state: `line`, `label`, `value`, and whether they are of the `test` set.

    >>> [(one["label"], one["value"], one["test"]) for one in stated([(1, "Test loss: 0.1936"), (2, "cell 4.25")])]
    [('Test loss:', 0.1936, True)]
    >>> list(stated([(1, "Evaluation (Section 4.4)")]))
    []
    """
    for at, line in lines:
        for match in _CLAIM.finditer(line[:_LONGEST]):
            label = match[1]
            if _LOSS.search(label) and not _REFERENCE.search(label):
                test = bool(_TEST.search(label)) and not _OTHER_SET.search(line[: match.end(1)])
                yield {"line": at, "label": shortened(label, 60), "value": number(match[2]), "test": test}


def counted(lines: Iterable[str]) -> Iterator[int]:
    """Yield the numbers of parameters that lines of text state.

    >>> list(counted(["Trainable params: 2,747,082 (10.48 MB)", "12345 images"]))
    [2747082]
    >>> list(counted(["number of trainable parameters = 49728"]))
    [49728]
    """
    for line in lines:
        if "param" in line[:_LONGEST].lower():
            yield from (int(match[0].replace(",", "")) for match in _COUNT.finditer(line[:_LONGEST]))


def accuracies(lines: Iterable[tuple[int, str]]) -> Iterator[dict[str, Json]]:
    """Yield the accuracies that lines of text state, but not those of logs: `line`, `label` and `value`, a share.

    >>> [one["value"] for one in accuracies([(1, "Test accuracy: 73.5% (64 % without)"), (2, "Epoch 3: accuracy 0.4")])]
    [0.735]
    >>> [one["label"] for one in accuracies([(1, "accuracy of the JEM is 0.41"), (2, "accuracy of 7 runs")])]
    ['accuracy of the JEM is']
    """
    for at, line in lines:
        for match in _ACCURACY.finditer("" if _LOGGED.search(line) else line[:_LONGEST]):
            value = float(match[1])
            share = value / 100 if match[2] or value > 1 else value
            label = line[max(0, match.start() - 60) : match.start(1)].strip(" :=")
            if share <= 1:
                yield {"line": at, "label": shortened(label, 60), "value": round(share, 6)}


def series(text: str) -> Iterator[list[float | None]]:
    r"""Yield the lists of numbers that stand in brackets in a text, as Python and NumPy print them.

    >>> list(series("[-3.5 -3.25\n -1.] and [1, 'a'] and [2, 3, 4]"))
    [[-3.5, -3.25, -1.0], [2.0, 3.0, 4.0]]
    """
    for match in _LIST.finditer(text[:_TEXT]):
        parts = match[1].replace(",", " ").split()[:_LONGEST]
        if len(parts) > 2 and all(re.fullmatch(NUMBER, part) for part in parts):
            yield [number(part) for part in parts]


def in_text(cell: Saved) -> Iterator[dict[str, Json]]:
    """Yield the losses that a cell of Markdown states."""
    return stated(text_lines(cell))


def text_lines(cell: Saved) -> Iterator[tuple[int, str]]:
    """Yield the lines of a cell of Markdown with their numbers, without the signs for bold and code."""
    yield from enumerate(cell.source[:_TEXT].replace("*", "").replace("`", "").split("\n"), start=1)
