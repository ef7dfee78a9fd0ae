"""Handout D, question 3: what a run of the scripts left behind, read from the files that were handed in.

Nothing runs here and there is no reference to compare with: the evidence is what `graders.record.read` found. What was
not handed in waits for a person: the report may tell it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graders.assignments import Seen
from graders.assignments.saved_results import Entry, FromRecord, entries, written_up
from graders.checks import outcome
from graders.errors import Unseen
from graders.model import Outcome

TESTS = 4  # of the check script
LEAST_ROWS = 20  # of a loss file: iterations
_NONE: tuple[Entry | None, ...] = (None,)


def _changed(seen: Seen, script: str, states: Sequence[str]) -> list[str]:
    """Return which handed out files of a name are in one of these states, with the line."""
    return [
        f"{one['file']}, line {one['line']}: {'other values' if one['state'] == 'settings' else 'other code'}"
        for one in entries(seen, "files", "given")
        if script in str(one["file"]) and one["state"] in states
    ]


class CheckScript(FromRecord):
    """What the check script printed is there: four tests, OK (Section 3 (a))."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the best output; none is left to a person."""
        found = [one for one in entries(mine, "files", "tests") if one["ran"] == TESTS]
        if not found:
            return
        good = any(one["ok"] for one in found)
        changed = _changed(mine, "_models", ("settings", "changed"))
        actual = changed[0] if good and changed else f"{'OK' if good else 'FAILED'} in {found[-1]['place']}"
        yield outcome("tests", good and not changed, "OK for all tests of the script that was handed out", actual)


class Training(FromRecord):
    """loss.txt has finite losses that fall; sample and novel images show something; asgn6.py was not changed."""

    def judge(self, mine: Seen, theirs: Seen) -> Iterator[Outcome]:
        """Judge the best loss file and all pictures; nothing at all is left to a person."""
        losses, pictures = entries(mine, "files", "losses"), entries(mine, "files", "pictures")
        if not losses and not pictures:
            return
        judged = [list(_of_log(one)) for one in losses or _NONE]
        outcomes = max(judged, key=lambda found: sum(one.passed for one in found))
        by_kind = {kind: [one for one in pictures if one["kind"] == kind] for kind in ("sample", "novel")}
        outcomes += [_of_pictures("samples", by_kind["sample"]), _of_pictures("novel", by_kind["novel"])]
        changed = [*_changed(mine, "asgn6", ("changed",)), *_changed(mine, "_models", ("changed",))]
        outcomes.append(
            outcome("unchanged", not changed, "no changed code outside of models.py", (changed or ["none"])[0])
        )
        absent = [
            name
            for name, found in (
                ("loss.txt", losses),
                ("sample-*.png", by_kind["sample"]),
                ("novel-*.png", by_kind["novel"]),
            )
            if not found
        ]
        if absent and (where := written_up(mine)):
            seen = "; ".join(f"{one.name}: {one.actual}" for one in outcomes if one.passed)
            raise Unseen(f"no {' and no '.join(absent)} was handed in; {where}; seen: {seen or 'nothing right'}")
        yield from outcomes


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
