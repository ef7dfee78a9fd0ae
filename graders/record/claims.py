"""The figures that a student states in words: in printed lines and in the cells of text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from graders.model import Json
from graders.record.lines import number
from graders.record.saved import Saved, shortened

MOST_CLAIMS = 200
_LONGEST = 400  # characters of a line
_CLAIM = re.compile(
    r"\b((?:test(?:ing|set)?|evaluat\w{1,8}|final|bce|binary[ _-]?cross[ _-]?entropy|loss)\b[^.\n]{0,80}?)"
    r"(?<![\w.])(\d{1,9}\.\d{1,20}(?:e[-+]?\d{1,4})?|nan|inf)(?![\w%])",
    re.IGNORECASE,
)
_COUNT = re.compile(r"(?<![\w.,])(?:\d{1,3}(?:,\d{3}){1,4}|\d{3,15})(?![\w,]|\.\d)")
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


def in_text(cell: Saved) -> Iterator[dict[str, Json]]:
    """Yield the losses that a cell of Markdown states."""
    return stated(enumerate(cell.source[:100_000].replace("*", "").replace("`", "").split("\n"), start=1))
