"""Opens a classroom: the reference, the seed, the store, and what children run in; closes everything at the end."""

from __future__ import annotations

import hashlib
import platform
import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from graders.assignments import Registry, load_graders
from graders.engine import setting
from graders.engine.classroom import Classroom
from graders.engine.evidence import Laboratory
from graders.engine.given import given
from graders.engine.pieces import Workshop, handed_out_files
from graders.engine.plan import Plan, runs
from graders.engine.rehearsals import rehearsal_of
from graders.engine.studio import Studio, cores, studio_nursery
from graders.engine.theatre import Theatre, run_nursery, run_seconds
from graders.errors import Fault, UsageError
from graders.home import reference_path
from graders.metrics.held import held
from graders.metrics.limits import SAMPLE
from graders.model import Json, SourceFile, Submission, Tier
from graders.notebook import Program, read_program, with_given
from graders.sandbox.levels import choose_level
from graders.sandbox.nursery import Nursery, nursery_of
from graders.store import Store

_OF_THE_GPU = 0.95  # of its memory, for all who train at the same time


@dataclass(frozen=True)
class _Basis:
    """What all parts of a classroom stand on."""

    plan: Plan
    graders: Registry
    store: Store
    nursery: Nursery
    seed: int
    laboratory: Laboratory
    reference: SourceFile
    handed_out: Mapping[str, str]


@contextmanager
def open_classroom(plan: Plan, store_path: Path, nursery: Nursery | None = None) -> Iterator[Classroom]:
    """Open the store, read the reference, draw or recall the seed; close everything at the end.

    The zygote starts when the first child is wanted: where nothing has changed, none is. A caller who knows that
    children will be wanted gives a nursery that he has started.
    """
    slug = plan.assignment.slug
    with closing(Store(store_path)) as store, nursery or nursery_of(slug, plan.limits, plan.device) as nursery:
        basis = _basis(plan, store, nursery)
        with _theatre(basis) as theatre, _studio(basis) as studio:
            workshop = _workshop(basis, theatre, studio)
            provenance = _provenance(basis, theatre, studio)
            nurseries = (nursery, theatre.nursery, *([studio.nursery] if studio else []))
            yield Classroom(store, workshop, nurseries, plan, basis.graders, provenance)


def _basis(plan: Plan, store: Store, nursery: Nursery) -> _Basis:
    seed = plan.seed if plan.seed is not None else int(store.setting("seed", secrets.randbelow(2**31)))
    graders = load_graders(plan.assignment)
    nursery.level = plan.isolation or choose_level()
    laboratory = Laboratory(nursery, store, setting.versions(plan.assignment.framework))
    handed_out = handed_out_files(plan.assignment)
    return _Basis(plan, graders, store, nursery, seed, laboratory, _reference(plan.assignment.slug), handed_out)


def _reference(slug: str) -> SourceFile:
    path = reference_path(slug)
    text = path.read_text(encoding="utf-8")
    return SourceFile(path.name, "", len(text), text)


@contextmanager
def _theatre(basis: _Basis) -> Iterator[Theatre]:
    """Yield what runs whole notebooks; where none is run it has no nursery of its own."""
    plan, nursery = basis.plan, basis.nursery
    slug, full = plan.assignment.slug, plan.full and runs(plan)
    seconds = run_seconds(slug, plan.run_limit, plan.full) if runs(plan) else 0.0
    data = given(plan.data, rehearsal_of(slug, full=True).weights, nursery.level) if full else None
    surroundings, findings = basis.laboratory.surroundings, basis.graders.findings
    stage = run_nursery(slug, nursery.level, nursery.devices, full, seconds) if runs(plan) else nullcontext(nursery)
    with stage as place:
        yield Theatre(slug, basis.store, place, basis.seed, surroundings, seconds, data, findings=findings)


@contextmanager
def _studio(basis: _Basis) -> Iterator[Studio | None]:
    """Yield what trains for a plan's metric items, None where it has none; raises UsageError where the data lack."""
    plan, nursery = basis.plan, basis.nursery
    if not any(item.tier is Tier.METRIC and item.metric for item in plan.items):
        yield None
        return
    if plan.data is None:
        raise UsageError("--tier metric needs --data FOLDER with the data set that is trained and scored on")
    threads = max(1, cores() // plan.jobs)
    with (
        held(plan.assignment.slug, plan.data, basis.seed, SAMPLE) as data,
        studio_nursery(plan.assignment.framework, nursery.level, nursery.devices, plan.budget, threads) as trainers,
    ):
        yield Studio(
            plan.assignment,
            basis.store,
            trainers,
            basis.seed,
            basis.laboratory.surroundings,
            data,
            device=plan.device,
            budget=plan.budget,
            share=_OF_THE_GPU / plan.jobs,
            threads=threads,
            handed_out=basis.handed_out,
            say=plan.say,
        )


def _workshop(basis: _Basis, theatre: Theatre, studio: Studio | None) -> Workshop:
    source = basis.reference
    return Workshop(
        basis.plan.assignment,
        with_given(read_reference(source), dict(basis.handed_out)),
        basis.laboratory,
        basis.seed,
        source,
        theatre.perform,
        basis.handed_out,
        basis.plan.pictures,
        studio.measure if studio else None,
    )


def read_reference(source: SourceFile) -> Program:
    """Return the program of a reference solution; raises Fault when it does not parse."""
    program = read_program(Submission("reference", "reference", (source,)))
    if not program.main or program.notes:
        raise Fault(f"{source.name}: the reference solution cannot be read: {' '.join(program.notes)}")
    return program


# What a report says of where it comes from ----------------------------------------------------------------------------


def _provenance(basis: _Basis, theatre: Theatre, studio: Studio | None) -> dict[str, Json]:
    plan = basis.plan
    return {
        "versions": basis.laboratory.surroundings["versions"],
        "isolation": basis.nursery.level,
        "device": plan.device,
        "due": plan.assignment.late.due,
        "seed": basis.seed,
        "limits": plan.limits.document(),
        "rubric_sha256": plan.assignment.digest,
        "reference_sha256": hashlib.sha256((basis.reference.text or "").encode()).hexdigest(),
        "real_images": len(plan.pictures),
        "real_images_sha256": setting.hashed(*plan.pictures) if plan.pictures else "",
        "machine": f"{platform.system()} {platform.machine()}",
        **_of_files(basis.handed_out),
        **({"whole_notebooks": _of_runs(theatre)} if runs(plan) else {}),
        **({"metric": _of_trainings(studio)} if studio else {}),
    }


def _of_runs(theatre: Theatre) -> dict[str, Json]:
    data = theatre.given
    how = "in full" if data else "rehearsal"
    return {"how": how, "seconds": theatre.seconds, "data": data.digest if data else ""}


def _of_trainings(studio: Studio) -> dict[str, Json]:
    held_out = int((~studio.held.controls).sum())
    return {"budget_seconds": studio.budget, "data": studio.held.digest, "held_out": held_out}


def _of_files(files: Mapping[str, str]) -> dict[str, Json]:
    """Return a hash of the files that students are not to change, where there are any: reports depend on them."""
    parts = [part.encode() for file in sorted(files.items()) for part in file]
    return {"handed_out_sha256": setting.hashed(*parts)} if parts else {}
