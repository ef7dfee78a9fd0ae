"""The reference solution as a notebook: what is in the slice of each item, and what never is."""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import pytest
from nbformat import v4

from graders.notebook import Program, cut_slice, read_program
from tests.unit.notebook.build import run, submission

ROOT = Path(__file__).parents[3]
RUBRIC = tomllib.loads((ROOT / "rubrics" / "pixelcnn.toml").read_text())
NAMES = {item["id"]: item["names"] for item in RUBRIC["items"] if item.get("names")}
COLAB = (
    "from google.colab import drive\ndrive.mount('/content')\n%cd /content\n!wget -q http://x/y.zip\n%matplotlib inline"
)


@pytest.fixture(scope="module")
def reference() -> Program:
    text = (ROOT / "reference" / "pixelcnn" / "solution.py").read_text()
    book = v4.new_notebook(cells=[v4.new_code_cell(COLAB)])
    for part in re.split(r"^# %%", text, flags=re.MULTILINE)[1:]:
        head, _, body = part.partition("\n")
        book.cells.append(v4.new_markdown_cell(body) if "markdown" in head else v4.new_code_cell(body))
    return read_program(
        submission(hw_ipynb=nbformat.writes(book)), [name for names in NAMES.values() for name in names]
    )


def test_the_whole_notebook_is_read_without_a_note(reference: Program) -> None:
    assert reference.notes == ()


@pytest.mark.parametrize("item", ["C1", "C2", "C3", "C4", "C5", "C6", "C7"])
def test_a_slice_holds_imports_and_definitions_only(reference: Program, item: str) -> None:
    cut = cut_slice(reference, NAMES, item, RUBRIC["given"])
    assert all(re.match(r"import |from |class |def ", statement.source) for statement in cut.statements)
    assert not re.search(r"pyplot|graders|google|get_ipython", "".join(s.source for s in cut.statements))
    assert (cut.undefined, cut.notes) == ((), ())


def test_every_item_is_found(reference: Program) -> None:
    found = cut_slice(reference, NAMES, "C3").found
    assert found == {item: names[0] for item, names in NAMES.items()}


def test_c6_needs_c3_and_its_activation(reference: Program) -> None:
    starts = [s.source.split("(")[0] for s in cut_slice(reference, NAMES, "C6").statements if " as " not in s.source]
    assert starts[-3:] == ["def concat_elu", "class DownRightMovedConv2d", "class GatedResnet"]


def test_follow_through_leaves_c3_out(reference: Program) -> None:
    texts = [s.source for s in cut_slice(reference, NAMES, "C6", provided=["C3"]).statements]
    assert not any(text.startswith("class DownRightMovedConv2d") for text in texts)


def test_the_slice_of_c3_runs_without_anything_else(reference: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    stub: Any = ModuleType("tensorflow")
    stub.keras = ModuleType("tensorflow.keras")
    stub.keras.layers = ModuleType("tensorflow.keras.layers")
    stub.keras.layers.Layer = object
    monkeypatch.setitem(sys.modules, "tensorflow", stub)
    assert isinstance(run(cut_slice(reference, NAMES, "C3"))["DownRightMovedConv2d"], type)
