"""How good the graders are: each mutant must lose exactly its item for the stated reason, each variant keep all."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import tempfile
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graders.engine.local import Job
from graders.engine.opening import open_classroom
from graders.engine.plan import Plan
from graders.engine.run import grade_all
from graders.errors import Fault, UsageError
from graders.home import reference_path
from graders.judge import UNSEEN
from graders.model import Assignment, ItemResult, Mutant, Report, SourceFile, Submission, Tier, Variant, Verdict
from graders.rubric import judgeable

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class MutantResult:
    """What became of one mutant: the items that it lost marks on, and the criteria of its own item."""

    mutant: Mutant
    lost: tuple[str, ...]
    criteria: tuple[str, ...]

    @property
    def caught(self) -> bool:
        """Whether it lost exactly its own item, and there the criteria that it is about."""
        return set(self.lost) == {self.mutant.item, *self.mutant.also} and set(self.mutant.loses) <= set(self.criteria)

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "name": self.mutant.name,
            "item": self.mutant.item,
            "mistake": self.mutant.mistake,
            "intended": sorted([self.mutant.item, *self.mutant.also]),
            "lost": list(self.lost),
            "intended_criteria": list(self.mutant.loses),
            "lost_criteria": list(self.criteria),
            "caught": self.caught,
        }


@dataclass(frozen=True)
class VariantResult:
    """What became of one variant: the items that it lost marks on, and the first reasons."""

    variant: Variant
    lost: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether it kept full marks."""
        return not self.lost

    def document(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "name": self.variant.name,
            "item": self.variant.item,
            "why": self.variant.why,
            "lost": list(self.lost),
            "reasons": list(self.reasons),
            "kept": self.kept,
        }


@dataclass(frozen=True)
class Audit:
    """The results of all mutants and variants."""

    mutants: tuple[MutantResult, ...]
    variants: tuple[VariantResult, ...]
    faults: int
    provenance: Mapping[str, Any]

    @property
    def slips(self) -> int:
        """How many mutants were not caught for the stated reason and variants harmed; an empty audit is a slip."""
        wrong = sum(not one.caught for one in self.mutants) + sum(not one.kept for one in self.variants)
        return wrong or int(not self.mutants or not self.variants)

    def document(self) -> dict[str, Any]:
        """Return the audit as JSON values."""
        return {
            "schema": 1,
            "mutants": [one.document() for one in self.mutants],
            "variants": [one.document() for one in self.variants],
            "faults": self.faults,
            "provenance": dict(self.provenance),
        }


def audit_assignment(
    assignment: Assignment, items: Collection[str], jobs: int, isolation: str | None = None, seed: int | None = None
) -> Audit:
    """Grade the mutants and variants of these items as whole submissions, each on all items of its tier."""
    every = load_edits(assignment.slug).values()
    mutants = [edit for edit in every if isinstance(edit, Mutant) and edit.item in items]
    variants = [edit for edit in every if isinstance(edit, Variant) and edit.item in items]
    reports: dict[str, Report] = {}
    provenance: Mapping[str, Any] = {}
    for tier in (Tier.BEHAVIOUR, Tier.EXECUTE):
        edits = [one for one in every if one.item in items and tier in assignment.item(one.item).tiers]
        if edits:
            graded, provenance = _graded(assignment, tier, edits, jobs, isolation, seed)
            reports |= graded
    return Audit(
        tuple(_mutant_result(mutant, reports[mutant.name]) for mutant in mutants),
        tuple(_variant_result(variant, reports[variant.name]) for variant in variants),
        sum(item.verdict is Verdict.FAULT for report in reports.values() for item in report.items),
        provenance,
    )


def _graded(
    assignment: Assignment,
    tier: Tier,
    edits: Sequence[Mutant | Variant],
    jobs: int,
    isolation: str | None,
    seed: int | None,
) -> tuple[dict[str, Report], Mapping[str, Any]]:
    """Return the reports of edits of one tier by name, and the provenance."""
    text = reference_path(assignment.slug).read_text(encoding="utf-8")
    bonus = {item.id for item in assignment.items if item.kind == "bonus"}
    plan = Plan(assignment, judgeable(assignment, (tier,)), jobs, isolation, seed)
    with tempfile.TemporaryDirectory() as folder, open_classroom(plan, Path(folder) / "audit.sqlite") as classroom:
        work = []
        for edit in edits:
            edited = apply_edit(text, edit)
            short = tier is Tier.EXECUTE and edit.item not in bonus
            one = as_submission(edit.name, without_bonus(edited, bonus) if short else edited)
            work.append(Job(one.id, one.name, partial(_itself, one)))
        reports = grade_all(classroom, work, lambda _: None)
        return {report.submission.id: report for report in reports}, classroom.provenance


def without_bonus(text: str, bonus: Collection[str]) -> str:
    """Return a reference without its bonus, which comes last and takes most of the time of a run."""
    starts = [text.rindex(f"`[{item}]`") for item in bonus if f"`[{item}]`" in text]
    return text[: text.rindex("\n# %%", 0, min(starts)) + 1] if starts else text


def _edits(folder: Path, name: str, what: str) -> tuple[Any, ...]:
    """Return the edits of a file, then of those beside it, such as run_mutants.py for whole runs."""
    paths = [folder / name, *sorted(folder.glob(f"*_{name}"))]
    return tuple(edit for path in paths for edit in _load(path, what))


def _itself(submission: Submission) -> Submission:
    return submission


def _load(path: Path, name: str) -> tuple[Any, ...]:
    """Return the tuple of that name in a file of the reference, which is data: it imports our words and no more."""
    spec = importlib.util.spec_from_file_location(f"reference_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise UsageError(f"{path}: not there; the audit needs it")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return tuple(getattr(module, name))


def load_edits(slug: str) -> dict[str, Mutant | Variant]:
    """Return all mutants and variants of an assignment by name; raises Fault where a name stands twice."""
    folder = reference_path(slug).parent
    edits = (*_edits(folder, "mutants.py", "MUTANTS"), *_edits(folder, "variants.py", "VARIANTS"))
    names = Counter(edit.name for edit in edits)
    if twice := [one for one, times in names.items() if times > 1]:
        raise Fault(f"{slug}: {', '.join(twice)} stands twice among mutants and variants; one would hide the other")
    return {edit.name: edit for edit in edits}


def apply_edit(text: str, edit: Mutant | Variant) -> str:
    """Return the reference's text with the changes of an edit; raises Fault when one does not apply exactly once."""
    for old, new in edit.swaps:
        if text.count(old) != 1:
            raise Fault(f"{edit.name}: the text to swap stands {text.count(old)} times in the reference: {old!r}")
        text = text.replace(old, new)
    for name, definition in edit.replaces.items():
        text = _replace_definition(text, name, definition, edit.name)
    return text


def _replace_definition(text: str, name: str, definition: str, edit: str) -> str:
    for node in ast.parse(text).body:
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and node.name == name:
            lines = text.splitlines(keepends=True)
            return "".join([*lines[: node.lineno - 1], definition.strip("\n") + "\n", *lines[node.end_lineno :]])
    raise Fault(f"{edit}: the reference has no class or function {name}")


def as_submission(name: str, text: str) -> Submission:
    """Return a script as a submission of its own."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Submission(name, name, (SourceFile("solution.py", digest, len(text.encode()), text),))


def _lost(report: Report) -> tuple[str, ...]:
    """Return the items with a failed criterion, or left to a person since the run did not show enough.

    A shortened run has no bonus, and none is expected of it.
    """
    bonus = {item.id for item in report.assignment.items if item.kind == "bonus"}
    done = any(criterion.passed for item in report.items if item.id in bonus for criterion in item.criteria)
    judged = [item for item in report.items if done or item.id not in bonus]
    return tuple(item.id for item in judged if item.note.startswith(UNSEEN) or not _whole(item))


def _whole(item: ItemResult) -> bool:
    return all(criterion.passed for criterion in item.criteria)


def _mutant_result(mutant: Mutant, report: Report) -> MutantResult:
    own = next(item for item in report.items if item.id == mutant.item)
    return MutantResult(mutant, _lost(report), tuple(c.name for c in own.criteria if not c.passed))


def _variant_result(variant: Variant, report: Report) -> VariantResult:
    names = _lost(report)
    lost = [item for item in report.items if item.id in names]
    reasons = [f"{item.id}: {item.note}" for item in lost if item.note.startswith(UNSEEN)]
    reasons += [
        f"{item.id} {criterion.name}: expected {criterion.expected}; found {criterion.actual}"
        for item in lost
        for criterion in item.criteria
        if not criterion.passed
    ]
    return VariantResult(variant, names, tuple(reasons[:3]))


def print_audit(audit: Audit, console: Console) -> None:
    """Print what slipped, then the counts by item."""
    from rich.table import Table

    for mutant in audit.mutants:
        if not mutant.caught:
            found = f"lost {', '.join(mutant.lost) or 'nothing'} ({', '.join(mutant.criteria) or 'no criterion'})"
            wanted = f"{mutant.mutant.item} ({', '.join(mutant.mutant.loses)})"
            console.print(f"mutant {mutant.mutant.name}: {found}, intended {wanted}", style="red", markup=False)
    for variant in audit.variants:
        if not variant.kept:
            console.print(
                f"variant {variant.variant.name}: lost {'; '.join(variant.reasons)}", style="red", markup=False
            )
    table = Table("item", "mutants", "caught", "variants", "kept")
    items = sorted({one.mutant.item for one in audit.mutants} | {one.variant.item for one in audit.variants})
    for item in items:
        mutants = [one.caught for one in audit.mutants if one.mutant.item == item]
        variants = [one.kept for one in audit.variants if one.variant.item == item]
        table.add_row(item, *(str(n) for n in (len(mutants), sum(mutants), len(variants), sum(variants))))
    console.print(table)
    if audit.faults:
        console.print(f"{audit.faults} items could not be judged by our own fault", style="red")
