from __future__ import annotations

import ast
import re
import textwrap

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.home import home, reference_path
from graders.release import NOTEBOOKS, template, without_solutions
from graders.rubric import judgeable, load_rubric

SLUGS = sorted(NOTEBOOKS)
REGION = re.compile(r"^ *# BEGIN SOLUTION.*?# END SOLUTION$", re.MULTILINE | re.DOTALL)


@pytest.fixture(params=SLUGS)
def slug(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def text(slug: str) -> str:
    return reference_path(slug).read_text(encoding="utf-8")


def lines(text: str) -> set[str]:
    """The lines of a text that say something, without their indentation."""
    return {line.strip() for line in text.splitlines() if len(line.strip()) > 3}


def code(notebook: nbformat.NotebookNode) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == "code"]


def test_no_line_of_a_solution_is_left(text: str) -> None:
    solutions = lines("\n".join(REGION.findall(text))) - lines(REGION.sub("", text))
    assert len(solutions) > 30
    assert not solutions & lines("\n".join(cell.source for cell in template(text).cells))


def test_no_marker_of_a_solution_is_left(text: str) -> None:
    assert "SOLUTION" in text
    assert "SOLUTION" not in nbformat.writes(template(text))


def test_all_that_is_no_solution_is_still_there(text: str) -> None:
    prose = {line.lstrip("# ") for line in lines(REGION.sub("", text)) if not line.startswith("# %%")}
    left = {line.lstrip("# ") for line in lines("\n".join(cell.source for cell in template(text).cells))}
    assert prose <= left


def test_every_item_that_can_be_checked_has_its_check_cell_behind_its_own_cell(slug: str, text: str) -> None:
    cells = code(template(text))
    for item in judgeable(load_rubric(slug)):
        check = f'graders.check("{item.id}")'
        places = [number for number, cell in enumerate(cells) if check in cell.splitlines()]
        own = [number for number, cell in enumerate(cells) if f"# [{item.id}]" in cell or f"[{item.id}]" in cell[:40]]
        assert len(places) == 1, item.id
        assert own
        assert max(own) == places[0] - 1


def test_every_check_cell_is_one_of_an_item(slug: str, text: str) -> None:
    checked = re.findall(r'graders\.check\("([\w.]+)"\)', "\n".join(code(template(text))))
    assert sorted(checked) == sorted(item.id for item in judgeable(load_rubric(slug)))


def test_every_cell_is_python_by_itself(text: str) -> None:
    for cell in code(template(text)):
        ast.parse(cell)


def test_what_is_left_to_write_raises_an_error_that_names_its_item(slug: str, text: str) -> None:
    raised = re.findall(r'raise NotImplementedError\("([\w.]+)"\)', "\n".join(code(template(text))))
    assert set(raised) == {item.id for item in judgeable(load_rubric(slug))}
    assert "\n".join(code(template(text))).count("# your code here") == len(REGION.findall(text))


def test_the_template_is_a_valid_notebook_without_outputs(text: str) -> None:
    notebook = template(text)
    nbformat.validate(notebook)
    assert not any(cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)


def test_the_template_that_students_receive_is_the_one_of_this_reference(slug: str, text: str) -> None:
    committed = home() / "student_template" / slug / NOTEBOOKS[slug]
    assert committed.read_text(encoding="utf-8") == nbformat.writes(template(text)), f"run: graders release {slug}"


# Regions -------------------------------------------------------------------------------------------------------------

REGION_OF = """\
def f(x):
    y = x
    # BEGIN SOLUTION C1
    y += 1
    # END SOLUTION
    return y
"""


def test_a_region_within_a_function_becomes_an_error_at_its_place() -> None:
    assert without_solutions(REGION_OF) == textwrap.dedent("""\
        def f(x):
            y = x
            # your code here
            raise NotImplementedError("C1")
            return y""")


def test_a_region_outside_of_a_function_becomes_a_comment() -> None:
    source = "# BEGIN SOLUTION C8\nx = 1\n# END SOLUTION\ny = 2"
    assert without_solutions(source) == "# your code here\ny = 2"


def test_each_of_several_regions_goes_by_itself() -> None:
    source = "a\n# BEGIN SOLUTION C1\nb\n# END SOLUTION\nc\n# BEGIN SOLUTION C2\nd\n# END SOLUTION\ne"
    assert without_solutions(source).splitlines() == ["a", "# your code here", "c", "# your code here", "e"]


@given(st.text("abc =\n#", max_size=40))
def test_a_text_without_regions_is_left_as_it_is(source: str) -> None:
    assert without_solutions(source) == source.rstrip("\n")
