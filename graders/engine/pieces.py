"""Where the desk gets its evidence: from slices of the student's code, or from what an earlier run recorded of them.

Both have the same face. What the first one hands out it records, so that the second can hand out the same again.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Protocol

from graders.engine.evidence import Laboratory
from graders.engine.setting import hashed, package_digest
from graders.engine.studio import Wanted
from graders.home import home
from graders.model import Assignment, Evidence, Failure, Item, Json, Slice, SourceFile, Submission, Tier
from graders.notebook import Program, cut_slice, normalised
from graders.probes.wire import Order
from graders.store import Store
from graders.store.records import write_submission


class NotMeasured(Exception):  # noqa: N818 - nothing went wrong: a new rubric asks for what an old run had no need of
    """The evidence was never measured; only a run can tell."""


class Pieces(Protocol):
    """What can be had of one submission."""

    @property
    def notes(self) -> Sequence[str]:
        """Lines for the report."""
        ...

    def missing(self, item: Item) -> str:
        """Return why there is nothing to judge, "" when there is something."""
        ...

    def found(self, item: Item) -> Mapping[str, str]:
        """Return the names that the student gave to the item and to what it builds on, by item."""
        ...

    def own(self, item: Item) -> Evidence:
        """Return the evidence of the student's own code."""
        ...

    def whole(self, item: Item, tier: Tier) -> Evidence:
        """Return the evidence of the whole notebook, saved or run, from which a tier judges an item."""
        ...

    def through(self, item: Item, replaced: Sequence[str]) -> Evidence:
        """Return the evidence of an item on top of the reference's versions of what it builds on."""
        ...


@dataclass(frozen=True)
class Workshop:
    """What all submissions of one run are measured with: the reference, the seed, real images, the laboratory.

    `handed_out` are the texts of the files that students are not to change, by name; `train` measures trained models.
    """

    assignment: Assignment
    reference: Program
    laboratory: Laboratory
    seed: int
    reference_file: SourceFile
    perform: Callable[[SourceFile], tuple[Evidence, str]]
    handed_out: Mapping[str, str]
    pictures: tuple[bytes, ...] = ()
    train: Callable[[Wanted, Item], tuple[Evidence, str, tuple[str, ...]]] | None = None

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The names that each coding item may go by."""
        return {item.id: item.names for item in self.assignment.items if item.names}

    def measure(self, item: Item, piece: Slice, **more: Any) -> tuple[Evidence, str]:
        """Return the evidence of one item, and the key under which it is kept."""
        order = Order(self.assignment.slug, item.id, self.seed, piece, pictures=self.pictures, **more)
        return self.laboratory.evidence(order)

    def measure_reference(self, item: Item) -> tuple[Evidence, str]:
        """Return the evidence of the reference solution: it takes the same way as a student's."""
        if Tier.EXECUTE in item.tiers:
            return self.perform(self.reference_file)
        return self.measure(item, cut_slice(self.reference, self.names, item.id))


def handed_out_files(assignment: Assignment) -> dict[str, str]:
    """Return the texts of the files that students were handed out and are not to change, as far as they are there."""
    folder = home() / "student_template" / assignment.slug
    paths = [folder / name for name in assignment.unchanged]
    return {path.name: path.read_text(encoding="utf-8") for path in paths if path.is_file()}


def _besides(item: Item, tier: Tier) -> tuple[str, ...]:
    """Return what evidence of a tier is recorded under: that of an item's first one has no name."""
    return () if tier is item.tier else (tier.value,)


@dataclass
class Sliced:
    """Cuts slices from a program and measures them; `record` is what `Recorded` needs."""

    workshop: Workshop
    submission: Submission
    program: Program
    notes: list[str] = field(default_factory=list)
    record: dict[str, dict[str, Json]] = field(default_factory=dict)
    cut: dict[str, Slice] = field(default_factory=dict)
    weights: Callable[[Sequence[str]], Mapping[str, bytes]] = lambda _: {}
    _wholes: dict[Tier, tuple[Evidence, str]] = field(default_factory=dict)

    def missing(self, item: Item) -> str:
        """Cut the item's slice and return why there is nothing to judge."""
        piece = self.cut[item.id] = cut_slice(self.program, self.workshop.names, item.id)
        self.notes += piece.notes
        reason = ""
        if item.id not in piece.found:
            unread = f" ({'; '.join(self.program.notes)})" if self.program.notes else ""
            reason = f"no {item.names[0]} was found in the code that was handed in{unread}"
        self.record[item.id] = {"missing": reason, "found": dict(piece.found), "evidence": {}, "faults": {}}
        return reason

    def found(self, item: Item) -> Mapping[str, str]:
        """Return the names that the student gave."""
        return self.cut[item.id].found

    def code(self, item_id: str) -> str:
        """Return a hash that is equal for equal code of an item, whatever its comments."""
        return hashlib.sha256(normalised(self.cut[item_id]).encode(errors="replace")).hexdigest()[:16]

    def own(self, item: Item) -> Evidence:
        """Measure the student's own code."""
        piece = self.cut[item.id]
        return self._noted(item, (), self.workshop.measure(item, piece, given=self._given(piece)))

    def whole(self, item: Item, tier: Tier) -> Evidence:
        """Read what is saved in the notebook, or run it; each once for all items of the tier; or score its model."""
        makers: dict[Tier, Callable[[], tuple[Evidence, str]]]
        makers = {Tier.METRIC: partial(self._scored, item), Tier.EXECUTE: self.run, Tier.RECORD: self.saved}
        self.record.setdefault(item.id, {"missing": "", "found": {}, "evidence": {}, "faults": {}})
        return self._noted(item, _besides(item, tier), makers[tier]())

    def saved(self) -> tuple[Evidence, str]:
        """Return the evidence of what is saved in the notebook, and its key; it is read once."""
        if Tier.RECORD not in self._wholes:
            self._wholes[Tier.RECORD] = self._saved()
        return self._wholes[Tier.RECORD]

    def run(self) -> tuple[Evidence, str]:
        """Return the evidence of the notebook's run, and its key; it is run once."""
        if Tier.EXECUTE not in self._wholes:
            self._wholes[Tier.EXECUTE] = self._run()
        return self._wholes[Tier.EXECUTE]

    def _scored(self, item: Item) -> tuple[Evidence, str]:
        if self.workshop.train is None:
            return Evidence({}, fault="this run has no data to train on"), ""
        metrics = [one.metric for one in self.workshop.assignment.items if one.metric]
        models = {name for one in metrics for name in (one.model, one.encoder) if name}
        slices = {name: cut_slice(self.program, self.workshop.names, name) for name in sorted(models)}
        evidence, key, notes = self.workshop.train(Wanted(self.submission, self.program, slices, self.weights), item)
        self.notes += notes
        return evidence, key

    def _saved(self) -> tuple[Evidence, str]:
        from graders import record

        handed_out = dict(self.workshop.handed_out)
        evidence = record.read(self.submission, handed_out)
        document = json.dumps([write_submission(self.submission), handed_out, package_digest()], sort_keys=True)
        key = hashed(b"record", document.encode())
        self.workshop.laboratory.keep(key, evidence)
        return evidence, key

    def _run(self) -> tuple[Evidence, str]:
        file = next((file for file in self.submission.files if file.name == self.program.file), None)
        if file is None:
            nothing = Evidence({}, Failure("missing", "no notebook to run was handed in"))
            self.workshop.laboratory.keep("nothing to run", nothing)
            return nothing, "nothing to run"
        return self.workshop.perform(file)

    @property
    def wholes(self) -> dict[str, str]:
        """The keys of the evidence of whole notebooks by tier."""
        return {tier.value: key for tier, (_, key) in self._wholes.items()}

    def through(self, item: Item, replaced: Sequence[str]) -> Evidence:
        """Measure the student's code on top of the reference's versions of the `replaced` items."""
        names, reference = self.workshop.names, self.workshop.reference
        piece = cut_slice(self.program, names, item.id, provided=replaced)
        theirs = cut_slice(reference, names, replaced)
        found = dict(piece.found)
        for needed in replaced:
            missing = [name for name in names[needed] if name in piece.undefined]
            found.setdefault(needed, missing[0] if missing else theirs.found[needed])
        measured = self.workshop.measure(
            item,
            replace(piece, found=found),
            given=self._given(piece),
            provided_slice=theirs,
            provided={needed: theirs.found[needed] for needed in replaced},
        )
        return self._noted(item, replaced, measured)

    def _noted(self, item: Item, replaced: Sequence[str], measured: tuple[Evidence, str]) -> Evidence:
        evidence, key = measured
        place = "faults" if evidence.fault else "evidence"
        self.record[item.id][place][" ".join(replaced)] = evidence.fault or key
        return evidence

    def _given(self, piece: Slice) -> Slice | None:
        """Return the skeleton's functions that the student's code uses but does not define."""
        lacking = [name for name in self.workshop.assignment.given if name in piece.undefined]
        if not lacking:
            return None
        return cut_slice(self.workshop.reference, {name: (name,) for name in lacking}, lacking)


@dataclass(frozen=True)
class Recorded:
    """Hands out what an earlier run recorded; nothing is cut and nothing runs."""

    store: Store
    record: Mapping[str, Mapping[str, Json]]
    notes: Sequence[str] = ()

    def _of(self, item: Item) -> Mapping[str, Json]:
        if item.id not in self.record:
            raise NotMeasured(f"{item.id} was not part of the run; run `graders grade` again")
        return self.record[item.id]

    def missing(self, item: Item) -> str:
        """Return why there was nothing to judge."""
        return str(self._of(item)["missing"])

    def found(self, item: Item) -> Mapping[str, str]:
        """Return the names that the student gave."""
        names: Mapping[str, str] = self._of(item)["found"]
        return names

    def own(self, item: Item) -> Evidence:
        """Return the recorded evidence of the student's own code."""
        return self._recorded(item, ())

    def whole(self, item: Item, tier: Tier) -> Evidence:
        """Return the recorded evidence of the whole notebook."""
        return self._recorded(item, _besides(item, tier))

    def through(self, item: Item, replaced: Sequence[str]) -> Evidence:
        """Return the recorded evidence on top of the reference's versions of the `replaced` items."""
        return self._recorded(item, replaced)

    def _recorded(self, item: Item, replaced: Sequence[str]) -> Evidence:
        """Return recorded evidence; raises NotMeasured where the rubric now asks for what the run had no need of."""
        of = self._of(item)
        what = " ".join(replaced)
        if what in of["faults"]:
            return Evidence({}, fault=of["faults"][what])
        found = self.store.evidence(of["evidence"].get(what, ""))
        if found is None:
            raise NotMeasured(f"{item.id} was not measured as the rubric now asks for; run `graders grade` again")
        return found
