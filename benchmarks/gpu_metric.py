"""The stage `metric`: references through `graders grade --tier metric`, an item at a time."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.gpu_call import AGAIN, DONE, GRADING, Call, last_line, need, packed, run, write
from benchmarks.references import SCORED, TRAININGS, Scored
from graders.errors import UsageError, did_you_mean
from graders.home import reference_path

_BUDGET = 30 * 60.0  # seconds of a training, as `graders grade` gives it by default
_AROUND = 75.0  # seconds besides the training: to start, to probe what the item requires, to score
_SLACK = 45.0  # after which grading hangs; with all of them a call of 540 seconds stays below ten minutes
_LEAST = 20.0


def metric(call: Call, stage: str) -> int:
    """Grade what is wanted, each begun only where the whole of its budget is left; what is done stays done.

    Raises RuntimeError in the end where a reference has not full points.
    """
    chosen, budget = chosen_of(call.only), _budget(call)
    for one in chosen:
        need(f"{stage} --only {one.slug}", {**GRADING, "torch": "torch", **one.modules})
    begun, lost = False, []
    for one in chosen:
        kept = call.work / stage / f"{one.slug}{_variety(call)}" / f"{'-'.join(one.items)}.json"
        if not kept.exists():
            if begun and call.left() < budget + _AROUND:
                return AGAIN
            begun = True
            _grade(call, one, kept, budget)
        figures = json.loads(kept.read_text(encoding="utf-8"))
        write(call, f"{stage}-{kept.parent.name}-{kept.stem}", figures)
        lost += [told(one, item, its) for item, its in figures.items() if not full(its, call.weights)]
    if lost:
        raise RuntimeError(f"{stage}: not full points: {'; '.join(lost)}")
    return DONE


def _budget(call: Call) -> float:
    """Return the seconds of a training, the same for each of them and in each call of so many seconds."""
    budget = min(_BUDGET, call.seconds - _AROUND)
    if budget < _LEAST:
        raise UsageError(f"--seconds {call.seconds:.0f}: no time for a training; give {_AROUND + _LEAST:.0f} or more")
    return budget


def chosen_of(only: tuple[str, ...]) -> list[Scored]:
    """Return what is wanted, by assignment or by item: what handout E is scored by where nothing is named."""
    known = {name for one in SCORED for name in (one.slug, *one.items)}
    for name in only:
        if name not in known:
            raise UsageError(f"--only {name}: no reference is scored so{did_you_mean(name, known)}")
    wanted = set(only) or {one.slug for one in TRAININGS.values()}
    return [one for one in SCORED if wanted & {one.slug, *one.items}]


def _variety(call: Call) -> str:
    """Return what sets the figures of this call apart from those of references that are trained as they stand."""
    return "-weights" if call.weights else f"-{call.epochs}-epochs" if call.epochs else ""


def _grade(call: Call, one: Scored, kept: Path, budget: float) -> None:
    """Have items graded and keep their figures; raises RuntimeError where grading itself went wrong."""
    handed_in, out = kept.with_suffix("") / "reference", kept.with_name("graded")
    shutil.rmtree(handed_in, ignore_errors=True)
    handed_in.mkdir(parents=True)
    for name, content in handed_in_of(call, one).items():
        (handed_in / name).write_bytes(content)
    words = ("--only", ",".join(one.items), "--tier", "metric", "--device", "cpu" if call.cpu else "cuda")
    times = ("--budget", f"{budget:.0f}s", "--jobs", 1)
    command = [sys.executable, "-m", "graders.cli", "grade", one.slug, handed_in, "-o", out, *words, *times]
    limit = budget + _AROUND + _SLACK
    done = run([*command, "--data", packed(call) if one.cifar10 else call.given()], limit)
    if done is None:
        raise RuntimeError(f"{one.slug}: grading did not end in {limit:.0f} s")
    if done.returncode:
        raise RuntimeError(f"{one.slug}: exit status {done.returncode}: {last_line(done.stderr)}")
    result = json.loads((out / "students" / "reference" / "result.json").read_text(encoding="utf-8"))
    figures = {item: figures_of(result, item) for item in one.items}
    for item, its in figures.items():
        print(told(one, item, its), flush=True)
    kept.write_text(json.dumps(figures), encoding="utf-8")


def handed_in_of(call: Call, one: Scored) -> dict[str, bytes]:
    """Return what is handed in: the reference with what is given beside it, with fewer epochs or weights if asked."""
    from graders.release import scripts_of

    source = reference_path(one.slug)
    text = source.read_text(encoding="utf-8")
    scripts = {path.name: path.read_text(encoding="utf-8") for path in source.parent.glob("given/*.py")}
    scripts |= scripts_of(text) or {"reference.py": text}
    if call.epochs:
        scripts = _shortened(scripts, one, call.epochs)
    written = {name: script.encode() for name, script in scripts.items()}
    return written | ({one.weights[1]: _weights(call, one)} if call.weights else {})


def _shortened(scripts: Mapping[str, str], one: Scored, epochs: int) -> dict[str, str]:
    """Return scripts with another number of epochs, which stands in one place."""
    place = re.compile(rf"^( *{re.escape(one.epochs)})\d+", re.MULTILINE)
    if (found := sum(len(place.findall(script)) for script in scripts.values())) != 1:
        raise UsageError(f"--epochs: {one.slug} cannot be made shorter: {one.epochs!r} is there {found} times")
    return {name: place.sub(rf"\g<1>{epochs}", script) for name, script in scripts.items()}


def _weights(call: Call, one: Scored) -> bytes:
    """Return the weights that a stage left when it was finished."""
    stage, name = one.weights
    figures = call.work / stage / "figures.json"
    if not stage or not figures.exists() or not json.loads(figures.read_text(encoding="utf-8"))["finished"]:
        mend = f"run the stage {stage} to its end first" if stage else "leave --weights out for it"
        raise UsageError(f"--weights: no weights of {one.slug} in {call.work}; {mend}")
    return (call.work / stage / name).read_bytes()


def figures_of(result: dict[str, Any], item: str) -> dict[str, Any]:
    """Return what a report says of a metric item: its verdict, points and note, how it was trained, and its curve."""
    found = next(one for one in result["items"] if one["id"] == item)
    trained = result.get("trained", {}).get(item, {})
    scores = [one["score"] for one in trained.get("candidates", ()) if "score" in one]
    training = {"scores": scores, "training": trained.get("ended", "none"), "seconds": trained.get("seconds", 0.0)}
    plain = {name: found[name] for name in ("verdict", "points", "possible", "note")}
    return {**plain, **training, "curves": trained.get("curve", {})}


def told(one: Scored, item: str, figures: dict[str, Any]) -> str:
    """Return a line of what became of an item."""
    return f"{one.slug} {item}: {figures['verdict']}, training {figures['training']}, {figures['note']}"


def full(figures: dict[str, Any], loaded: bool) -> bool:
    """Return whether a reference has full points; what was not measured, or not so as it was asked for, has none."""
    as_asked = figures["training"] == ("loaded" if loaded else "finished")
    return bool(figures["verdict"] == "PASS" and figures["scores"] and as_asked)
