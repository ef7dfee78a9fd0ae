from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graders.assignments import digest, load_graders
from graders.errors import UsageError
from graders.model import Failure, Tier
from graders.probes import wire
from graders.rubric import load_rubric
from graders.sandbox.fork import Zygote
from graders.sandbox.levels import choose_level
from graders.sandbox.limits import Limits
from tests.unit.evidence import piece

OWN = 'from graders.assignments import Registry\n\nGRADERS = Registry("tensorflow")\n'


@pytest.fixture
def course(tmp_path: Path) -> Path:
    """A home with an assignment of its own."""
    for folder in ("rubrics", "assignments", "reference/small"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "assignments" / "small.py").write_text(OWN)
    (tmp_path / "reference" / "small" / "solution.py").write_text("ANSWER = 42\n")
    return tmp_path


def said(program: str, home: Path) -> str:
    """What a fresh interpreter prints with that home."""
    environment = {**os.environ, "GRADERS_HOME": str(home)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    return done.stdout.strip()


def digest_of(home: Path) -> str:
    return said("from graders.assignments import digest; print(digest())", home)


def test_a_courses_own_assignment_is_imported_like_ours(course: Path) -> None:
    program = "from graders.assignments import small, pixelcnn; print(small.__file__, pixelcnn.GRADERS.framework)"
    assert said(program, course) == f"{course / 'assignments' / 'small.py'} tensorflow"


def test_a_courses_own_version_counts_more_than_ours(course: Path) -> None:
    (course / "assignments" / "pixelcnn.py").write_text(OWN)
    assert said("from graders.assignments import pixelcnn; print(len(pixelcnn.GRADERS))", course) == "0"


def test_the_digest_covers_a_courses_own_graders(course: Path) -> None:
    before = digest_of(course)
    assert before == digest_of(course) != digest()
    (course / "assignments" / "small.py").write_text(OWN + "# changed\n")
    assert digest_of(course) != before


def test_a_home_without_assignments_changes_nothing(course: Path) -> None:
    (course / "assignments" / "small.py").unlink()
    assert digest_of(course) == digest()


def test_a_home_that_is_none_is_told_when_a_rubric_is_looked_for(tmp_path: Path) -> None:
    assert digest_of(tmp_path / "nowhere") == digest()


def test_the_zygote_imports_what_its_children_cannot_read(course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative home is resolved: the zygote works in another folder."""
    monkeypatch.chdir(course.parent)
    monkeypatch.setenv("GRADERS_HOME", course.name)
    found: dict[str, Any] = {}

    def keep(header: dict[str, Any], body: bytes) -> None:
        found.update([wire.unpack(header, body)])

    modules = ("tests.unit.sandbox.stand_in", "graders.assignments.small")
    with Zygote(modules, choose_level(), Limits(cpu_seconds=5, wall_seconds=10)) as zygote:
        assert "graders.assignments.small" in zygote.versions
        for file in ("reference/small/solution.py", "assignments/small.py"):
            source = f"open({str(course / file)!r})"
            document, blob = wire.pack_order(wire.Order("small", "S1", 1, piece(source)))
            zygote.run(document, blob, keep)
            failure = found.pop("loading").failure
            assert isinstance(failure, Failure)
            assert failure.kind in ("FileNotFoundError", "PermissionError")


def test_an_item_that_is_said_to_be_executed_needs_a_grader_of_runs() -> None:
    assignment = load_rubric("colourization")
    assert load_graders(assignment).of("5.2", Tier.EXECUTE) is not load_graders(assignment).of("5.2", Tier.RECORD)
    items = tuple(replace(item, executed=item.executed or item.id == "traces") for item in assignment.items)
    with pytest.raises(UsageError, match=r"colourization\.toml: item traces is said to be executed, but no grader"):
        load_graders(replace(assignment, items=items))


def test_a_rubric_and_graders_of_two_frameworks_are_refused() -> None:
    assignment = replace(load_rubric("pixelcnn"), framework="torch")
    with pytest.raises(UsageError, match=r"pixelcnn\.toml: framework is 'torch', but its graders are .* 'tensorflow'"):
        load_graders(assignment)
