"""What a class report comes down to: outcomes per item, what went wrong most often, and one line on each student."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from graders.model import Assignment, ClassReport, CriterionResult, ItemResult, Json, Report, Submission, Tier, Verdict
from graders.reports.words import LOOKS, count, line, listing, points

_REASONS = {
    Tier.BEHAVIOUR: "not part of this run",
    Tier.RECORD: "graded by the record tier, which reads the outputs that are saved in the notebook",
    Tier.EXECUTE: "graded by the execute tier, which runs the whole notebook",
    Tier.METRIC: "graded by the metric tier, which scores the trained model",
    Tier.MANUAL: "read by a person",
}


_KINDS = {"question": "written report"}


@dataclass(frozen=True)
class ItemSummary:
    """The outcomes of one item: how often each verdict fell, and the mean share of its points."""

    id: str
    title: str
    possible: float
    verdicts: Mapping[Verdict, int]
    mean_share: float | None
    reason: str

    @property
    def judged(self) -> bool:
        """Whether this run was there to judge the item."""
        return any(number for verdict, number in self.verdicts.items() if verdict is not Verdict.MANUAL)


@dataclass(frozen=True)
class Loss:
    """A criterion that students failed: how many of them, and the points that it cost them together."""

    item: str
    criterion: str
    students: int
    points: float
    hint: str


@dataclass(frozen=True)
class Share:
    """What one kind of items is worth in the handout, how much of that was judged, and how much of it earned.

    `kind` is in the words of the reports.
    """

    kind: str
    whole: float
    judged: float
    earned: float


def shares(report: Report) -> tuple[Share, ...]:
    """Return the points of a report by kind of item, as the handout's table of marks has them."""
    items = report.assignment.items
    kinds = dict.fromkeys(item.kind for item in items if item.points)
    counted = {result.id: result for result in report.items if result.counts}
    return tuple(
        Share(
            _KINDS.get(kind, kind),
            sum(item.points for item in items if item.kind == kind),
            sum(counted[item.id].possible for item in items if item.kind == kind and item.id in counted),
            sum(counted[item.id].points for item in items if item.kind == kind and item.id in counted),
        )
        for kind in kinds
    )


def lateness(report: Report) -> str:
    """Return what lateness costs in words, "" for a submission in time or without a known time."""
    if report.late_minutes is None:
        return "The LMS says that it came late; how late is not known." if report.submission.late else ""
    if not report.late_minutes:
        return ""
    policy = report.assignment.late
    started = policy.started(report.late_minutes)
    most = "" if policy.most is None or started <= policy.most else f", of which {policy.most} count"
    taken = f"{points(report.deduction)} points are taken; {points(report.total)} remain."
    return f"{count(started, f'started {policy.unit}')} late{most}: {taken}"


@dataclass(frozen=True)
class EqualCode:
    """Students whose code for some items is equal but for comments and white space."""

    items: tuple[str, ...]
    students: tuple[Submission, ...]


def equal_code(class_report: ClassReport) -> tuple[EqualCode, ...]:
    """Return who shares code with whom, most items first. It says what is equal, not why."""
    by_code: dict[tuple[str, str], list[Submission]] = {}
    for report in class_report.reports:
        for item, code in report.code.items():
            by_code.setdefault((item, code), []).append(report.submission)
    shared: dict[tuple[str, ...], tuple[list[str], list[Submission]]] = {}
    for (item, _), students in by_code.items():
        if len(students) > 1:
            shared.setdefault(tuple(one.id for one in students), ([], students))[0].append(item)
    found = [EqualCode(tuple(items), tuple(students)) for items, students in shared.values()]
    return tuple(sorted(found, key=lambda group: (-len(group.items), len(group.students))))


def item_summaries(class_report: ClassReport) -> tuple[ItemSummary, ...]:
    """Return the outcomes of every item of the run, in the order of the handout."""
    assignment = class_report.assignment
    seen: dict[str, list[ItemResult]] = {item.id: [] for item in assignment.items}
    for report in class_report.reports:
        for result in report.items:
            seen.setdefault(result.id, []).append(result)
    asked = {item_id: results for item_id, results in seen.items() if results or not class_report.reports}
    return tuple(_summary(assignment, item_id, results) for item_id, results in asked.items())


def _summary(assignment: Assignment, item_id: str, results: list[ItemResult]) -> ItemSummary:
    counts = Counter(result.verdict for result in results)
    shares = [result.points / result.possible for result in results if result.counts and result.possible]
    first = results[0] if results else assignment.item(item_id)
    return ItemSummary(
        id=item_id,
        title=first.title,
        possible=first.possible if isinstance(first, ItemResult) else first.points,
        verdicts={verdict: counts[verdict] for verdict in Verdict},
        mean_share=statistics.fmean(shares) if shares else None,
        reason=waiting_reason(assignment, item_id, results),
    )


def waiting_reason(assignment: Assignment, item_id: str, results: Iterable[ItemResult]) -> str:
    """Return why an item waits: what its results say, where they all say the same, else what the rubric says."""
    notes = list({result.note for result in results if result.verdict is Verdict.MANUAL and result.note})
    item = next((item for item in assignment.items if item.id == item_id), None)
    return notes[0] if len(notes) == 1 else "" if item is None else item.note or _REASONS[item.tier]


def frequent_losses(class_report: ClassReport) -> tuple[Loss, ...]:
    """Return the failed criteria, most frequent first.

    Items that were not handed in or could not be reached fail every criterion; they would drown what is to be learnt.
    """
    failed: dict[tuple[str, str], list[CriterionResult]] = {}
    for item, criterion in _failed(class_report.reports):
        failed.setdefault((item.id, criterion.name), []).append(criterion)
    losses = [
        Loss(item, name, len(rows), sum(row.possible - row.points for row in rows), rows[0].hint)
        for (item, name), rows in failed.items()
    ]
    return tuple(sorted(losses, key=lambda loss: (-loss.students, -loss.points)))


def _failed(reports: Iterable[Report]) -> Iterator[tuple[ItemResult, CriterionResult]]:
    for report in reports:
        for item in report.items:
            if item.verdict in (Verdict.PARTIAL, Verdict.FAIL):
                yield from ((item, criterion) for criterion in item.criteria if not criterion.passed)


def main_loss(report: Report) -> str:
    """Return one line on what cost this student most, empty when nothing did."""
    counted = [item for item in report.items if item.counts]
    if report.submission.problems and not report.score:
        return line(report.submission.problems[0])
    if counted and all(item.verdict is Verdict.MISSING for item in counted):
        return "nothing handed in that could be judged"
    lost = [item for item in counted if item.possible > item.points]
    # What a blocked item waits for is the cause, even where it is worth less.
    lost = [item for item in lost if item.verdict is not Verdict.BLOCKED] or lost
    return _loss_line(max(lost, key=lambda item: item.possible - item.points)) if lost else ""


def _loss_line(item: ItemResult) -> str:
    failed = [criterion for criterion in item.criteria if not criterion.passed]
    # When nothing at all passed there is one cause (a crash, a time-out), and the note names it.
    if not failed or (item.note and len(failed) == len(item.criteria)):
        return line(f"{item.id}: {item.note or LOOKS[item.verdict].word}")
    # Nearly every mistake spoils values and gradients; what else it spoilt tells which mistake it was.
    telling = [criterion for criterion in failed if criterion.name not in ("values", "gradients")] or failed
    worst = max(telling, key=lambda criterion: criterion.possible - criterion.points)
    return line(f"{item.id} {worst.name}: {worst.actual or worst.hint}")


def follow_through_sentence(item: ItemResult, report: Report | None = None) -> str:
    """Return the sentence that explains a follow-through, naming what was replaced as far as the report knows."""
    if not item.follow_through:
        return ""
    broken = _broken_parts(item.id, report) if report else []
    if not broken:
        return "Judged on top of the reference's version of what it builds on, because your own is not right yet."
    verb = "is" if len(broken) == 1 else "are"
    return (
        f"Judged on top of the reference's {listing(broken)}, because your own {listing(broken)} {verb} not right yet."
    )


def _broken_parts(item_id: str, report: Report) -> list[str]:
    depends = next((item.depends for item in report.assignment.items if item.id == item_id), ())
    wrong = {item.id for item in report.items if item.verdict not in (Verdict.PASS, Verdict.MANUAL)}
    return [part for part in depends if part in wrong]


def coverage(assignment: Assignment, judged: float) -> str:
    """Return the sentence that says how much of the handout this run judged."""
    waiting = assignment.total - judged
    rest = f"; {points(waiting)} wait" if round(waiting, 2) > 0 else ""
    return f"{points(judged)} of the handout's {points(assignment.total)} points are judged by this run{rest}."


def tally(items: Iterable[ItemResult]) -> str:
    """Return how many items got which verdict, in words; items that wait are left out."""
    counts = Counter(item.verdict for item in items)
    parts = [(counts[verdict], LOOKS[verdict].word) for verdict in Verdict if verdict is not Verdict.MANUAL]
    said = [f"{count(number, 'item')} {word}" for number, word in parts if number]
    return f"{listing(said)}." if said else "No item was judged."


def isolation(provenance: Mapping[str, Json]) -> str:
    """Return the isolation level that a run says it had, empty when it says none."""
    level = provenance.get("isolation", "")
    return line(str(level.get("level", "") if isinstance(level, Mapping) else level))
