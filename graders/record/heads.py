"""The figures that stand in the head of a file, where handouts ask for what a model achieved: experiment `heads`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from graders.model import Experiment, Json, SourceFile
from graders.record.lines import number
from graders.record.saved import Saved, shortened

MOST_LINES = 60  # of a head
_LONGEST = 300  # characters of a line
_FIGURE = re.compile(r"(?<![\w.])([-+]?(?:\d{1,9}\.?\d{0,12}|\.\d{1,12})(?:e[-+]?\d{1,3})?)\s*(%|percent)?(?!\w)", re.I)
_CODE = re.compile(r"^\s*(import|from|def|class|@)\b")
_MARKS = "#'\"*-=> \t"


def of_heads(files: Iterable[SourceFile], notebooks: Iterable[Saved] = ()) -> Experiment:
    """Return `lines`: of each line with a label in the head of a script, or in the first cells of a notebook.

    Each has file, line, label (what stands before the figure, or before the colon), value (the first figure behind the
    label, None where none is) and percent (whether it says so). A head ends with the first import or definition.
    """
    heads = [(file.name, file.text or "") for file in files if file.name.lower().endswith(".py")]
    heads += [(cell.file, cell.source) for cell in notebooks if cell.number <= 2]
    return Experiment({"lines": [one for name, text in heads for one in _lines(name, text)]})


def _lines(file: str, text: str) -> Iterator[dict[str, Json]]:
    for at, line in enumerate(text[:100_000].splitlines()[:MOST_LINES], start=1):
        if _CODE.match(line):
            return
        if found := labelled(line[:_LONGEST]):
            yield {"file": shortened(file, 100), "line": at, **found}


def labelled(line: str) -> dict[str, Json] | None:
    """Return label, value and percent of a line, None where it has no label.

    >>> labelled("# Auxiliary test accuracy: 70.5%")
    {'label': 'Auxiliary test accuracy', 'value': 70.5, 'percent': True}
    >>> labelled("Test loss (CVAE) on CIFAR-10 :")
    {'label': 'Test loss (CVAE) on CIFAR-10', 'value': None, 'percent': False}
    """
    text = line.strip(_MARKS)
    label, sign, rest = text.partition(":") if ":" in text else text.partition("=")
    if not sign:
        figure = next((one for one in _FIGURE.finditer(text) if one.start() > 0), None)
        if figure is None:
            return None
        label, rest = text[: figure.start()], text[figure.start() :]
    match = _FIGURE.search(rest)
    words = label.strip(_MARKS)
    if not any(letter.isalpha() for letter in words):
        return None
    value = number(match[1]) if match else None
    return {"label": shortened(words, 80), "value": value, "percent": bool(match and match[2])}
