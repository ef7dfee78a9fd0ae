"""The benchmark's students really differ and are really right: else it would measure a cache, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.classes import ending, notebook, student, write_class, written_by
from benchmarks.measure import HOME, LAYERS, PIXELCNN, full_marks
from graders.intake import find_submissions
from graders.model import Assignment, Submission
from graders.notebook import cut_slice, normalised, read_program
from graders.rubric import judgeable, load_rubric, read_rubric

STUDENTS = 12


def slices(assignment: Assignment, submission: Submission) -> Iterator[tuple[str, str]]:
    """The id of each judged item, and what its code is but for comments and places."""
    names = {item.id: item.names for item in assignment.items if item.names}
    program = read_program(submission, {name for several in names.values() for name in several})
    for item in judgeable(assignment):
        cut = cut_slice(program, names, item.id)
        assert item.id in cut.found
        yield item.id, normalised(cut)


@pytest.mark.parametrize("reference", [LAYERS, PIXELCNN], ids=["layers", "pixelcnn"])
def test_no_two_students_have_equal_code_in_any_item(reference: Path, tmp_path: Path) -> None:
    slug = reference.parent.name
    assignment = read_rubric(HOME / "rubrics" / "layers.toml") if slug == "layers" else load_rubric(slug)
    write_class(tmp_path / "class", reference.read_text(), STUDENTS)
    submissions = find_submissions([tmp_path / "class"])
    assert len(submissions) == STUDENTS
    found = [entry for submission in submissions for entry in slices(assignment, submission)]
    assert len(set(found)) == len(found) == STUDENTS * len(judgeable(assignment))


def test_five_hundred_students_have_endings_and_ids_of_their_own() -> None:
    assert len({ending(number) for number in range(500)}) == len({student(number) for number in range(500)}) == 500


def test_only_local_names_of_methods_change() -> None:
    text = (
        "import os\n\n# [L1]\nclass A:\n    size = 1\n\n    def f(self, x, *, y=2):\n        z = x + y\n        x = z\n"
        "        return [z for z in x], os.sep, self.size\n"
    )
    changed = written_by(1, text)
    assert "def f(self, x, *, y=2)" in changed
    assert "z_ab = x + y" in changed
    assert "[z_ab for z_ab in x]" in changed
    assert "os.sep, self.size" in changed
    assert "size = 1" in changed


def test_a_name_outside_of_functions_stays() -> None:
    assert written_by(0, "a = 1\n") == "a = 1\n"


def test_the_notebook_has_the_cells_of_the_text() -> None:
    made = notebook("# %% [markdown]\n# # Title\n\n# %%\na = 1\n\n# %%\nb = 2\n")
    assert [(cell.cell_type, cell.source) for cell in made.cells] == [
        ("markdown", "# Title"),
        ("code", "a = 1"),
        ("code", "b = 2"),
    ]


@pytest.mark.parametrize(
    "items",
    ['{"id": "L1", "verdict": "FAIL"}', '{"id": "L1", "verdict": "PASS"}, {"id": "L2", "verdict": "FAULT"}', ""],
)
def test_a_class_without_full_marks_stops_the_benchmark(items: str, tmp_path: Path) -> None:
    (tmp_path / "students" / "one").mkdir(parents=True)
    (tmp_path / "students" / "one" / "result.json").write_text(f'{{"items": [{items}]}}')
    with pytest.raises(RuntimeError, match="did not pass; nothing was measured"):
        full_marks(tmp_path)
