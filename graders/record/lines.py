"""Printed text as a terminal shows it, and the named numbers in a line of it. Linear in the text, whatever it is."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator

MOST_LINES = 200_000  # of one stream; whole trainings with a line for every batch come to 15,000
LONGEST_LINE = 2_000  # characters; a line of many updates counts with its last one

_LONGEST_NAMED = 600  # of a line with named numbers

_ANSI = re.compile(r"\x1b\[[0-9;?]{0,20}[A-Za-z]")
_LINE = re.compile(r"[^\n]+")
NUMBER = r"(?:[-+]?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][-+]?\d{1,6})?|[-+]?(?:nan|NaN|inf|Infinity))"
_PAIR = re.compile(
    rf"((?:[A-Za-z][\w-]{{0,40}} ){{0,3}}[A-Za-z][\w-]{{0,40}})(?:\s{{0,3}}[:=]\s{{0,8}}| )({NUMBER})(?![\w.])"
)

_VALIDATION = ("val", "valid", "validation", "dev")
_TRAINING = ("train", "training")
_LOSSES = ("loss", "bce", "nll", "cost", "entropy", "crossentropy", "cross")
_OTHERS = ("accuracy", "acc", "mae", "mse", "error", "auc")


def shown_lines(text: str) -> Iterator[str]:
    r"""Yield the lines of a stream; of one that was written over, what was written last.

    >>> list(shown_lines("1/2 [>.]\b\b\b\r2/2 [==]\nb\n\n"))
    ['2/2 [==]', 'b']
    """
    for match in itertools.islice(_LINE.finditer(text), MOST_LINES):
        shown = match[0].rstrip("\r\b \t")
        last = max(shown.rfind("\r"), shown.rfind("\b"))
        yield _ANSI.sub("", shown[last + 1 : last + 1 + LONGEST_LINE])


def number(text: str) -> float | None:
    """Return a number, None for one that is not finite.

    >>> number("0.25"), number("1e999"), number("nan")
    (0.25, None, None)
    """
    value = float(text)
    return value if math.isfinite(value) else None


def pairs(line: str) -> dict[str, float | None]:
    """Return the losses and measures that a line names, under the names that Keras has for them.

    >>> pairs("- 95s 72ms/step - loss: 0.2013 - val_loss: 0.1987")
    {'loss': 0.2013, 'val_loss': 0.1987}
    >>> pairs(": train 0.21 val 0.20"), pairs("Test Accuracy = 91, took 12.5s")
    ({'loss': 0.21, 'val_loss': 0.2}, {'test_accuracy': 91.0})
    """
    found: dict[str, float | None] = {}
    for name, value in _PAIR.findall(line[:_LONGEST_NAMED]):
        if known := quantity(name):
            found.setdefault(known, number(value))
    return found


def quantity(name: str) -> str:
    """Return the name of a quantity as Keras has it, "" for one that is no loss and no measure.

    >>> quantity("Validation Loss"), quantity("avg_train_loss"), quantity("Time")
    ('val_loss', 'loss', '')
    """
    words = re.split(r"[\s_-]+", name.lower())
    validation = any(word in _VALIDATION for word in words)
    side = "val_" if validation else "test_" if "test" in words else ""
    other = next((word for word in words if word in _OTHERS), "")
    if any(word in _LOSSES for word in words) or words[-1] in (*_VALIDATION, *_TRAINING, "test"):
        return f"{side}loss"
    return f"{side}{other}" if other else ""
