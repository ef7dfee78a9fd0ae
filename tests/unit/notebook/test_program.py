from __future__ import annotations

import threading

import pytest

from graders.model import SourceFile, Submission
from graders.notebook import read_program, with_given
from tests.unit.notebook.build import notebook, submission


def test_no_code_at_all_is_said() -> None:
    found = read_program(Submission("s", "s", (SourceFile("report.pdf", "", 1, None),)))
    assert (found.main, found.file) == ((), "")
    assert found.notes == ("there is no code in it: hand in an .ipynb or .py file",)


def test_the_notebook_goes_before_the_script() -> None:
    files = submission(a_ipynb=notebook("class A: pass"), b_py="class A: pass\nclass B: pass")
    assert read_program(files).file == "a.ipynb"


def test_the_notebook_with_most_definitions_is_the_main_file() -> None:
    files = submission(b_ipynb=notebook("x = 1"), a_ipynb=notebook("class A: pass"))
    found = read_program(files)
    assert found.file == "a.ipynb"
    assert "b.ipynb: is a second notebook; a.ipynb is graded" in found.notes


def test_the_wanted_names_count_most() -> None:
    files = submission(a_ipynb=notebook("class Gated_ResNet: pass"), b_ipynb=notebook("def f(): pass\ndef g(): pass"))
    assert read_program(files, ["GatedResnet"]).file == "a.ipynb"


def test_a_tie_goes_to_the_last_name() -> None:
    files = submission(hw1_ipynb=notebook("class A: pass"), hw2_ipynb=notebook("class A: pass"))
    assert read_program(files, ["A"]).file == "hw2.ipynb"


def test_a_script_with_the_items_goes_before_a_notebook_without() -> None:
    files = submission(plots_ipynb=notebook("def draw(): pass"), models_py="class A: pass")
    assert read_program(files, ["A"]).file == "models.py"


def test_a_notebook_that_cannot_be_read_leaves_the_script() -> None:
    found = read_program(submission(a_ipynb="no", b_py="class A: pass"))
    assert found.file == "b.py"
    assert any(note.startswith("a.ipynb: is not a notebook") for note in found.notes)


def test_other_scripts_are_modules_by_all_their_names() -> None:
    found = read_program(submission(work__hw_ipynb=notebook("class A: pass"), work__pkg__helper_py="class B: pass"))
    assert list(found.modules) == ["helper", "pkg.helper", "work.pkg.helper"]


def test_the_module_beside_the_main_file_comes_first() -> None:
    files = submission(a__util_py="A = 1", b__hw_ipynb=notebook("class A: pass"), b__util_py="B = 2")
    assert read_program(files).modules["util"][0].statement.source == "B = 2"


def test_a_package_is_a_module() -> None:
    found = read_program(submission(hw_ipynb=notebook("class A: pass"), **{"pkg/__init__.py": "x = 1"}))
    assert list(found.modules) == ["pkg"]


def test_a_file_never_stands_for_a_library() -> None:
    found = read_program(submission(hw_ipynb=notebook("class A: pass"), tensorflow_py="x = 1", random_py="x = 1"))
    assert not found.modules
    assert "tensorflow.py: has the name of a library and is not used as a module; rename it" in found.notes


def test_files_of_tools_are_not_read() -> None:
    names = ["__MACOSX/._hw.py", ".ipynb_checkpoints/hw-checkpoint.ipynb", "venv/lib/site-packages/x.py"]
    files = tuple(SourceFile(name, "", 1, "class A: pass") for name in names)
    assert read_program(Submission("s", "s", files)).main == ()


def test_a_place_in_a_second_notebook_names_it() -> None:
    files = submission(a_ipynb=notebook("class A: pass\nclass B: pass"), b_ipynb=notebook("class C: pass\nx = = 1"))
    found = read_program(files)
    assert found.modules["b"][0].statement.place == "b.ipynb, cell 1"
    assert "b.ipynb, cell 1, line 2: invalid syntax" in found.notes


def test_too_many_notes_are_counted() -> None:
    found = read_program(submission(a_py="import x y\n" * 50))
    assert len(found.notes) == 21
    assert found.notes[-1] == "a.py: 30 more such lines"


def test_too_many_statements_are_left_out_with_a_note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.notebook.program.MOST_STATEMENTS", 10)
    found = read_program(submission(a_py="x=1\n" * 20))
    assert len(found.main) == 10
    assert found.notes == ("a.py: there is too much code; what follows was not read",)


def test_too_many_scripts_are_left_out_with_a_note() -> None:
    files = tuple(SourceFile(f"a{i}.py", "", 1, "#" * 1_000_000) for i in range(5))
    notes = read_program(Submission("s", "s", files)).notes
    assert "a3.py: was not read, there is too much code before it" in notes


def test_names_of_files_are_printable() -> None:
    found = read_program(Submission("s", "s", (SourceFile("a\ud800.ipynb", "", 1, "no"),)))
    assert all(note.encode() for note in (*found.notes, found.file))


def test_threads_do_not_disturb_each_other() -> None:
    results: list[int] = []
    files = submission(a_py="x = '\\d'\n" * 50)
    threads = [threading.Thread(target=lambda: results.append(len(read_program(files).main))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [50] * 8


# Files that were handed out ------------------------------------------------------------------------------------------

GIVEN = {"ssim.py": "def ssim(x):\n    return x\n", "other.py": "y = 1\n"}


@pytest.mark.parametrize("source", ["from ssim import ssim\n", "import ssim as s\n", "def f():\n    import ssim\n"])
def test_what_was_handed_out_and_is_imported_belongs_to_the_program(source: str) -> None:
    program = with_given(read_program(Submission("s", "s", (SourceFile("a.py", "", 1, source),))), GIVEN)
    assert set(program.modules) == {"ssim"}
    assert program.modules["ssim"][0].binds == {"ssim"}


def test_a_student_s_own_copy_goes_before_the_one_that_was_handed_out() -> None:
    files = {"a.py": "from ssim import ssim\n", "ssim.py": "ssim = max\n"}
    submission = Submission("s", "s", tuple(SourceFile(name, "", len(text), text) for name, text in files.items()))
    program = with_given(read_program(submission, ["ssim"], ["a.py"]), GIVEN)
    assert [one.statement.source for one in program.modules["ssim"]] == ["ssim = max"]


def test_what_nobody_imports_is_left_out() -> None:
    program = read_program(Submission("s", "s", (SourceFile("a.py", "", 1, "x = 1\n"),)))
    assert with_given(program, GIVEN).modules == program.modules
