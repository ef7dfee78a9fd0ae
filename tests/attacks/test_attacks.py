"""Every attack in one class with honest students: what was reached, what was earned, what became of the others."""

from __future__ import annotations

import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.notebook import read_program
from graders.notebook.suspicions import suspicions
from graders.sandbox.levels import try_level
from tests.attacks.attack import RAN, Attack, files_of
from tests.attacks.attacks import ATTACKS
from tests.attacks.class_run import HONEST, ClassRun, grade_class, grade_honest, left_behind, system_v
from tests.attacks.papers import SCRIPT
from tests.attacks.surroundings import surroundings
from tests.submissions.conftest import Run
from tests.unit.notebook.build import submission

NOTEBOOKS = {name: attack for name, attack in ATTACKS.items() if attack.file is None}
CONFINED = [attack for attack in ATTACKS.values() if attack.confines]
# What only Landlock or namespaces stop: a user of its own may still use the folders that belong to everybody.
_NOT_BY_UID = {"write-outside", "fill-the-disk", "relay-in", "relay-out", "read-hidden-files"}


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClassRun]:
    folder = tmp_path_factory.mktemp("arena")
    before, free = system_v(), shutil.disk_usage(folder).free
    with surroundings(folder) as around:
        yield grade_class(folder, around, ATTACKS.values())
    assert system_v() == before
    assert shutil.disk_usage(folder).free > free - (2 << 30)


@pytest.fixture(scope="module")
def alone(arena: ClassRun) -> Run:
    """The honest students without the attackers."""
    return grade_honest(arena.run.out.parent, arena.around)


def test_there_are_at_least_forty_attacks() -> None:
    assert len(ATTACKS) >= 40


# All of them together ------------------------------------------------------------------------------------------------


def test_the_run_can_be_trusted_whatever_was_handed_in(arena: ClassRun) -> None:
    assert arena.run.process.returncode == 0, arena.run.process.stdout[-3000:] + arena.run.process.stderr[-3000:]
    assert len(arena.students()) >= len(ATTACKS) + len(HONEST)


@pytest.mark.parametrize("student", HONEST)
def test_honest_marks_are_what_they_are_without_attackers(arena: ClassRun, alone: Run, student: str) -> None:
    assert arena.run.verdicts(student) == alone.verdicts(student)
    assert arena.points(student) == ClassRun(alone, arena.around, {}).points(student)
    assert sum(arena.points(student).values()) > 0


def assert_nothing_was_reached(arena: ClassRun) -> None:
    around = arena.around
    assert around.connected() == []
    assert around.sibling.poll() is None
    assert (around.secret.read_text(), stat.S_IMODE(around.secret.stat().st_mode)) == (around.secrets["file"], 0o644)
    assert list(around.outside.iterdir()) == []
    assert [line for line in arena.outputs().splitlines() if "SUCCEEDED" in line] == []
    assert left_behind() == []


def assert_nothing_was_told(arena: ClassRun) -> None:
    for path, data in arena.written():
        assert not [name for name, word in arena.around.secrets.items() if word.encode() in data], path


def test_nothing_outside_was_read_written_connected_or_killed_and_nothing_is_left(arena: ClassRun) -> None:
    assert_nothing_was_reached(arena)


def test_no_secret_of_a_file_the_reference_the_rubric_or_another_student_was_written_down(arena: ClassRun) -> None:
    assert_nothing_was_told(arena)


def test_no_file_was_left_in_a_folder_that_belongs_to_everybody() -> None:
    for folder in "/tmp", "/var/tmp", "/dev/shm":
        assert not [path for path in Path(folder).iterdir() if path.name in ("relay", "written-by-a-student")]
        assert not list(Path(folder).glob("big[0-9]*-*"))


def test_no_report_holds_a_script_a_link_or_a_handler_of_a_student_s(arena: ClassRun) -> None:
    for path, data in arena.written():
        if path.suffix == ".html":
            page = data.decode()
            own = 1 if path.parent == arena.run.out else 0  # the class report sorts its table
            assert len(re.findall(r"<script", page, re.IGNORECASE)) == own, path
            tags = re.findall(r"<[a-zA-Z][^>]*>", page)
            assert not [tag for tag in tags if re.search(r"\son\w+\s*=|javascript:|<img", tag, re.IGNORECASE)], path
            assert "\x1b" not in page
            assert "\u202e" not in page


def test_no_cell_of_the_marks_is_a_formula(arena: ClassRun) -> None:
    table = arena.marks()
    assert len(table) == len(arena.students()) + 1
    for cells in table:
        assert not [cell for cell in cells if cell.lstrip().startswith(("=", "+", "@", "-"))]
        assert not [cell for cell in cells if any(ord(letter) < 32 for letter in cell)]


def test_the_terminal_gets_no_control_characters_of_a_student_s(arena: ClassRun) -> None:
    assert not re.search(r"[\x00-\x08\x0b-\x1a\x1c-\x1f\u202a-\u202e\u2066-\u2069]", arena.run.process.stdout)
    assert "\x1b]8" not in arena.run.process.stdout


# One by one ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name, attack in NOTEBOOKS.items() if attack.runs])
def test_the_attack_was_really_run(arena: ClassRun, name: str) -> None:
    assert RAN.format(name=name) in arena.outputs()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_an_attack_earns_no_more_than_its_code_deserves(arena: ClassRun, name: str) -> None:
    assert_no_more_than_deserved(arena, ATTACKS[name])


def assert_no_more_than_deserved(arena: ClassRun, attack: Attack) -> None:
    twin = arena.points(arena.twins.get(attack.name, "honest-adams"))
    earned, verdicts = arena.points(attack.name), arena.run.verdicts(attack.name)
    assert "FAULT" not in verdicts.values()
    for item, points in earned.items():
        assert points <= attack.deserves.get(item, twin[item]), item
    if attack.verdict:
        assert verdicts[attack.item] == attack.verdict
    untouched = {"C4"} | ({"C1", "C2"} if attack.item not in ("C1", "C2") else {"C3", "C5", "C6", "C7"})
    for item in untouched:  # it costs its own item and what is built on it, no other
        assert earned[item] == twin[item], item


@pytest.mark.parametrize("name", ["hostile-outputs", "hostile-message", "parser-bombs", "odd-cells"])
def test_hostile_papers_cost_nothing_that_is_right(arena: ClassRun, name: str) -> None:
    lost = {item for item, points in arena.points(name).items() if points < arena.points("honest-adams")[item]}
    assert lost == ({"C2"} if name == "hostile-message" else set())


def test_hostile_names_are_graded_like_any_other(arena: ClassRun) -> None:
    odd = [name for name in arena.students() if re.search(r"HYPERLINK|SUM|xcod|2J", name)]
    assert len(odd) == 4
    assert all(arena.points(name) == arena.points("honest-adams") for name in odd)


def test_what_a_message_says_is_shown_as_text(arena: ClassRun) -> None:
    page = (arena.run.out / "students" / "hostile-message" / "report.html").read_text()
    assert SCRIPT not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("name", [name for name, attack in NOTEBOOKS.items() if attack.flagged])
def test_the_instructor_is_pointed_to_the_line(arena: ClassRun, name: str) -> None:
    attack = ATTACKS[name]
    (file,) = files_of(attack, arena.around.fill).items()
    found = suspicions(read_program(submission(**{file[0]: file[1].decode()})))
    cells = (arena.run.out.parent / "class" / file[0]).read_text()
    lines = {one.line: one for one in found}
    for text in attack.flagged:
        text = re.sub(r"@(\w+)@", lambda match: arena.around.fill[match[1]], text)
        assert any(text in line_of(cells, one.place, line) for line, one in lines.items()), (text, found)


def line_of(document: str, place: str, line: int) -> str:
    """Return the text of a line of a cell, "cell 3"."""
    import json

    cell = json.loads(document)["cells"][int(place.split()[1]) - 1]
    return str("".join(cell["source"]).split("\n")[line - 1])


# The weaker levels ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["no-namespaces", "uid"])
def weaker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClassRun]:
    if reason := try_level(request.param).reason:
        pytest.skip(f"this machine does not give the level {request.param}: {reason}")
    attacks = [one for one in CONFINED if request.param != "uid" or one.name not in _NOT_BY_UID]
    folder = tmp_path_factory.mktemp(request.param)
    with surroundings(folder) as around:
        yield grade_class(folder, around, attacks, "--isolation", request.param)


def test_a_weaker_level_lets_nothing_be_reached(weaker: ClassRun) -> None:
    assert weaker.run.process.returncode == 0, weaker.run.process.stdout[-3000:] + weaker.run.process.stderr[-3000:]
    assert_nothing_was_reached(weaker)
    assert_nothing_was_told(weaker)


def test_at_a_weaker_level_nobody_earns_more_or_less(weaker: ClassRun) -> None:
    for student in HONEST:
        assert sum(weaker.points(student).values()) == (48 if student == "honest-chen" else 56)
    for attack in CONFINED:
        if attack.name in weaker.students():
            assert RAN.format(name=attack.name) in weaker.outputs()
            assert_no_more_than_deserved(weaker, attack)


def test_an_ordinary_user_is_confined_as_well(tmp_path: Path) -> None:
    """The suite again for another user, where root runs it and the interpreter is not root's alone."""
    import os

    if os.getuid() != 0:
        pytest.skip("this is an ordinary user: all of the above was")
    nobody = 65534
    able = subprocess.run([sys.executable, "-c", "import graders, tensorflow"], user=nobody, capture_output=True)
    if able.returncode:
        pytest.skip(f"the user nobody cannot run this interpreter: {able.stderr.decode().strip().splitlines()[-1]}")
    os.chmod(tmp_path, 0o755)
    os.chown(tmp_path, nobody, nobody)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--basetemp={tmp_path / 'base'}"]
    command += [__file__, "-k", "weaker or reached or written or run_can_be"]
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, user=nobody, group=nobody, extra_groups=[], env=environment, capture_output=True)
    assert done.returncode == 0, done.stdout.decode()[-3000:]
