"""Whatever the text, nothing raises; whatever the order, what is sliced runs as the whole did."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from graders.model import SourceFile, Submission
from graders.notebook import cut_slice, normalised, read_program
from tests.unit.notebook.build import cut, notebook, program, run, submission

# The first example imports IPython, which takes longer than an example may.
relaxed = settings(deadline=None, max_examples=60, database=None)

PIECES = [
    "class A:",
    "def f(x):",
    " ",
    "    ",
    "\n",
    "x",
    "=",
    "(",
    ")",
    "'''",
    '"',
    "\\",
    "%cd a",
    "!ls",
    "?",
    "%%time",
]
PIECES += [
    "import a",
    "from helper import *",
    "@",
    ":",
    ";",
    "#",
    "for",
    "if",
    "else:",
    "return",
    "\0",
    "\ud800",
    "é",
    "\x0c",
]
SNIPPETS = st.lists(st.sampled_from(PIECES), max_size=25).map("".join)
TEXTS = st.one_of(SNIPPETS, st.text(max_size=60))
JSON = st.recursive(
    st.none() | st.integers() | TEXTS | st.sampled_from(["code", "markdown"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["cells", "cell_type", "source", "worksheets", "input"]), inner, max_size=4)
    ),
    max_leaves=15,
)


def survive(*files: SourceFile) -> None:
    found = read_program(Submission("s", "s", files), ["A"])
    found_slice = cut_slice(found, {"C1": ["A"], "C2": ["f"]}, ["C1", "C2"], given=["x"], provided=["C2"])
    normalised(found_slice)
    for text in (*found.notes, *found_slice.notes, *(s.source for s in found_slice.statements)):
        text.encode()


@relaxed
@given(st.lists(TEXTS, max_size=4), TEXTS)
def test_no_text_raises(cells: list[str], helper: str) -> None:
    book = json.dumps({"cells": [{"cell_type": "code", "source": cell} for cell in cells]})
    survive(SourceFile("hw.ipynb", "", 1, book), SourceFile("helper.py", "", 1, helper))


@relaxed
@given(JSON)
def test_no_json_raises(content: Any) -> None:
    survive(SourceFile("hw.ipynb", "", 1, json.dumps(content)))


@relaxed
@given(st.text(max_size=20))
def test_no_file_name_raises(name: str) -> None:
    survive(
        SourceFile(f"{name}.py", "", 1, "class A: pass"), SourceFile("hw.py", "", 1, f"%%writefile {name}.py\na = 1")
    )


ASSIGNMENTS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("abcd"), st.sampled_from(["=", "+="])), max_size=12
)


@relaxed
@given(ASSIGNMENTS)
def test_a_slice_of_assignments_gives_the_value_of_the_whole(steps: list[tuple[str, str, str]]) -> None:
    lines = ["a = 1", "b = 2", "c = 3", "d = 4", *(f"{left} {sign} {right} * 2 + 1" for left, right, sign in steps)]
    whole: dict[str, Any] = {}
    exec("\n".join(lines), whole)
    for target in "abcd":
        assert run(cut(program(*lines), target))[target] == whole[target]


@relaxed
@given(st.permutations(range(6)))
def test_definitions_run_in_whatever_order_they_stand(order: list[int]) -> None:
    cells = [
        "import math",
        "N = 3",
        "def f(x): return g(x) + N",
        "def g(x): return math.floor(x)",
        "class B: k = f(1.5)",
    ]
    cells += ["class X(B):\n    def h(self): return self.k + f(2.5)"]
    assert run(cut(program(*[cells[i] for i in order])))["X"]().h() == 9


@relaxed
@given(
    st.lists(st.sampled_from(["class A: pass", "!ls", "x = (", "%%bash\nls", "m.fit()", "y = open('x')"]), max_size=5)
)
def test_no_slice_holds_a_heavy_statement(cells: list[str]) -> None:
    found = read_program(submission(hw_ipynb=notebook(*cells, "class A(object):\n    def f(self): return x, y")))
    sliced = cut_slice(found, {"C1": ["A"]}, "C1")
    assert all(statement.source.startswith("class A") for statement in sliced.statements)
