from __future__ import annotations

import sys
from types import ModuleType

import pytest

from graders.model import Slice
from graders.notebook import cut_slice
from tests.unit.notebook.build import cut, program, run, sources


def modules(found: Slice) -> dict[str, list[str]]:
    return {name: [statement.source for statement in body] for name, body in found.modules.items()}


@pytest.mark.parametrize(
    ("line", "base"),
    [
        ("import helper", "helper.B"),
        ("import helper as h", "h.B"),
        ("from helper import B", "B"),
        ("from helper import B as C", "C"),
        ("from helper import *", "B"),
    ],
)
def test_an_import_of_the_students_module_brings_it(line: str, base: str) -> None:
    found = cut(program(line, f"class X({base}): pass", helper_py="class B: pass"))
    assert sources(found) == [line, f"class X({base}): pass"]
    assert modules(found) == {"helper": ["class B: pass"]}
    assert found.undefined == ()


def test_a_module_that_is_not_needed_is_not_brought() -> None:
    assert not cut(program("import helper", "class X: pass", helper_py="class B: pass")).modules


def test_an_import_inside_a_function_brings_its_module() -> None:
    found = cut(program("def X():\n    from helper import B\n    return B", helper_py="class B: pass"))
    assert list(found.modules) == ["helper"]


def test_only_definitions_of_a_module_are_run() -> None:
    text = "import os\nN = 1\ndata = load_data()\nshape = data.shape\nprint(N)\nclass B: pass\nB.n = N\nB().fit()\n"
    found = cut(program("import helper\nX = helper.B", helper_py=text))
    assert modules(found)["helper"] == ["import os", "N = 1", "class B: pass", "B.n = N"]


def test_the_main_block_of_a_module_is_not_run() -> None:
    text = "class B: pass\nif __name__ == '__main__':\n    b = B()"
    assert modules(cut(program("import helper\nX = helper.B", helper_py=text)))["helper"] == ["class B: pass"]


def test_modules_bring_modules_and_cycles_end() -> None:
    found = cut(
        program("from a import A as X", a_py="import b\nclass A: pass", b_py="import a\nfrom c import *", c_py="n = 1")
    )
    assert list(found.modules) == ["a", "b", "c"]


def test_star_imports_may_go_round_in_a_circle() -> None:
    found = cut(
        program("from a import *\ndef X(): return A, B", a_py="from b import *\nA = 1", b_py="from a import *\nB = 1")
    )
    assert found.undefined == ()


def test_a_package_comes_with_its_module() -> None:
    found = cut(program("import pkg.helper as h\nX = h.B", pkg__helper_py="class B: pass"))
    assert modules(found) == {"pkg": [], "pkg.helper": ["class B: pass"]}


def test_a_relative_import_is_made_absolute() -> None:
    found = cut(program("from .helper import B as C\nfrom . import helper\nX = C, helper.B", helper_py="class B: pass"))
    assert sources(found)[:2] == ["from helper import B as C", "import helper"]


def test_a_name_that_its_module_cannot_have_is_not_imported() -> None:
    found = cut(program("from helper import B, data", "X = B", helper_py="class B: pass\ndata = load_data()"))
    assert sources(found) == ["from helper import B", "X = B"]


def test_a_heavy_function_of_a_module_is_known() -> None:
    text = "def read(): return open('x')\ndef names(): return read()"
    for line, call in [
        ("from helper import names", "names"),
        ("import helper as h", "h.names"),
        ("from helper import *", "names"),
    ]:
        assert cut(program(line, f"n = {call}()", "def X(): return n", helper_py=text)).undefined == ("n",)


def test_an_item_in_an_imported_module_is_found() -> None:
    found = cut(program("from helper import *", helper_py="class X:\n    def __init__(self, a): pass"))
    assert (found.found, found.parameters) == ({"X": "X"}, {"X": ("a",)})
    assert sources(found) == ["from helper import *"]


def test_an_item_in_a_module_that_is_not_imported_is_taken_from_there() -> None:
    found = cut(program("class Y: pass", helper_py="class X:\n    def __init__(self, a): pass"))
    assert sources(found) == ["from helper import X"]
    assert found.parameters == {"X": ("a",)}
    assert found.notes == ("X: is in helper, which is not imported; it is taken from there",)


def test_an_item_of_an_unimported_module_serves_the_others() -> None:
    found = cut_slice(program("class X(P): pass", helper_py="class P: pass"), {"C3": ["P"], "C6": ["X"]}, "C6")
    assert sources(found) == ["from helper import P", "class X(P): pass"]


def test_an_item_of_a_second_notebook_is_taken_from_there() -> None:
    from tests.unit.notebook.build import notebook

    found = cut(program("class Y: pass\nclass Z: pass", part2_ipynb=notebook("class X: pass")))
    assert sources(found) == ["from part2 import X"]


def test_a_library_is_not_shadowed() -> None:
    found = cut(program("import numpy as np\nX = np.array", numpy_py="def array(): pass"))
    assert not found.modules


def test_a_provided_item_is_left_out_of_modules_too() -> None:
    files = {"helper_py": "class P: pass\nclass Q(P): pass"}
    found = cut_slice(
        program("from helper import P, Q", "class X(Q): pass", **files),
        {"C3": ["P"], "C6": ["X"]},
        "C6",
        provided=["C3"],
    )
    assert sources(found)[0] == "from helper import Q"
    assert modules(found) == {"helper": ["class Q(P): pass"]}


def test_a_change_of_what_an_own_module_defines_is_taken() -> None:
    found = cut(program("from helper import X", "X.n = 1", helper_py="class X: pass"))
    assert sources(found) == ["from helper import X", "X.n = 1"]


def test_a_slice_with_its_modules_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = cut(
        program(
            "from helper import *",
            "class X(B): n = double(N)",
            helper_py="N = 2\nclass B: pass\ndef double(x): return 2 * x",
        )
    )
    for name, body in found.modules.items():
        module = ModuleType(name)
        for statement in body:
            exec(statement.source, module.__dict__)
        monkeypatch.setitem(sys.modules, name, module)
    assert run(found)["X"].n == 4
