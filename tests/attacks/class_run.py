"""One class of attackers and honest students, graded once by the real command line, and what is left to look at."""

from __future__ import annotations

import contextlib
import csv
import json
import os
import sqlite3
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.make_class import code, notebook, written
from tests.attacks.attack import Attack, files_of, honest
from tests.attacks.surroundings import MARKER, Surroundings
from tests.submissions.conftest import Run, graders

SEED = 20261121
TIME_LIMIT = 4  # seconds of computing an item; three times that by the clock
HONEST = {"honest-adams": (), "honest-baker": ("C3-zero-padding-layer", "C6-slices"), "honest-chen": ("C4-identity",)}


@dataclass(frozen=True)
class ClassRun:
    """A run and where its attackers' honest twins are: students whose code is the same without the attack."""

    run: Run
    around: Surroundings
    twins: Mapping[str, str]

    def points(self, student: str) -> dict[str, float]:
        return {name: one["points"] for name, one in self.run.items(student).items() if one["verdict"] != "MANUAL"}

    def students(self) -> list[str]:
        return sorted(folder.name for folder in (self.run.out / "students").iterdir())

    def outputs(self) -> str:
        """Everything that children printed, however short their lives."""
        with contextlib.closing(sqlite3.connect(self.run.out / "evidence.sqlite")) as store:
            documents = [json.loads(row[0]) for row in store.execute("SELECT document FROM evidence")]
        return "\n".join(document["output"] for document in documents)

    def written(self) -> Iterable[tuple[Path, bytes]]:
        """Every file that the run wrote."""
        return ((path, path.read_bytes()) for path in self.run.out.rglob("*") if path.is_file())

    def marks(self) -> list[list[str]]:
        with (self.run.out / "marks.csv").open(encoding="utf-8-sig", newline="") as file:
            return list(csv.reader(file))


def write_honest(folder: Path, secret: str) -> None:
    """Write the honest students' notebooks; a comment in each is nobody else's business."""
    for name, edits in HONEST.items():
        text = f"{code(*edits)}\n# {secret}\n"
        (folder / f"{name}.ipynb").write_text(written(notebook(text)))


def grade_class(folder: Path, around: Surroundings, attacks: Iterable[Attack], *words: object) -> ClassRun:
    """Write the class into `folder`/class and grade it into `folder`/out."""
    classroom = folder / "class"
    classroom.mkdir()
    write_honest(classroom, around.secrets["submission"])
    twins: dict[str, str] = {}
    for attack in attacks:
        for name, data in files_of(attack, around.fill).items():
            (classroom / name).write_bytes(data)
        if attack.file is None and (attack.edits or attack.replaces):
            text = honest(attack)
            twins[attack.name] = next((twins[other] for other in twins if _same(classroom, twins[other], text)), "")
            twins[attack.name] = twins[attack.name] or f"twin-{attack.name}"
            (classroom / f"{twins[attack.name]}.py").write_text(text)
    return ClassRun(_graded(classroom, folder / "out", around, *words), around, twins)


def _same(classroom: Path, name: str, text: str) -> bool:
    return (classroom / f"{name}.py").read_text() == text


def grade_honest(folder: Path, around: Surroundings) -> Run:
    """Grade the honest students alone."""
    classroom = folder / "honest"
    classroom.mkdir()
    write_honest(classroom, around.secrets["submission"])
    return _graded(classroom, folder / "honest-out", around)


def _graded(classroom: Path, out: Path, around: Surroundings, *words: object) -> Run:
    common = ("-o", out, "-j", 2, "--seed", SEED, "--time-limit", TIME_LIMIT)
    return Run(out, graders("grade", "pixelcnn", classroom, *common, *words, **around.environment))


def left_behind() -> list[str]:
    """Return the processes of a run that are still there after a while, by their command lines."""
    end = time.monotonic() + 10
    while (found := _marked()) and time.monotonic() < end:
        time.sleep(0.1)
    return found


def _marked() -> list[str]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if int(folder.name) != os.getpid() and MARKER.encode() in (folder / "environ").read_bytes():
                found.append((folder / "cmdline").read_bytes().decode())
    return found


def system_v() -> dict[str, Any]:
    """Return what there is of System V shared memory, queues and semaphores."""
    return {name: (Path("/proc/sysvipc") / name).read_text() for name in ("shm", "msg", "sem")}
