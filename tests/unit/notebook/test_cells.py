from __future__ import annotations

import json

import nbformat
import pytest
from nbformat import v4

from graders.model import SourceFile, Submission
from graders.notebook import read_program
from tests.unit.notebook.build import notebook, program, submission


def texts(*cells: str) -> list[str]:
    return [parsed.statement.source for parsed in program(*cells).main]


def lines(*cells: str) -> list[tuple[str, int]]:
    return [(parsed.statement.place, parsed.statement.line) for parsed in program(*cells).main]


def from_json(content: object) -> list[str]:
    file = SourceFile("a.ipynb", "", 0, content if isinstance(content, str) else json.dumps(content))
    return [parsed.statement.source for parsed in read_program(Submission("s", "s", (file,))).main]


def test_a_place_counts_all_cells_of_the_notebook() -> None:
    book = v4.new_notebook(cells=[v4.new_markdown_cell("# T"), v4.new_code_cell("a = 1"), v4.new_code_cell("\nb = 2")])
    found = read_program(submission(a_ipynb=nbformat.writes(book))).main
    assert [(p.statement.place, p.statement.line) for p in found] == [("cell 2", 1), ("cell 3", 2)]


@pytest.mark.parametrize("source", ["a = 1\nb = 2", ["a = 1\n", "b = 2"]])
def test_a_source_is_a_text_or_a_list_of_lines(source: object) -> None:
    assert from_json({"cells": [{"cell_type": "code", "source": source}]}) == ["a = 1", "b = 2"]


def test_format_3_keeps_its_cells_in_worksheets() -> None:
    cells = [{"cell_type": "code", "input": ["a = 1"]}, {"cell_type": "markdown", "source": "x"}]
    assert from_json({"nbformat": 3, "worksheets": [{"cells": cells}]}) == ["a = 1"]


@pytest.mark.parametrize(
    "bad",
    [
        *(
            3,
            None,
            {},
            [],
            {"cell_type": 3},
            {"cell_type": "slide", "source": "x"},
            {"cell_type": "Code", "source": "x"},
        ),
        *({"cell_type": "code", "source": source} for source in (3, None, [1], {"0": "x"}, [["x"]])),
    ],
)
def test_an_invalid_cell_is_skipped_with_a_note(bad: object) -> None:
    content = json.dumps({"cells": [bad, {"cell_type": "code", "source": "a = 1"}]})
    found = read_program(submission(a_ipynb=content))
    assert len(found.main) == 1
    assert found.notes == ("cell 1: is not a valid cell and was skipped",)


@pytest.mark.parametrize(
    "text", ["", "no", "[]", "{}", '{"cells": 3}', '{"worksheets": 3}', "[" * 100_000, "\0", "NaN"]
)
def test_what_is_no_notebook_gives_one_note(text: str) -> None:
    found = read_program(submission(hw_ipynb=text))
    assert found.main == ()
    (note,) = found.notes
    assert note.startswith("hw.ipynb: is not a notebook")


GOOD = '{"cells": [{"cell_type": "code", "source": "a = 1"}]}'
ODD = {
    "": "it is empty",
    " \n": "it is empty",
    "<!DOCTYPE html>\n<html></html>": "it is a web page",
    "PK\x03\x04\0\0": "it is an archive",
    GOOD[:-1]: "it is cut short",
    GOOD[:-8]: "it is cut short",
    f"{GOOD}\n<<<<<<< HEAD": "line 2 is no JSON",
    '{"cells": [}': "line 1 is no JSON",
    "{}": "no JSON with cells in it",
    f"[{GOOD}]": "no JSON with cells in it",
    '{"cells": {"0": {}}}': "no JSON with cells in it",
}


@pytest.mark.parametrize(("text", "why"), ODD.items(), ids=range(len(ODD)))
def test_the_note_says_what_it_is_instead(text: str, why: str) -> None:
    assert read_program(submission(hw_ipynb=text)).notes == (
        f"hw.ipynb: is not a notebook ({why}): save it again as .ipynb",
    )


CELL = {"cell_type": "code", "source": "a = 1"}
MINOR = [{"nbformat": 4, "nbformat_minor": minor, "metadata": {}, "cells": [{**CELL, "id": "x"}]} for minor in range(6)]
SHEETS = [{"cells": [{"cell_type": "heading", "source": "T"}]}, {"cells": [{"cell_type": "code", "input": "a = 1"}]}]


@pytest.mark.parametrize(
    "content",
    [
        *MINOR,
        {"nbformat": 3, "worksheets": SHEETS},
        {"nbformat": 2, "worksheets": [*SHEETS, None, {"cells": 3}]},
        {"cells": [{"cell_type": "code"}, {"cell_type": "raw", "source": None}, CELL]},
        '{"metadata": {"x": NaN}, "cells": [{"cell_type": "code", "source": "a = 1", "execution_count": -Infinity}]}',
        '{"cells": [{"cell_type": "code", "source": "a = 1\n\t"}]}',
        f'{{"cells": [{json.dumps(CELL)}], "x": {"9" * 5000}}}',
        json.dumps({"cells": [CELL]}, indent=1).replace("\n", "\r\n"),
    ],
    ids=range(len(MINOR) + 7),
)
def test_all_formats_and_what_tools_make_of_them(content: object) -> None:
    text = content if isinstance(content, str) else json.dumps(content)
    found = read_program(submission(a_ipynb=text))
    assert [parsed.statement.source for parsed in found.main] == ["a = 1"]
    assert found.notes == ()


def test_fifty_megabytes_of_outputs_do_not_hide_the_code() -> None:
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": "A" * 50_000_000}}
    assert from_json({"cells": [{**CELL, "outputs": [output]}]}) == ["a = 1"]


def test_line_magics_and_commands_become_calls_on_their_lines() -> None:
    found = program("%matplotlib inline\n!pip install x\nfiles = !ls\nA = 1\nnp.zeros?\nB = 2")
    assert [p.statement.line for p in found.main] == [1, 2, 3, 4, 5, 6]
    assert found.notes == ()


def test_a_command_over_two_lines_moves_nothing() -> None:
    assert lines("\n\n!pip install \\\n   numpy\na = 1")[-1] == ("cell 1", 5)


def test_magics_inside_blocks_are_read() -> None:
    assert "class A: pass" in texts("if True:\n    !pip install x\n    %cd a\nclass A: pass")


def test_an_indented_cell_is_read() -> None:
    assert texts("  a = 1\n  b = 2") == ["a = 1", "b = 2"]


@pytest.mark.parametrize(
    "magic", ["%%time", "%%timeit -n 1", "%%capture out", "%%prun", "%%python3", "%%capture\n%%time"]
)
def test_the_body_of_such_a_cell_magic_is_python(magic: str) -> None:
    found = program(f"{magic}\na = 1").main
    assert [(p.statement.source, p.statement.line) for p in found] == [("a = 1", magic.count("\n") + 2)]


@pytest.mark.parametrize("magic", ["%%bash", "%%html", "%%javascript", "%%latex", "%%writefile x.txt", "%%", "%%sh"])
def test_any_other_cell_magic_drops_the_cell(magic: str) -> None:
    found = program(f"{magic}\na = 1")
    assert (found.main, found.notes) == ((), ())


def test_a_title_above_a_cell_magic_is_tolerated() -> None:
    assert lines("#@title Train\n\n%%time\na = 1") == [("cell 1", 4)]


def test_writefile_makes_a_module() -> None:
    found = program("%%writefile helper.py\ndef f(): pass", "%%file helper.py\ndef g(): pass")
    assert [p.statement.source for p in found.modules["helper"]] == ["def g(): pass"]
    assert found.main == ()


def test_writefile_can_append() -> None:
    found = program("%%writefile helper.py\ndef f(): pass", "%%writefile -a helper.py\ndef g(): pass")
    assert [p.statement.line for p in found.modules["helper"]] == [2, 2]


def test_a_converted_notebook_works_as_it_is() -> None:
    text = "# coding: utf-8\n# In[3]:\nget_ipython().run_line_magic('matplotlib', 'inline')\n\n# In[4]:\na = 1\n"
    found = read_program(submission(hw_py=text))
    assert [(p.statement.place, p.statement.line) for p in found.main] == [("hw.py", 3), ("hw.py", 6)]


def test_too_many_magics_are_dropped_without_ipython(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.notebook.cells._transformed", lambda text: pytest.fail("was called"))
    cell = "!ls\n" * 4_000 + "if a:\n    %cd x\nb = 2"
    assert texts(cell)[-1] == "b = 2"


def test_a_transformer_that_fails_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(text: str) -> str:
        raise RuntimeError

    monkeypatch.setattr("graders.notebook.cells._transformed", broken)
    assert texts("!ls\na = (1  # why?\n, 2)\nhelp?\nfiles = !ls") == ["pass", "a = (1  # why?\n, 2)", *["pass"] * 2]


def test_a_cell_beyond_all_measure_is_not_read() -> None:
    found = program("a = 1\n" * 100_000, "b = 1")
    assert [p.statement.source for p in found.main] == ["b = 1"]
    assert found.notes == ("cell 1: is longer than 300000 characters and was not read",)


def test_line_ends_of_all_kinds_count_as_in_python() -> None:
    assert lines("a = 1\r\nb = 2\rc = 3\x0cd") == [("cell 1", 1), ("cell 1", 2)]


def test_a_byte_order_mark_is_no_error() -> None:
    assert len(read_program(submission(hw_py="\ufeffa = 1")).main) == 1


def test_a_notebook_with_a_byte_order_mark_is_one() -> None:
    assert len(read_program(submission(hw_ipynb="\ufeff" + notebook("a = 1"))).main) == 1
