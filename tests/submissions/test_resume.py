"""Nothing is lost: a run that is killed, stopped or out of disk ends in the marks of an undisturbed one."""

from __future__ import annotations

import contextlib
import csv
import functools
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.make_class import code
from tests.submissions.conftest import ROOT, graders

ITEMS = "C3,C4,C5,C6"
EDITS = {
    "ann": (),
    "ben": ("C3-pads-bottom",),
    "cem": ("C4-pads-bottom",),
    "dora": ("C5-width-first",),
    "eve": ("C6-no-residual",),
}


def command(folder: Path, out: Path, *words: object) -> list[str]:
    fixed = ["grade", "pixelcnn", folder, "-o", out, "--only", ITEMS, "--seed", 7, *words]
    return [sys.executable, "-m", "graders.cli", *map(str, fixed)]


def marks(out: Path) -> dict[str, Any]:
    """Return all that a run says of its students, but for the time that it took."""
    table = (out / "marks.csv").read_text(encoding="utf-8-sig").splitlines()
    found: dict[str, Any] = {"marks": list(csv.reader(table))}
    for path in sorted(out.glob("students/*/result.json")):
        document = json.loads(path.read_text())
        found[path.parent.name] = [{**item, "seconds": 0} for item in document["items"]]
        assert (path.parent / "report.html").read_text().rstrip().endswith("</html>")
    return found


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("killed") / "class"
    made.mkdir()
    for name, edits in EDITS.items():
        (made / f"{name}.py").write_text(code(*edits))
    return made


@pytest.fixture(scope="module")
def undisturbed(folder: Path) -> dict[str, Any]:
    out = folder.parent / "undisturbed"
    subprocess.run(command(folder, out), cwd=ROOT, capture_output=True, check=True)
    found = marks(out)
    assert len({row[2] for row in found["marks"][1:]}) >= 4, "students who differ, or nothing is shown"
    return found


@pytest.fixture
def start(folder: Path, tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Return a function that starts the same command again."""
    started: list[subprocess.Popen[str]] = []

    def again(out: Path = tmp_path / "out") -> subprocess.Popen[str]:
        pipe = subprocess.PIPE
        # Whoever runs the tests in the background of a shell has Ctrl-C ignored, and what is started inherits that.
        heeding = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
        process = subprocess.Popen(
            command(folder, out), cwd=ROOT, stdout=pipe, stderr=pipe, text=True, preexec_fn=heeding
        )
        started.append(process)
        return started[-1]

    yield again
    for process in started:
        process.kill()
        process.communicate()


def descendants(pid: int) -> list[int]:
    """Return the processes below one, the nearest first."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found, fringe = [], [pid]
    while fringe:
        fringe = [child for child, parent in parents.items() if parent in fringe]
        found += fringe
    return found


def gone(pids: list[int]) -> bool:
    """Wait a while for processes to end."""
    end = time.monotonic() + 10
    while (left := [pid for pid in pids if alive(pid)]) and time.monotonic() < end:
        time.sleep(0.05)
    return not left


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def ended(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def test_a_grader_that_is_killed_again_and_again_comes_to_the_same_marks(
    start: Callable[..., subprocess.Popen[str]], undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    chance = random.Random(2)
    kills = 0
    for attempt in range(40):
        process = start()
        if ended(process, chance.uniform(0.2, 2.0) + 0.5 * attempt):
            break
        below = descendants(process.pid)
        process.kill()
        kills += 1
        assert gone(below), "a zygote or a child went on without its grader"
    assert kills >= 3
    assert process.returncode == 0
    assert marks(tmp_path / "out") == undisturbed


@pytest.mark.parametrize("which", ["zygote", "child"])
def test_a_zygote_or_a_child_that_is_killed_costs_nobody_a_mark(
    start: Callable[..., subprocess.Popen[str]], undisturbed: dict[str, Any], tmp_path: Path, which: str
) -> None:
    chance = random.Random(which)
    process = start()
    kills = 0
    while kills < 4 and not ended(process, chance.uniform(0.4, 1.2)):
        if chosen := victims(process, which):
            with contextlib.suppress(ProcessLookupError):  # it ended by itself in between
                os.kill(chance.choice(chosen), signal.SIGKILL)
                kills += 1
    assert kills >= 2
    assert ended(process, 120)
    assert process.returncode == 0
    assert marks(tmp_path / "out") == undisturbed


def victims(process: subprocess.Popen[str], which: str) -> list[int]:
    """Wait a while for a zygote that has children; return it, or its children and what they started."""
    end = time.monotonic() + 5
    while time.monotonic() < end and process.poll() is None:
        below = descendants(process.pid)
        if len(below) > 1:
            return below[:1] if which == "zygote" else below[1:]
    return []


def test_ctrl_c_ends_the_run_with_its_children_and_the_next_one_goes_on(
    start: Callable[..., subprocess.Popen[str]], undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    for _ in range(5):  # on a busy machine a run may end before this test gets to stop it
        shutil.rmtree(tmp_path / "out", ignore_errors=True)
        process, below = start(), []
        while process.poll() is None and (len(below) < 2 or not graded(tmp_path / "out")):
            time.sleep(0.05)
            below = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
        if process.returncode:
            break
    assert process.returncode == 130
    assert below
    assert errors.strip().splitlines()[-1].startswith("graders: stopped; what is graded is kept")
    assert gone(below)
    kept = graded(tmp_path / "out")
    assert 0 < kept < len(EDITS)
    assert ended(start(), 120)
    assert marks(tmp_path / "out") == undisturbed


def graded(out: Path) -> int:
    try:
        with sqlite3.connect(f"file:{out / 'evidence.sqlite'}?mode=ro", uri=True) as connection:
            (number,) = connection.execute("SELECT count(*) FROM submission").fetchone()
        connection.close()
    except sqlite3.OperationalError:
        return 0
    return int(number)


@pytest.mark.skipif(os.getuid() != 0, reason="a small disk can be mounted by root only")
def test_a_full_disk_ends_the_run_in_one_line_and_with_room_it_goes_on(
    start: Callable[..., subprocess.Popen[str]], undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", disk], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small disk here: {mounted.stderr.decode().strip()}")
    try:
        process = start(disk / "out")
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 3, errors
        (line,) = [line for line in errors.splitlines() if line.startswith("graders:")]
        assert "make room or mend it, then run the same command again" in line
        subprocess.run(["mount", "-o", "remount,size=40m", disk], check=True)
        assert ended(start(disk / "out"), 120)
        assert marks(disk / "out") == undisturbed
    finally:
        subprocess.run(["umount", disk], check=True)


def test_a_second_run_into_the_same_folder_is_told_to_wait(
    start: Callable[..., subprocess.Popen[str]], folder: Path, tmp_path: Path
) -> None:
    first = start()
    while not (tmp_path / "out" / "evidence.sqlite").exists():
        time.sleep(0.05)
    second = graders("grade", "pixelcnn", folder, "-o", tmp_path / "out", "--only", ITEMS)
    assert second.returncode == 2
    assert f"another run is writing to it (process {first.pid})" in second.stderr
    first.kill()
