"""One submission from its evidence to its report: judge, follow through, list what waits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from graders import judge
from graders.assignments import Registry
from graders.engine.evidence import killed
from graders.engine.pieces import NotMeasured, Pieces, handed_out_files
from graders.late import minutes_late
from graders.model import Assignment, Evidence, Failure, Item, ItemResult, Json, Report, Submission, Tier, Verdict
from graders.notebook import Program, read_program, with_given


@dataclass(frozen=True)
class Bench:
    """What all reports of one run are judged with: the rubric, the graders, the reference's evidence."""

    assignment: Assignment
    items: tuple[Item, ...]
    graders: Registry
    reference_evidence: Callable[[Item], Evidence]
    provenance: Mapping[str, Json]

    def report(self, submission: Submission, pieces: Pieces) -> Report:
        """Return the report of one submission: the items of the run judged, all others listed as waiting."""
        desk = _Desk(self, pieces)
        results = {item.id: desk.result(item) for item in self.items}
        return Report(
            submission,
            self.assignment,
            tuple(self._listed(results)),
            self.provenance,
            tuple(dict.fromkeys(pieces.notes)),
            late_minutes=minutes_late(submission.submitted, self.assignment.late.due),
        )

    def fault_report(self, submission: Submission, reason: str) -> Report:
        """Return the report of a submission that we failed to grade at all."""
        results = {item.id: judge.fault(item, reason) for item in self.items}
        return Report(submission, self.assignment, tuple(self._listed(results)), self.provenance)

    def _listed(self, results: Mapping[str, ItemResult]) -> list[ItemResult]:
        return [
            results.get(item.id) or self._waiting(item, results)
            for item in self.assignment.items
            if item.id in results or item.tier is not Tier.BEHAVIOUR
        ]

    def _waiting(self, item: Item, results: Mapping[str, ItemResult]) -> ItemResult:
        """Return an item as waiting; that of a metric with what the submission claims, and what of its code is wrong.

        A handout may give nothing for the score of a network that is not built as it asks for: a person decides.
        """
        waiting = judge.waiting(item)
        if item.tier is not Tier.METRIC:
            return waiting
        tiers = {one: self.assignment.item(one).tier for one in item.depends if one in results}
        claims = [c for one, tier in tiers.items() if tier is Tier.RECORD for c in results[one].criteria if c.passed]
        wrong = [
            one for one, tier in tiers.items() if tier is not Tier.RECORD and results[one].verdict is not Verdict.PASS
        ]
        claimed = [f"claimed: {', '.join(f'{one.name} {one.actual}' for one in claims)}"] if claims else []
        not_right = [f"not right: {', '.join(wrong)}"] if wrong else []
        return replace(waiting, note="; ".join([waiting.note, *claimed, *not_right]))


def read(assignment: Assignment, submission: Submission) -> tuple[Submission, Program]:
    """Return a submission with all that is wrong with its code, and the code."""
    wanted = {name for item in assignment.items for name in item.names}
    program = read_program(submission, wanted, assignment.files.values())
    program = with_given(program, handed_out_files(assignment))
    return replace(submission, problems=(*submission.problems, *program.notes)), program


@dataclass
class _Desk:
    """The state of one submission while it is graded: results by item, each made once and when it is asked for."""

    bench: Bench
    pieces: Pieces
    results: dict[str, ItemResult] = field(default_factory=dict)
    hung: set[str] = field(default_factory=set)

    def result(self, item: Item) -> ItemResult:
        """Return the result of an item; what it builds on is judged first."""
        if item.id not in self.results:
            for needed in item.depends if item.tier is Tier.BEHAVIOUR else ():
                self.result(self.bench.assignment.item(needed))
            try:
                self.results[item.id] = self._grade(item)
            except NotMeasured as reason:
                self.results[item.id] = judge.fault(item, str(reason))
        return self.results[item.id]

    def _grade(self, item: Item) -> ItemResult:
        if item.tier is not Tier.BEHAVIOUR:
            return self._judge(item, self.pieces.whole(item))
        if reason := self.pieces.missing(item):
            return judge.missing(item, reason)
        broken = [needed for needed in item.depends if self.results[needed].verdict is not Verdict.PASS]
        own = self._judge(item, self._own_evidence(item, broken))
        if own.verdict is Verdict.PASS or not broken:
            return own
        replaceable = self._replaceable(item, broken)
        if not replaceable or item.follow_through == 0:
            unearned = own.points == 0 and own.verdict is Verdict.FAIL
            return judge.blocked(own, broken) if unearned else own
        through = self._judge(item, self.pieces.through(item, replaceable), follow_through=True)
        return judge.followed(own, through)

    def _own_evidence(self, item: Item, broken: Sequence[str]) -> Evidence:
        """Return the evidence of the student's own code; it is not run when what it builds on is known to hang."""
        hanging = sorted(self.hung & set(broken))
        if hanging:
            return Evidence({}, Failure("timeout", f"{' and '.join(hanging)}, on which it builds, does not end"))
        evidence = self.pieces.own(item)
        if killed(evidence):
            self.hung.add(item.id)
        return evidence

    def _judge(self, item: Item, mine: Evidence, follow_through: bool = False) -> ItemResult:
        grader = self.bench.graders[item.id]
        theirs = None if item.tier is Tier.RECORD else self.bench.reference_evidence(item)
        return judge.judge_item(item, grader, mine, theirs, follow_through)

    def _replaceable(self, item: Item, broken: Sequence[str]) -> list[str]:
        """Return which of the broken items can be replaced: not those that share their class with this one."""
        found = self.pieces.found(item)
        return [needed for needed in broken if found.get(needed) != found[item.id]]
