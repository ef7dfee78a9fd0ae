"""Handout D, question 3: what a run of the scripts left behind, read from the files that were handed in.

Nothing runs here and there is no reference to compare with: the evidence is what `graders.record.read` found. What was
not handed in waits for a person: the report may tell it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from graders.assignments import Experiments, Seen
from graders.checks import outcome
from graders.model import Json, Outcome

TESTS = 4  # of the check script
LEAST_ROWS = 20  # of a loss file: iterations
Entry: TypeAlias = Mapping[str, Json]
_NONE: tuple[Entry | None, ...] = (None,)


class _FromRecord:
    """An item that nothing is run for."""

    arguments: tuple[str, ...] = ()

    def probe(self, student: Any, lab: Any, draw: Any) -> Experiments:
        """Return no experiments: the evidence is read off the files."""
        return {}


def _listed(seen: Seen, name: str) -> list[Entry]:
    return list(seen["files"].values.get(name, []))


def _changed(seen: Seen, script: str, states: Sequence[str]) -> list[str]:
    """Return which handed out files of a name are in one of these states, with the line."""
    return [
        f"{one['file']}, line {one['line']}: {'other values' if one['state'] == 'settings' else 'other code'}"
        for one in _listed(seen, "given")
        if script in str(one["file"]) and one["state"] in states
    ]


class CheckScript(_FromRecord):
    """What the check script printed is there: four tests, OK (Section 3 (a))."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the best output; none is left to a person."""
        found = [one for one in _listed(mine, "tests") if one["ran"] == TESTS]
        if not found:
            return
        good = any(one["ok"] for one in found)
        changed = _changed(mine, "_models", ("settings", "changed"))
        actual = changed[0] if good and changed else f"{'OK' if good else 'FAILED'} in {found[-1]['place']}"
        yield outcome("tests", good and not changed, "OK for all tests of the script that was handed out", actual)


class Training(_FromRecord):
    """loss.txt has finite losses that fall; sample and novel images show something; asgn6.py was not changed."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the best loss file and all pictures; nothing at all is left to a person."""
        losses, pictures = _listed(mine, "losses"), _listed(mine, "pictures")
        if not losses and not pictures:
            return
        judged = [list(_of_log(one)) for one in losses or _NONE]
        yield from max(judged, key=lambda found: sum(one.passed for one in found))
        for name, kind in (("samples", "sample"), ("novel", "novel")):
            yield _of_pictures(name, [one for one in pictures if one["kind"] == kind])
        changed = [*_changed(mine, "asgn6", ("changed",)), *_changed(mine, "_models", ("changed",))]
        yield outcome("unchanged", not changed, "no changed code outside of models.py", (changed or ["none"])[0])


def _of_log(log: Entry | None) -> Iterator[Outcome]:
    expected = f"a finite loss for each of at least {LEAST_ROWS} iterations"
    if log is None:
        yield outcome("log", False, expected, "no loss.txt")
        yield outcome("falling", False, "a loss that falls", "no loss.txt")
        return
    told = f"{log['rows']} rows in {log['file']}" + (f", no finite number in line {log['line']}" if log["bad"] else "")
    whole = log["rows"] >= LEAST_ROWS and not log["bad"]
    yield outcome("log", whole, expected, told)
    course = f"{log['first']:.4g} in the first tenth, {log['last']:.4g} in the last" if log["rows"] else told
    falls = log["rows"] >= LEAST_ROWS and log["last"] < log["first"] and 2 * log["bad"] < log["rows"]
    yield outcome("falling", falls, "a loss whose last tenth is below its first", course)


def _of_pictures(name: str, pictures: Sequence[Entry]) -> Outcome:
    expected = f"{name if name == 'novel' else 'sample'}-*.png, images that are not blank and not all the same"
    good = [one for one in pictures if not one["blank"] and not one["problem"]]
    different = len({one["digest"] for one in good})
    enough = different > 1 or (len(pictures) == 1 and different == 1)
    odd = next((f"{one['file']}: {one['problem'] or 'blank'}" for one in pictures if one not in good), "")
    actual = f"{len(pictures)} pictures, {different} different" if pictures else "none"
    return outcome(name, enough, expected, f"{actual}; {odd}" if odd else actual)
