"""The words of the project as frozen dataclasses: what is asked, what was handed in, what was seen, what it is worth.

This module knows the standard library only. Arrays are passed through it, never looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# What JSON can carry. Evidence and reports hold nothing else besides arrays.
Json = Any


class Verdict(StrEnum):
    """What became of one item."""

    PASS = "PASS"  # every criterion met
    PARTIAL = "PARTIAL"  # some criteria met
    FAIL = "FAIL"  # no criterion met
    BLOCKED = "BLOCKED"  # it cannot be judged because an item that it builds on is broken
    MISSING = "MISSING"  # nothing handed in, or still as handed out
    FAULT = "FAULT"  # our own fault; never the student's loss
    MANUAL = "MANUAL"  # waits for a person or for another tier


class Tier(StrEnum):
    """Which kind of run can judge an item."""

    BEHAVIOUR = "behaviour"
    RECORD = "record"
    EXECUTE = "execute"
    METRIC = "metric"
    MANUAL = "manual"


# What is asked --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Criterion:
    """A named part of an item with its share of the item's points; `hint` is what the student reads when it fails."""

    name: str
    points: float
    hint: str


@dataclass(frozen=True)
class Metric:
    """How a trained model is scored: `score` names the measure, `model` the item whose class the model is of.

    `full` earns all points and `none` no point, in the unit of the measure; between them points grow evenly. Both are
    None where the score is told and earns nothing. `tolerance` is what another machine or seed may change: it is given
    to the student. `claim` and `requires` name criteria of items, as `claim.vae`: the one that tells the figure that
    the student claims, and those without which the handout does not evaluate the score. `settings` are constants at
    the top level of the script that this training needs. `encoder` is the item whose model makes what `model` takes,
    "" for none; `script` is the training that was handed out, which imports what is handed in, "" for the student's.
    Where networks of one class are trained in several ways, `training` says which is meant, `plain` or `sampling`
    (images are sampled from the network before each step), and `files` are words in the names of its weights' files.
    """

    score: str
    model: str
    full: float | None = None
    none: float | None = None
    tolerance: float = 0.0
    claim: str = ""
    requires: tuple[str, ...] = ()
    settings: Mapping[str, Json] = field(default_factory=dict, hash=False)
    encoder: str = ""
    script: str = ""
    training: str = ""
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """One thing that the handout gives marks for.

    `names` are the names that the code may go by, the handout's own first; `follow_through` is the share of the points
    that is earned when the item only works on top of the reference's versions of what it depends on. `self_check` is
    whether the kit holds what students need to check it themselves. `executed` is whether a run of the whole notebook
    can show an item of the record tier too.
    """

    id: str
    title: str
    points: float
    kind: str  # code, question, prediction or bonus
    tier: Tier
    section: str
    names: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()
    follow_through: float = 1.0
    note: str = ""
    self_check: bool = True
    metric: Metric | None = None
    executed: bool = False

    @property
    def tiers(self) -> tuple[Tier, ...]:
        """The kinds of run that can judge it; what either shows counts."""
        return (self.tier, Tier.EXECUTE) if self.executed else (self.tier,)


@dataclass(frozen=True)
class Decision:
    """How an ambiguity of the handout is read, once for the whole class."""

    item: str
    text: str


@dataclass(frozen=True)
class LatePolicy:
    """Points taken for every started minute or hour after the deadline, for at most so many of them."""

    points: float
    due: str
    unit: str = "minute"  # or hour
    most: int | None = None

    def started(self, minutes: int) -> int:
        """Return how many units have started after so many started minutes.

        >>> LatePolicy(1, "", "hour").started(61)
        2
        """
        return -(-minutes // 60) if self.unit == "hour" else minutes

    def deduction(self, minutes: int) -> float:
        """Return the points that are taken after so many started minutes."""
        started = self.started(minutes)
        return self.points * (started if self.most is None else min(started, self.most))


@dataclass(frozen=True)
class Assignment:
    """One handout: its items with their points, file names, late policy and decisions."""

    slug: str
    title: str
    handout: str
    framework: str
    total: float
    items: tuple[Item, ...]
    decisions: tuple[Decision, ...]
    files: Mapping[str, str]
    late: LatePolicy
    given: tuple[str, ...]  # functions that the skeleton hands out
    digest: str
    unchanged: tuple[str, ...] = ()  # names of files that are handed out and that students are not to change
    others: tuple[str, ...] = ()  # words in names of files that belong to another assignment handed in with this one

    def item(self, item_id: str) -> Item:
        """Return the item of that id; raises KeyError when there is none."""
        for item in self.items:
            if item.id == item_id:
                return item
        raise KeyError(item_id)


# What was handed in ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SourceFile:
    """A file of a submission: its name in it, the SHA-256 of its bytes, and its text.

    Of a picture that a training made the text is base64; it is None for what holds neither code nor results.
    """

    name: str
    sha256: str
    size: int
    text: str | None = None


@dataclass(frozen=True)
class Submission:
    """What one student handed in. `problems` are the lines that tell what of it could not be read.

    `late` and `submitted`, a time as ISO 8601, are what the LMS says; False and "" where it does not.
    """

    id: str
    name: str
    files: tuple[SourceFile, ...] = ()
    problems: tuple[str, ...] = ()
    late: bool = False
    submitted: str = ""


@dataclass(frozen=True)
class Statement:
    """A top-level statement: `place` is where the student finds it ("cell 4", "helpers.py"), `line` its line there."""

    place: str
    line: int
    source: str


@dataclass(frozen=True)
class Slice:
    """The statements that an item needs, in the order to run them, and the student's own modules that they import.

    `found` maps the names of items to the names that the student gave them, `parameters` the latter to the parameter
    names of their constructors, `undefined` are names that the statements need and that nothing of them binds, `notes`
    are lines for the report.
    """

    statements: tuple[Statement, ...]
    modules: Mapping[str, tuple[Statement, ...]] = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    undefined: tuple[str, ...] = ()


# What was seen --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Failure:
    """An exception or a limit. `kind` is the exception's type, or one of: timeout, memory, killed, exit."""

    kind: str
    message: str
    where: str = ""

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        return f"{self.kind}: {self.message}{place}" if self.message else f"{self.kind}{place}"


@dataclass(frozen=True)
class Experiment:
    """What one experiment of a probe returned: named JSON values and named arrays, or a failure."""

    values: Mapping[str, Json] = field(default_factory=dict)
    arrays: Mapping[str, Any] = field(default_factory=dict)
    failure: Failure | None = None


@dataclass(frozen=True)
class Evidence:
    """All that is known of one item of one submission after its probe ran.

    `failure` is set when the run ended before the probe did; `fault` when that was our own doing.
    """

    experiments: Mapping[str, Experiment]
    failure: Failure | None = None
    fault: str = ""
    output: str = ""
    seconds: float = 0.0


# What it is worth -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Outcome:
    """What a judge says of one criterion."""

    name: str
    passed: bool
    expected: str
    actual: str


@dataclass(frozen=True)
class CriterionResult:
    """An outcome with its points and the hint that the student reads."""

    name: str
    passed: bool
    points: float
    possible: float
    expected: str
    actual: str
    hint: str


@dataclass(frozen=True)
class ItemResult:
    """The verdict on one item. `note` says in one line what the verdict alone does not."""

    id: str
    title: str
    verdict: Verdict
    points: float
    possible: float
    criteria: tuple[CriterionResult, ...] = ()
    follow_through: bool = False
    seconds: float = 0.0
    note: str = ""
    output: str = ""

    @property
    def counts(self) -> bool:
        """Whether the item's points are part of the score of this run."""
        return self.verdict not in (Verdict.MANUAL, Verdict.FAULT)


@dataclass(frozen=True)
class Report:
    """Verdicts, points and provenance of one submission.

    `code` maps items to a hash of the code that they were judged on, equal for code that differs in comments only.
    `suspicions` are lines on constructs that no solution needs, for the instructor's eyes. `late_minutes` are the
    started minutes after the deadline, None where no time is known.
    """

    submission: Submission
    assignment: Assignment
    items: tuple[ItemResult, ...]
    provenance: Mapping[str, Json]
    notes: tuple[str, ...] = ()
    code: Mapping[str, str] = field(default_factory=dict)
    suspicions: tuple[str, ...] = ()
    late_minutes: int | None = None

    @property
    def deduction(self) -> float:
        """The points that are taken for lateness; 0 where no time is known."""
        return self.assignment.late.deduction(self.late_minutes or 0)

    @property
    def total(self) -> float:
        """The points of this run less those for lateness: never below zero, never above the handout's total."""
        return max(0.0, min(self.score, self.assignment.total) - self.deduction)

    @property
    def score(self) -> float:
        """The points earned on the items that this run judged."""
        return sum(item.points for item in self.items if item.counts)

    @property
    def possible(self) -> float:
        """The points that could be earned on the items that this run judged."""
        return sum(item.possible for item in self.items if item.counts)


@dataclass(frozen=True)
class ClassReport:
    """The reports of all submissions of one run."""

    assignment: Assignment
    reports: tuple[Report, ...]
    provenance: Mapping[str, Json]
    seconds: float

    @property
    def faults(self) -> int:
        """How many items could not be judged by our own fault."""
        return sum(item.verdict is Verdict.FAULT for report in self.reports for item in report.items)


# How good the graders are ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutant:
    """A wrong version of one item: the reference with some texts swapped or some definitions replaced.

    `swaps` are pairs of an old text, which stands in the reference exactly once, and its new text; `replaces` maps the
    name of a class or function to its new definition. `loses` are the criteria of `item` that must be lost, `also`
    other items that share its class and cannot be judged apart from the mistake.
    """

    name: str
    item: str
    mistake: str
    loses: tuple[str, ...]
    swaps: tuple[tuple[str, str], ...] = ()
    replaces: Mapping[str, str] = field(default_factory=dict)
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Variant:
    """A right version of one item, written differently; it must keep full marks. `why` says what is fair about it."""

    name: str
    item: str
    why: str
    swaps: tuple[tuple[str, str], ...] = ()
    replaces: Mapping[str, str] = field(default_factory=dict)
