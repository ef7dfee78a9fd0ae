"""One submission from its files to its report: read, slice, probe, judge, follow through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from graders import judge
from graders.assignments import Registry
from graders.engine.evidence import Laboratory, killed
from graders.errors import Fault
from graders.model import (
    Assignment,
    Evidence,
    Failure,
    Item,
    ItemResult,
    Report,
    Slice,
    SourceFile,
    Submission,
    Tier,
    Verdict,
)
from graders.notebook import Program, cut_slice, read_program
from graders.probes.wire import Order


@dataclass(frozen=True)
class Classroom:
    """What all submissions of one run share: the assignment, its graders, the reference, the seed, the laboratory."""

    assignment: Assignment
    graders: Registry
    reference: Program
    laboratory: Laboratory
    seed: int
    provenance: Mapping[str, Any]
    pictures: tuple[bytes, ...] = ()

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The names that each coding item may go by."""
        return {item.id: item.names for item in self.assignment.items if item.names}

    def order(self, item: Item, piece: Slice, **more: Any) -> Order:
        """Return the work order for one item."""
        return Order(self.assignment.slug, item.id, self.seed, piece, pictures=self.pictures, **more)

    def reference_evidence(self, item: Item) -> Evidence:
        """Return the evidence of the reference solution: it takes the same way as a student's."""
        return self.laboratory.evidence(self.order(item, cut_slice(self.reference, self.names, item.id)))


def read_reference(name: str, text: str) -> Program:
    """Return the program of a reference solution; raises Fault when it does not parse."""
    program = read_program(Submission("reference", "reference", (SourceFile(name, "", len(text), text),)))
    if not program.main or program.notes:
        raise Fault(f"{name}: the reference solution cannot be read: {' '.join(program.notes)}")
    return program


def grade_submission(classroom: Classroom, submission: Submission, items: Sequence[Item]) -> Report:
    """Return the report of one submission: the given items judged, all others listed as waiting."""
    wanted = {name for names in classroom.names.values() for name in names}
    program = read_program(submission, wanted)
    desk = _Desk(classroom, program)
    results = {item.id: desk.result(item) for item in items}
    listed = [
        results.get(item.id) or judge.waiting(item)
        for item in classroom.assignment.items
        if item.id in results or item.tier is not Tier.BEHAVIOUR
    ]
    read = replace(submission, problems=(*submission.problems, *program.notes))
    return Report(read, classroom.assignment, tuple(listed), classroom.provenance, tuple(dict.fromkeys(desk.notes)))


@dataclass
class _Desk:
    """The state of one submission while it is graded: results by item, each made once and when it is asked for."""

    classroom: Classroom
    program: Program
    results: dict[str, ItemResult] = field(default_factory=dict)
    hung: set[str] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)

    def result(self, item: Item) -> ItemResult:
        """Return the result of an item; what it builds on is judged first."""
        if item.id not in self.results:
            for needed in item.depends:
                self.result(self.classroom.assignment.item(needed))
            self.results[item.id] = self._grade(item)
        return self.results[item.id]

    def _grade(self, item: Item) -> ItemResult:
        piece = cut_slice(self.program, self.classroom.names, item.id)
        self.notes += piece.notes
        if item.id not in piece.found:
            unread = f" ({'; '.join(self.program.notes)})" if self.program.notes else ""
            return judge.missing(item, f"no {item.names[0]} was found in the code that was handed in{unread}")
        broken = [needed for needed in item.depends if self.results[needed].verdict is not Verdict.PASS]
        own = self._judge(item, self._own_evidence(item, piece, broken))
        if own.verdict is Verdict.PASS or not broken:
            return own
        replaceable = self._replaceable(item, piece, broken)
        if not replaceable or item.follow_through == 0:
            unearned = own.points == 0 and own.verdict is Verdict.FAIL
            return judge.blocked(own, broken) if unearned else own
        through = self._judge(item, self._evidence(item, replaceable), follow_through=True)
        return judge.followed(own, through)

    def _own_evidence(self, item: Item, piece: Slice, broken: Sequence[str]) -> Evidence:
        """Return the evidence of the student's own code; it is not run when what it builds on is known to hang."""
        hanging = sorted(self.hung & set(broken))
        if hanging:
            return Evidence({}, Failure("timeout", f"{' and '.join(hanging)}, on which it builds, does not end"))
        evidence = self.classroom.laboratory.evidence(self._order(item, piece))
        if killed(evidence):
            self.hung.add(item.id)
        return evidence

    def _judge(self, item: Item, mine: Evidence, follow_through: bool = False) -> ItemResult:
        grader = self.classroom.graders[item.id]
        return judge.judge_item(item, grader, mine, self.classroom.reference_evidence(item), follow_through)

    def _replaceable(self, item: Item, piece: Slice, broken: Sequence[str]) -> list[str]:
        """Return which of the broken items can be replaced: not those that share their class with this one."""
        mine = piece.found[item.id]
        return [needed for needed in broken if piece.found.get(needed) != mine]

    def _order(self, item: Item, piece: Slice, **more: Any) -> Order:
        return self.classroom.order(item, piece, given=self._given(piece), **more)

    def _given(self, piece: Slice) -> Slice | None:
        """Return the skeleton's functions that the student's code uses but does not define."""
        lacking = [name for name in self.classroom.assignment.given if name in piece.undefined]
        if not lacking:
            return None
        return cut_slice(self.classroom.reference, {name: (name,) for name in lacking}, lacking)

    def _evidence(self, item: Item, replaced: Sequence[str]) -> Evidence:
        """Return the evidence of an item on top of the reference's versions of what it builds on."""
        names = self.classroom.names
        piece = cut_slice(self.program, names, item.id, provided=replaced)
        theirs = cut_slice(self.classroom.reference, names, replaced)
        found = dict(piece.found)
        for needed in replaced:
            missing = [name for name in names[needed] if name in piece.undefined]
            found.setdefault(needed, missing[0] if missing else theirs.found[needed])
        order = self._order(
            item,
            replace(piece, found=found),
            provided_slice=theirs,
            provided={needed: theirs.found[needed] for needed in replaced},
        )
        return self.classroom.laboratory.evidence(order)
