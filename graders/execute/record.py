"""What came of a run: the notebook with its outputs, the experiment `cells`, and how the kernel ended. Trusted."""

from __future__ import annotations

import copy
import json
import re
import signal
from collections.abc import Mapping, Sequence
from typing import Any

import nbformat

from graders.execute.stage import Stage
from graders.model import Experiment, Failure
from graders.probes import wire
from graders.sandbox.fork import Ended
from graders.sandbox.limits import Limits

_ANSI = re.compile(r"\x1b\[[\d;]*[A-Za-z]")
_WHERE = re.compile(r"Cell In\[(\d+)\], line (\d+)")
_STATUSES = ("ok", "error", "interrupted", "stuck", "died", "unread")
_NO_INPUT = "it asks for input(), and nobody is there to answer"
TIME_UP = "the time of the whole notebook was used up"
_UNREAD = "its output could not be read"


def blank(notebook: Mapping[str, Any], stage: Stage) -> dict[str, Any]:
    """Return a notebook without outputs, whose metadata say what run it is for."""
    made = copy.deepcopy(dict(notebook))
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    purpose = {"rehearsal": stage.shrink is not None, "assignment": stage.slug, "seed": stage.seed}
    made["metadata"] = {
        **made.get("metadata", {}),
        "graders": {**purpose, "shrink": stage.shrink and dict(stage.shrink)},
    }
    return made


def runnable(notebook: Mapping[str, Any]) -> list[int]:
    """Return the numbers, from 1 over all cells, of the cells that hold code."""
    numbered = enumerate(notebook["cells"], start=1)
    return [number for number, cell in numbered if cell["cell_type"] == "code" and cell["source"].strip()]


def validated(header: Mapping[str, Any], blob: bytes) -> dict[str, Any]:
    """Return what the conductor reported of a cell; outputs that are not nbformat's count as unread."""
    status, seconds = header.get("status"), header.get("seconds")
    report: dict[str, Any] = {
        "status": status if status in _STATUSES else "unread",
        "seconds": float(seconds) if isinstance(seconds, int | float) else 0.0,
        "outputs": [],
        "execution_count": None,
    }
    try:
        text = json.dumps(json.loads(blob), ensure_ascii=False)
        body = json.loads(text.encode("utf-8", "replace"))  # half a character could not be written to a file
        count = body["execution_count"]
        cell = nbformat.v4.new_code_cell("", outputs=body["outputs"], execution_count=count)
        nbformat.validate(cell, ref="code_cell", version=4, version_minor=5)
        report |= {"outputs": body["outputs"], "execution_count": count}
    except (ValueError, KeyError, TypeError, RecursionError, nbformat.ValidationError):
        report["status"] = "unread"
    return report


def end_of(ended: Ended | None, broken: str, limits: Limits) -> Failure | None:
    """Return how a kernel ended before it was done, None when it was done."""
    if ended is None or broken == "":
        return None
    if ended.reason == "timeout" or ended.code == -signal.SIGXCPU:
        return Failure("timeout", f"the notebook did not end within {limits.cpu_seconds} seconds of computing")
    if ended.reason in ("memory", "disk"):
        what = "memory than there is" if ended.reason == "memory" else "files than there is room"
        return Failure("memory", f"the notebook takes more {what} for it")
    if broken not in ("closed", "deadline"):
        return Failure("evidence", broken)
    if ended.reason == "cancelled":
        return Failure("timeout", "the kernel did not stop when it was told to")
    if ended.code < 0:
        return Failure("killed", f"the kernel died of signal {-ended.code} ({signal.strsignal(-ended.code)})")
    return Failure("exit", f"the kernel left with status {ended.code} before the end of the notebook")


def assemble(
    notebook: dict[str, Any],
    numbers: Sequence[int],
    ran: Mapping[int, Mapping[str, Any]],
    end: Failure | None,
    why: str = TIME_UP,
) -> tuple[dict[str, Any], Experiment, list[str]]:
    """Put the outputs into the notebook; return it, the experiment `cells`, and notes. `why` cells may not have run.

    `cells` has a list of that name in its values: of each code cell its number, status (`ok`, `error`, `interrupted`
    when it was over its time, `died` when the kernel ended in it, `not run`), kind and message of its error, where
    that was, and seconds.
    """
    entries: list[dict[str, Any]] = []
    numbered = {ran[n]["execution_count"]: n for n in numbers if n in ran and ran[n]["execution_count"]}
    stopped = ""
    for number in numbers:
        report = ran.get(number)
        if report is None:
            entries.append(_entry(number, "not run", message=stopped or (end.message if end else why)))
            notebook["cells"][number - 1]["outputs"] = [_said(f"not run: {entries[-1]['message']}")]
            continue
        cell = notebook["cells"][number - 1]
        cell["outputs"], cell["execution_count"] = list(report["outputs"]), report["execution_count"]
        entries.append(_judged(number, report, numbered, end))
        if entries[-1]["status"] not in ("ok", "error"):
            cell["outputs"].append(_said(entries[-1]["message"]))
        if report["status"] in ("stuck", "died"):
            stopped = f"the run ended in cell {number}"
    nbformat.validate(notebook)
    return notebook, Experiment({"cells": entries}), _notes(entries)


def _judged(number: int, report: Mapping[str, Any], numbered: Mapping[int, int], end: Failure | None) -> dict[str, Any]:
    status, seconds = report["status"], report["seconds"]
    if status == "died":
        kind, message = (end.kind, end.message) if end else ("exit", "the kernel ended")
        return _entry(number, "died", kind, message, f"cell {number}", seconds)
    if status == "stuck":
        message = f"stopped after {seconds:g} seconds, and it did not end when it was interrupted"
        return _entry(number, "interrupted", "timeout", message, f"cell {number}", seconds)
    if status == "unread":
        return _entry(number, "error", "evidence", _UNREAD, f"cell {number}", seconds)
    error = next((one for one in reversed(report["outputs"]) if one["output_type"] == "error"), None)
    kind, message, where = _error(error, number, numbered) if error else ("", "", "")
    if status == "interrupted":
        kind, message = "timeout", f"stopped after {seconds:g} seconds"
    return _entry(number, status, kind, message, where, seconds)


def _error(error: Mapping[str, Any], number: int, numbered: Mapping[int, int]) -> tuple[str, str, str]:
    """Return kind, message and place of an error as its output shows it."""
    kind, message = one_line(error["ename"]), one_line(error["evalue"])
    if kind == "StdinNotImplementedError":
        message = _NO_INPUT
    found = _WHERE.findall(_ANSI.sub("", "\n".join(error["traceback"])))
    places = [f"cell {numbered[int(count)]}, line {line}" for count, line in found if int(count) in numbered]
    return kind, message, places[-1] if places else f"cell {number}"


def _entry(
    number: int, status: str, kind: str = "", message: str = "", where: str = "", seconds: float = 0.0
) -> dict[str, Any]:
    return {
        "cell": number, "status": status, "kind": kind, "message": message, "where": where, "seconds": seconds
    }  # fmt: skip


def _said(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stderr", "text": f"[{text}]\n"}


def _notes(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    notes = [f"cell {e['cell']}: {e['message']}" for e in entries if e["status"] in ("interrupted", "died")]
    notes += [f"cell {e['cell']}: {e['message']}" for e in entries if e["message"] == _NO_INPUT]
    missed = [entry for entry in entries if entry["status"] == "not run"]
    if missed:
        first, last = missed[0]["cell"], missed[-1]["cell"]
        which = f"cell {first}" if first == last else f"cells {first} to {last}"
        notes.append(f"{which}: not run: {missed[0]['message']}")
    return notes


def one_line(text: str) -> str:
    """Return a text of a child's as one short line that can be printed."""
    words = " ".join(_ANSI.sub("", text).split())
    return wire.clip("".join(character for character in words if character.isprintable()))


def last_line(text: str) -> str:
    """Return the last line of a child's output."""
    lines = text.strip().splitlines()
    return one_line(lines[-1]) if lines else "it said nothing"
