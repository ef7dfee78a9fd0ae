from __future__ import annotations

import pytest

from graders.model import SourceFile, Submission
from graders.notebook import read_program
from tests.unit.notebook.build import notebook

SOLVED = notebook("class A:\n    def call(self, x):\n        return x", "def f(x):\n    return x")
SKELETON = notebook('class A:\n    def call(self, x):\n        raise NotImplementedError("C3")', "def f(x):\n    pass")
WANTED = ["A", "f"]


def chosen(**files: str) -> tuple[str, tuple[str, ...]]:
    named = tuple(SourceFile(name, "", len(text), text) for name, text in files.items())
    program = read_program(Submission("s", "s", named), WANTED)
    return program.file, program.notes


LATER = [
    ("a.ipynb", "a (1).ipynb"),
    ("a (1).ipynb", "a (2).ipynb"),
    ("a (9).ipynb", "a (10).ipynb"),
    ("a.ipynb", "a_v2.ipynb"),
    ("a_v9.ipynb", "a_v10.ipynb"),
    ("a.ipynb", "a-1.ipynb"),
    ("a_v3.ipynb", "a_final.ipynb"),
    ("a_final.ipynb", "a_final_v2.ipynb"),
    ("a_final_v2.ipynb", "a_final_final.ipynb"),
    ("a-Copy1.ipynb", "a.ipynb"),
    ("a-Copy1.ipynb", "a-Copy2.ipynb"),
    ("Copy of a.ipynb", "a.ipynb"),
    ("a copy.ipynb", "a.ipynb"),
    ("a_old.ipynb", "a.ipynb"),
    ("old/a.ipynb", "a.ipynb"),
    ("a-checkpoint.ipynb", "a.ipynb"),
    ("hw9.ipynb", "hw10.ipynb"),
    ("code.zip/a.ipynb", "code (1).zip/a.ipynb"),
    ("finally/a.ipynb", "finally/b.IPYNB"),
]


@pytest.mark.parametrize(("earlier", "later"), LATER, ids=" < ".join)
@pytest.mark.parametrize("turned", [False, True])
def test_the_later_version_is_graded_and_a_line_tells(earlier: str, later: str, turned: bool) -> None:
    order = [later, earlier] if turned else [earlier, later]
    file, notes = chosen(**dict.fromkeys(order, SOLVED))
    assert file == later
    assert notes == (f"{earlier}: is a second notebook; {later} is graded",)


@pytest.mark.parametrize("solved", ["a-Copy1.ipynb", "Copy of a.ipynb", "Untitled.ipynb", "old/x.ipynb", "solution.py"])
def test_what_is_solved_goes_before_the_skeleton_that_was_handed_out(solved: str) -> None:
    text = "class A:\n    def call(self, x):\n        return x\n" if solved.endswith(".py") else SOLVED
    assert chosen(**{"a_final_v9.ipynb": SKELETON, solved: text})[0] == solved


def test_the_notebook_with_more_of_the_items_done_goes_before_the_later_one() -> None:
    half = notebook("class A:\n    def call(self, x):\n        return x", "def f(x):\n    '''To do.'''\n    ...")
    assert chosen(**{"a.ipynb": SOLVED, "a_v2.ipynb": half})[0] == "a.ipynb"


def test_the_last_definition_of_a_name_says_whether_it_is_done() -> None:
    twice = notebook("def f(x):\n    return x\nclass A:\n    x = 1", "def f(x):\n    raise NotImplementedError")
    assert chosen(**{"a.ipynb": SOLVED, "a_v2.ipynb": twice})[0] == "a.ipynb"
    mended = notebook("def f(x):\n    raise NotImplementedError\nclass A:\n    x = 1", "def f(x):\n    return x")
    assert chosen(**{"a.ipynb": SOLVED, "a_v2.ipynb": mended})[0] == "a_v2.ipynb"


def test_a_guard_inside_a_function_is_no_skeleton() -> None:
    guarded = notebook(
        "class A:\n    def call(self, x):\n        if not x:\n            raise NotImplementedError\n        return x",
        "def f(x):\n    return x",
    )
    assert chosen(**{"a.ipynb": SOLVED, "a_v2.ipynb": guarded})[0] == "a_v2.ipynb"


def test_helpers_do_not_make_a_version_the_latest() -> None:
    helped = notebook("class A: x = 1", "def f(x):\n    return x", "def g(): return 1", "def h(): return 2")
    assert chosen(**{"a.ipynb": helped, "a_v2.ipynb": SOLVED})[0] == "a_v2.ipynb"


@pytest.mark.parametrize(
    "body", ["pass", "'''To do.'''", "...", "def call(self):\n        ...", "def call(self): pass"]
)
def test_a_class_without_a_body_is_a_skeleton(body: str) -> None:
    bare = notebook(f"class A:\n    {body}", "def f(x):\n    return x")
    assert chosen(**{"a.ipynb": SOLVED, "a_v2.ipynb": bare})[0] == "a.ipynb"


def test_without_any_item_the_name_counts_less_than_the_code() -> None:
    files = {"a.ipynb": notebook("def g(): return 1"), "plots_final.ipynb": notebook("x = 1")}
    assert chosen(**files)[0] == "a.ipynb"


def test_checkpoints_are_not_read_at_all() -> None:
    file, notes = chosen(**{"a.ipynb": SOLVED, ".ipynb_checkpoints/a_final-checkpoint.ipynb": SOLVED})
    assert (file, notes) == ("a.ipynb", ())


def test_endings_in_capitals_are_read() -> None:
    assert chosen(**{"LAB.IPYNB": SOLVED})[0] == "LAB.IPYNB"
    assert chosen(**{"LAB.PY": "class A: x = 1"})[0] == "LAB.PY"


# The file that the handout asks for ----------------------------------------------------------------------------------

ONE, OTHER = "class A:\n    x = 1", "class A:\n    x = 2\n\n\ndef f(x):\n    return x"


def asked(**files: str) -> tuple[str, tuple[str, ...]]:
    named = tuple(SourceFile(name, "", len(text), text) for name, text in files.items())
    program = read_program(Submission("s", "s", named), WANTED, ("models.py",))
    return program.file, program.notes


@pytest.mark.parametrize("other", ["models_3f.py", "models_v2.py", "zzz.py", "play.ipynb"])
def test_a_file_with_the_name_that_is_asked_for_goes_before_those_that_do_more(other: str) -> None:
    files = {"models.py": ONE, other: notebook(ONE, "def f(x):\n    return x") if "ipynb" in other else OTHER}
    assert asked(**files)[0] == "models.py"


def test_without_anything_done_in_it_the_name_does_not_count() -> None:
    assert asked(**{"models.py": "import torch", "mine.py": OTHER})[0] == "mine.py"


def test_of_two_files_of_that_name_the_one_in_fewer_folders_counts_and_it_is_said() -> None:
    file, notes = asked(**{"a6/models.py": ONE, "a6/play/models.py": OTHER})
    assert file == "a6/models.py"
    assert notes == ("a6/play/models.py: is a second models.py; a6/models.py is graded",)
