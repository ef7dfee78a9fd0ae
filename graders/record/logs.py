"""Logs of training and results of evaluation, in the forms that Keras, tqdm and people print them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from graders.model import Json
from graders.record.lines import NUMBER, number, pairs, quantity, shown_lines

MOST_RUNS = 100  # of one cell
MOST_EPOCHS = 2_000  # of one run
MOST_QUANTITIES = 12
LONGEST_RESULT = 200_000

Row: TypeAlias = dict[str, float | None]

# "Epoch 3/10" alone; "Epoch [3/10], Loss: 0.35"; "1313/1313 [====] - 95s 72ms/step - loss: 0.2013".
_HEADER = re.compile(r"\W{0,8}[Ee][Pp][Oo][Cc][Hh]\W{0,4}(\d{1,6})(?:\s?(?:/|of)\s?(\d{1,6}))?\W{0,80}")
_INLINE = re.compile(r"\b[Ee][Pp][Oo][Cc][Hh]s?\b[\s:#\[(=]{0,6}(\d{1,6})(?:\s?(?:/|of)\s?(\d{1,6}))?")
_BAR = re.compile(r"\s{0,12}(\d{1,9})/(\d{1,9}|Unknown)\s")
_SAVED = re.compile(r"improved? from")  # ModelCheckpoint speaks up before the bar of its epoch is done
_SECONDS = re.compile(r"(?<![\w.])(\d{1,7})(s|ms)(?:/epoch)?(?![\w/])")
_HISTORY = re.compile(r"['\"]([\w ]{1,40})['\"]:\s{0,9}\[([^\[\]]{1,50000})\]")
_VALUE = re.compile(rf"(?<![\w.]){NUMBER}(?![\w.])")
_RESULT = re.compile(rf"(?:tf\.Tensor)?[\[(]{{0,2}}(?:np\.float\d+\()?({NUMBER})(?:[\]),\s].*)?", re.DOTALL)


@dataclass
class Run:
    """One training as it was logged: a row of named values for each epoch."""

    announced: int | None = None
    source: str = "epochs"
    epochs: list[int] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    steps: int | None = None
    seconds: list[int] = field(default_factory=list)

    def put(self, epoch: int, row: Row) -> None:
        """Add an epoch's values, or add to them."""
        if self.epochs and self.epochs[-1] == epoch:
            self.rows[-1] |= row
        elif len(self.rows) < MOST_EPOCHS:
            self.epochs.append(epoch)
            self.rows.append(dict(row))

    def document(self) -> dict[str, Json]:
        """Return the run as JSON: `curves` has for each quantity a value or None for each of `epochs`."""
        names = list(dict.fromkeys(name for row in self.rows for name in row))[:MOST_QUANTITIES]
        return {
            "source": self.source,
            "announced": self.announced,
            "steps": self.steps,
            "seconds": sorted(self.seconds)[len(self.seconds) // 2] if self.seconds else None,
            "epochs": self.epochs,
            "curves": {name: [row.get(name) for row in self.rows] for name in names},
        }


@dataclass(frozen=True)
class Bar:
    """A progress bar that ended, outside of a training with epochs."""

    steps: int | None
    row: Row


class LogReader:
    """Takes the lines of one stream; `runs` and `bars` are what was in them, `rest` the lines that are no log."""

    def __init__(self) -> None:
        self.runs: list[Run] = []
        self.bars: list[Bar] = []
        self.rest: list[tuple[int, str]] = []
        self._epoch: int | None = None  # the epoch whose values are still to come

    def read(self, text: str) -> LogReader:
        """Read a stream; returns itself."""
        for at, line in enumerate(shown_lines(text), start=1):
            if not self._took(line) and len(self.rest) < MOST_EPOCHS:
                self.rest.append((at, line))
        self.runs = [run for run in self.runs if run.rows][:MOST_RUNS]
        return self

    def _took(self, line: str) -> bool:
        if match := _HEADER.fullmatch(line):
            self._begin(int(match[1]), _whole(match[2]))
        elif _SAVED.search(line):
            self._epoch = self.runs[-1].epochs[-1] if self.runs and self.runs[-1].epochs else self._epoch
        elif match := _BAR.match(line):
            self._bar(int(match[1]), _whole(match[2]), line)
        elif (match := _INLINE.search(line)) and (row := pairs(line[match.end() :])):
            self._begin(int(match[1]), _whole(match[2]), inline=True)
            self._put(row)
        elif self._epoch is not None and (row := self._unknown(pairs(line))):
            self._put(row)
        else:
            return False
        return True

    def _begin(self, epoch: int, announced: int | None, inline: bool = False) -> None:
        """Start an epoch, in a new run when it does not follow the one before."""
        last = self.runs[-1] if self.runs else None
        same = (
            last is not None
            and last.announced == announced
            and (not last.epochs or epoch > last.epochs[-1] or (inline and epoch == last.epochs[-1]))
        )
        if not same and len(self.runs) <= MOST_RUNS:
            self.runs.append(Run(announced))
        self._epoch = epoch

    def _unknown(self, row: Row) -> Row:
        """Return what is not known of the epoch yet: a summary below a log does not change its last line."""
        run = self.runs[-1]
        known = run.rows[-1] if run.epochs and run.epochs[-1] == self._epoch else {}
        return {name: value for name, value in row.items() if name not in known}

    def _put(self, row: Row) -> None:
        if self._epoch is not None:
            self.runs[-1].put(self._epoch, row)

    def _bar(self, done: int, steps: int | None, line: str) -> None:
        row = pairs(line)
        if done != steps or "ETA:" in line or not row:
            return
        if self._epoch is None:
            self.bars += [Bar(steps, row)][: MOST_EPOCHS - len(self.bars)]
            return
        self._put(row)
        run = self.runs[-1]
        run.steps, self._epoch = steps, None
        if (match := _SECONDS.search(line)) and len(run.seconds) < MOST_EPOCHS:
            run.seconds.append(int(match[1]) if match[2] == "s" else 0)


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def of_bars(bars: list[Bar]) -> Run:
    """Return the run of trainings of one epoch each, which print no header."""
    run = Run(source="bars", steps=bars[0].steps)
    for epoch, bar in enumerate(bars, start=1):
        run.put(epoch, bar.row)
    return run


def histories(text: str) -> Iterator[Run]:
    """Yield the training that a printed `history.history` tells of."""
    curves = {
        known: [number(value) for value in _VALUE.findall(listed)[:MOST_EPOCHS]]
        for name, listed in _HISTORY.findall(text[:LONGEST_RESULT])[:MOST_QUANTITIES]
        if (known := quantity(name))
    }
    epochs = max(map(len, curves.values()), default=0)
    rows = [{name: values[at] for name, values in curves.items() if at < len(values)} for at in range(epochs)]
    if rows:
        yield Run(source="history", epochs=list(range(1, epochs + 1)), rows=rows)


def result(text: str) -> Row:
    """Return what `evaluate` gave as the value of a cell: a number, a list whose first is the loss, or a mapping.

    >>> result("[0.69, 0.75]"), result("{'loss': 0.69}"), result("<keras.History>"), result("3 cells")
    ({'loss': 0.69}, {'loss': 0.69}, {}, {})
    """
    text = text[:LONGEST_RESULT].strip()
    if text.startswith("{"):
        return pairs(text.replace("'", "").replace('"', ""))
    match = _RESULT.fullmatch(text)
    return {"loss": number(match[1])} if match and not match[1].isdigit() else {}
