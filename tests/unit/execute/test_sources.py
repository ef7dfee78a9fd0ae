import json

import nbformat

from graders.execute import notebook_of
from graders.model import SourceFile


def parts(name: str, text: str) -> tuple[list[tuple[str, str]], list[str]]:
    made, notes = notebook_of(SourceFile(name, "", len(text), text))
    nbformat.validate(made)
    return [(cell["cell_type"], cell["source"]) for cell in made["cells"]], notes


def test_a_notebook_keeps_its_cells_and_loses_outputs_and_metadata() -> None:
    cells = [
        {"cell_type": "markdown", "metadata": {"x": 1}, "source": ["# T\n", "t"]},
        {"cell_type": "code", "metadata": {}, "source": "1", "outputs": [{"odd": 1}], "execution_count": "x"},
        {"cell_type": "raw", "metadata": {}, "source": "r"},
    ]
    document = {"nbformat": 4, "nbformat_minor": 2, "metadata": {"kernelspec": {"name": "R"}}, "cells": cells}
    assert parts("a.ipynb", json.dumps(document)) == ([("markdown", "# T\nt"), ("code", "1"), ("raw", "r")], [])
    made, _ = notebook_of(SourceFile("a.ipynb", "", 9, json.dumps(document)))
    assert made["metadata"] == {}
    assert made["cells"][1]["outputs"] == []


def test_a_notebook_of_an_old_format_is_read() -> None:
    cells = [{"cell_type": "heading", "level": 1, "source": "H"}, {"cell_type": "code", "input": ["x = 1\n", "x"]}]
    document = {"nbformat": 3, "nbformat_minor": 0, "metadata": {}, "worksheets": [{"cells": cells}]}
    assert parts("a.ipynb", json.dumps(document)) == ([("markdown", "H"), ("code", "x = 1\nx")], [])


def test_a_broken_cell_keeps_its_place() -> None:
    cells = [
        7,
        {"cell_type": "code", "source": 5},
        {"cell_type": "markdown", "source": 5},
        {"cell_type": "code", "source": "1"},
    ]
    found, notes = parts("a.ipynb", json.dumps({"cells": cells}))
    assert found == [("raw", ""), ("raw", ""), ("raw", ""), ("code", "1")]
    assert notes == [f"cell {number}: is not a valid cell and was skipped" for number in (1, 2, 3)]


def test_what_is_no_notebook_has_no_cells_and_one_line_says_so() -> None:
    assert parts("a.ipynb", "<html>") == (
        [],
        ["a.ipynb: is not a notebook (it is a web page): save it again as .ipynb"],
    )


def test_a_script_in_percent_format_has_its_cells_and_another_is_one() -> None:
    percent = "# %% [markdown]\n# # Title\n\n# %%\nx = 1\n\n# %%\n# !pip install y\nprint(x)\n"
    found, _ = parts("a.py", percent)
    assert [kind for kind, _ in found] == ["markdown", "code", "code"]
    assert parts("b.py", "x = 1\n\nprint(x)\n")[0] == [("code", "x = 1\n\nprint(x)\n")]
    assert parts("c.py", "")[0] == []
