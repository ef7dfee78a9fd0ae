from __future__ import annotations

import contextlib
import inspect
import linecache
import sys
import traceback
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from graders.model import Experiment, Failure, Slice, Statement
from graders.probes import runner, wire
from graders.probes.draw import Draw
from graders.probes.student import NotDefinedError, Student
from tests.unit.evidence import piece

ORDERS = {"C3": ("num_filters", "filter_size"), "C6": ("num_filters", "activation")}


@pytest.fixture(autouse=True)
def interpreter_left_as_it_was() -> Iterator[None]:
    """The runner changes its process for good: it has one of its own. Here it has not."""
    path, modules, cache = list(sys.meta_path), set(sys.modules), set(linecache.cache)
    yield
    sys.meta_path[:] = path
    for name in set(sys.modules) - modules:
        if name.startswith(("student_", "layers_")):
            del sys.modules[name]
    for name in set(linecache.cache) - cache:
        del linecache.cache[name]


def order(found: Slice, **more: Any) -> wire.Order:
    return wire.Order("pixelcnn", "C3", 1, found, **more)


def failure(found: Slice, **more: Any) -> Failure:
    """How the slice of an order fails to load."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - each test looks at what it was
        runner.load(order(found, **more), ORDERS)
    return runner.failure_of(caught.value, runner.places_of(found))


# Slices --------------------------------------------------------------------------------------------------------------


def test_statements_run_in_their_order_in_one_namespace() -> None:
    found = runner.execute(piece("a = 1", "def f():\n    return a + b", "b = 2", "c = f()"), {})
    assert found["c"] == 3


def test_a_slice_runs_as_the_main_program() -> None:
    namespace = runner.load(order(piece("main = __name__ == '__main__'")), ORDERS)
    assert namespace["main"] is True


def test_a_failure_names_cell_and_line_as_the_student_sees_them() -> None:
    found = Slice((Statement("cell 4", 12, "def f(x):\n    return 1 / x"), Statement("cell 7", 3, "f(0)")))
    assert failure(found) == Failure("ZeroDivisionError", "division by zero", "cell 4, line 13")


def test_a_failure_inside_a_library_names_the_students_line_that_led_there() -> None:
    assert failure(piece("import json", "x = 1", "json.loads('[')")).where == "cell 1, line 3"


def test_a_syntax_error_names_its_line() -> None:
    found = failure(piece("x = 1", "y = = 2", place="cell 9"))
    assert (found.kind, found.where) == ("SyntaxError", "cell 9, line 2")


def test_a_failure_outside_all_the_students_places_names_no_place() -> None:
    found = runner.failure_of(ValueError("no"), {"cell 1"})
    assert found == Failure("ValueError", "no", "")


def test_source_text_is_there_for_inspect_and_tracebacks() -> None:
    source = "def f(x):\n    return x + 1"
    namespace = runner.load(order(Slice((Statement("cell 5", 20, source),))), ORDERS)
    assert inspect.getsource(namespace["f"]).strip() == source
    with pytest.raises(TypeError) as caught:
        namespace["f"](None)
    assert traceback.extract_tb(caught.value.__traceback__)[-1].line == "return x + 1"


class UnreadableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no words")


def test_an_exception_whose_text_cannot_be_had_is_still_a_failure() -> None:
    found = failure(piece("class E(Exception):\n    def __str__(self):\n        raise RuntimeError", "raise E"))
    assert found == Failure("E", "a message that cannot be read", "cell 1, line 4")
    assert runner.message_of(UnreadableError()) == "a message that cannot be read"


@pytest.mark.parametrize(
    ("raised", "shown"),
    [
        ("\x1b[1mno such \x1b[31maxis\x1b[0m", "no such axis"),
        (
            "Exception encountered when calling Layer.call().\n\n\x1b[1mbad\x1b[0m\n\nArguments received by L:\n  x",
            "bad",
        ),
        ("  spaces  ", "spaces"),
        ("x" * 700, "x" * 597 + "..."),
    ],
)
def test_messages_are_told_without_colours_and_wrapping_and_not_at_length(raised: str, shown: str) -> None:
    assert runner.failure_of(ValueError(raised), ()).message == shown


@pytest.mark.parametrize("source", ["raise SystemExit(3)", "raise KeyboardInterrupt", "exit()"])
def test_leaving_the_program_while_loading_is_a_failure_like_any_other(source: str) -> None:
    (name, experiment), *rest = runner.run(order(piece(source)))
    assert (name, rest) == ("loading", [])
    assert experiment.failure is not None
    assert experiment.failure.where.endswith("line 1") or source == "exit()"


# Modules of the student's own ----------------------------------------------------------------------------------------


def module(*sources: str, place: str = "student_layers.py") -> tuple[Statement, ...]:
    return piece(*sources, place=place).statements


def test_modules_of_a_submission_can_be_imported_one_from_another() -> None:
    modules = {
        "student_layers": module("from student_tools import double", "four = double(2)"),
        "student_tools": module("def double(x):\n    return 2 * x", place="student_tools.py"),
    }
    assert runner.execute(piece("import student_layers", "x = student_layers.four", modules=modules), {})["x"] == 4


def test_a_module_in_a_folder_brings_its_folder_as_a_package() -> None:
    modules = {"student_package.deep.layers": module("four = 4")}
    found = piece("from student_package.deep.layers import four", modules=modules)
    assert runner.execute(found, {})["four"] == 4


def test_a_failure_in_a_module_names_its_line_there() -> None:
    found = failure(piece("import student_layers", modules={"student_layers": module("x = 1", "y = 1 / 0")}))
    assert found == Failure("ZeroDivisionError", "division by zero", "student_layers.py, line 2")


def test_modules_see_what_is_given_from_outside() -> None:
    modules = {"student_layers": module("six = helper(5)")}
    given = piece("def helper(x):\n    return x + 1", found={"helper": "helper"})
    namespace = runner.load(order(piece("from student_layers import six", modules=modules), given=given), ORDERS)
    assert namespace["six"] == 6


# What the reference gives --------------------------------------------------------------------------------------------

HELPER = piece("hidden = 1", "def helper(x):\n    return x + hidden", found={"helper": "helper"})
LAYER = piece(
    "class Right:\n    def __init__(self, num_filters, filter_size=2):\n        self.seen = (num_filters, filter_size)",
    place="solution.py",
)


def test_given_functions_are_there_and_nothing_else_of_theirs() -> None:
    namespace = runner.load(order(piece("y = helper(2)"), given=HELPER), ORDERS)
    assert namespace["y"] == 3
    assert "hidden" not in namespace


def test_the_students_own_function_takes_the_place_of_a_given_one() -> None:
    namespace = runner.load(order(piece("def helper(x):\n    return 0", "y = helper(2)"), given=HELPER), ORDERS)
    assert namespace["y"] == 0


def test_a_provided_class_goes_by_the_students_name_and_is_called_as_the_students_own_was() -> None:
    student = piece(
        "made = MyConv(kernel=5, n_filter=3).seen",
        "by_place = MyConv([1, 2], 4).seen",
        found={"C3": "MyConv"},
        parameters={"MyConv": ("kernel", "n_filter")},
    )
    namespace = runner.load(order(student, provided_slice=LAYER, provided={"C3": "Right"}), ORDERS)
    assert (namespace["made"], namespace["by_place"]) == ((3, 5), (4, [1, 2]))


def test_a_provided_class_that_the_student_does_not_have_goes_by_the_references_name() -> None:
    namespace = runner.load(
        order(piece("made = Right(3, 5).seen"), provided_slice=LAYER, provided={"C3": "Right"}), ORDERS
    )
    assert namespace["made"] == (3, 5)


def test_a_provided_class_leaves_out_what_the_handout_does_not_know() -> None:
    student = piece(
        "made = MyConv(3, name='conv', dtype='float32').seen",
        found={"C3": "MyConv"},
        parameters={"MyConv": ("filters", "**kwargs")},
    )
    namespace = runner.load(order(student, provided_slice=LAYER, provided={"C3": "Right"}), ORDERS)
    assert namespace["made"] == (3, 2)


def test_a_provided_function_is_called_as_the_students_own_was() -> None:
    student = piece(
        "by_place = my_energy(1, 2)",
        "by_name = my_energy(image=3, net=4, verbose=True)",
        found={"C3": "my_energy"},
        parameters={"my_energy": ("image", "net", "**kwargs")},
    )
    energy = piece("def energy(model, data, label=None):\n    return model, data, label", found={"C3": "energy"})
    given = order(student, provided_slice=energy, provided={"C3": "energy"})
    namespace = runner.load(given, {"C3": ("model", "data", "label")})
    assert (namespace["by_place"], namespace["by_name"]) == ((2, 1, None), (4, 3, None))


def test_a_function_of_the_students_is_called_with_the_handouts_arguments() -> None:
    names = runner.execute(piece("def f(net, x, y=0, *, size=9):\n    return net, x, y, size"), {})
    student = Student(names, {"C3": "f"}, {"C3": ("model", "data", "label", "size")})
    assert student.call("C3", data=2, model=1) == (1, 2, 0, 9)
    assert student.call("C3", model=1, data=2, label=3, size=4) == (1, 2, 3, 4)
    with pytest.raises(NotDefinedError):
        student.call("C6", model=1)


def test_a_student_may_build_on_a_provided_class() -> None:
    student = piece(
        "class Masked(MyConv):\n    def __init__(self):\n        super().__init__(3, 5)",
        "made = Masked().seen",
        found={"C3": "MyConv"},
        parameters={"MyConv": ("filters", "kernel")},
    )
    assert runner.load(order(student, provided_slice=LAYER, provided={"C3": "Right"}), ORDERS)["made"] == (3, 5)


def test_the_source_of_what_is_provided_is_not_laid_open() -> None:
    peek = piece("import linecache", "seen = linecache.getlines('solution.py')")
    assert runner.load(order(peek, provided_slice=LAYER, provided={"C3": "Right"}), ORDERS)["seen"] == []


# Experiments ---------------------------------------------------------------------------------------------------------


def test_an_experiment_parts_values_from_arrays() -> None:
    found = runner.attempt(lambda: {"count": 3, "outputs": np.ones(2)}, ())
    assert found.values == {"count": 3}
    assert list(found.arrays) == ["outputs"]


def test_an_experiment_that_raises_costs_itself_alone() -> None:
    lab = types.SimpleNamespace(prepared=contextlib.nullcontext)

    class Grader:
        def probe(self, student: Student, lab: Any, draw: Draw) -> Any:
            return {"one": lambda: {"seed": draw.seed}, "two": lambda: student.definition("C9"), "three": dict}

    student = Student({}, {}, ORDERS)
    found = dict(runner.experiments(Grader(), student, lab, Draw(7, "C3"), ()))
    assert found["one"] == Experiment({"seed": 7})
    assert found["two"].failure == Failure("NotDefinedError", "C9 is not defined")
    assert found["three"] == Experiment()


@pytest.mark.parametrize("measured", [None, 3, [1]])
def test_an_experiment_that_returns_no_mapping_is_a_failure(measured: Any) -> None:
    assert runner.attempt(lambda: measured, ()).failure is not None


@pytest.mark.parametrize("array", [np.array(["text"]), np.array(None), np.array([1j])])
def test_an_array_that_cannot_be_sent_is_a_failure_of_its_experiment(array: np.ndarray) -> None:
    wire.pack("shapes", runner.attempt(lambda: {"target": array}, ()))


def test_places_are_those_of_statements_and_modules() -> None:
    found = piece("x = 1", modules={"student_layers": module("y = 1")})
    assert runner.places_of(found) == {"cell 1", "student_layers.py"}


def test_compiled_statements_keep_their_lines() -> None:
    code = runner.compiled(Statement("cell 2", 40, "x = 1\ny = 2"))
    assert code.co_filename == "cell 2"
    assert {line for *_, line in code.co_lines() if line} >= {40, 41}


# The student's definitions -------------------------------------------------------------------------------------------


def test_a_student_builds_objects_with_the_handouts_arguments() -> None:
    student = Student({"MyConv": lambda kernel, n_filter: (n_filter, kernel)}, {"C3": "MyConv"}, ORDERS)
    assert student.build("C3", num_filters=3, filter_size=2) == (3, 2)
    assert student.parameters("C3") == ["kernel", "n_filter"]


@pytest.mark.parametrize("names", [{}, {"C3": "MyConv"}])
def test_what_the_student_does_not_define_is_named(names: dict[str, str]) -> None:
    with pytest.raises(NotDefinedError, match=f"{names.get('C3', 'C3')} is not defined"):
        Student({}, names, ORDERS).definition("C3")
