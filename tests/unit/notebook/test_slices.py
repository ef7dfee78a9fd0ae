from __future__ import annotations

import pytest

from graders.notebook import cut_slice, normalised
from tests.unit.notebook.build import cut, program, run, sliced, sources

# What is in it --------------------------------------------------------------------------------------------------------


def test_it_holds_what_the_item_needs_and_nothing_else() -> None:
    cells = [
        "import a, b\nimport c",
        "y = 1",
        "def f(): return a",
        "z = 2",
        "class X:\n    def g(self): return f() + y",
    ]
    assert sliced(*cells) == ["import a, b", "y = 1", "def f(): return a", cells[-1]]


def test_a_local_variable_is_not_a_global() -> None:
    assert len(sliced("model = Net()", "class X:\n    def f(self):\n        model = 1\n        return model")) == 1


def test_a_missing_item_gives_no_statements() -> None:
    found = cut(program("from a import *\ntf.random.set_seed(1)\nclass A: pass"))
    assert (found.statements, found.found) == ((), {})


def test_several_items_make_one_slice() -> None:
    found = program("class A: pass", "class B: pass", "class C: pass")
    names = {"C1": ["A"], "C2": ["B"], "C3": ["C"]}
    assert sources(cut_slice(found, names, ["C3", "C1"])) == ["class A: pass", "class C: pass"]


def test_what_is_used_at_once_is_the_binding_before_it() -> None:
    assert sliced("b = 1", "class X:\n    y = b", "b = 2") == ["b = 1", "class X:\n    y = b"]


def test_what_is_used_later_is_the_last_binding() -> None:
    assert sliced("b = 1", "class X:\n    def f(self): return b", "b = 2")[1:] == ["b = 2"]


def test_cells_out_of_order_are_put_in_order() -> None:
    cells = ["class X(Base): pass", "class Base(Root): pass", "Root = object"]
    assert sliced(*cells) == cells[::-1]


def test_what_a_called_function_needs_comes_before_the_call() -> None:
    cells = ["def make(): return helper()", "X = make()", "def helper(): return n", "n = 3"]
    found = cut(program(*cells))
    assert run(found)["X"] == 3


def test_what_a_constructor_needs_comes_before_the_call() -> None:
    cells = ["class A:\n    def __init__(self): self.n = N", "X = A()", "N = 3"]
    assert run(cut(program(*cells)))["X"].n == 3


def test_a_class_does_not_wait_for_what_its_methods_name() -> None:
    cells = ["class X:\n    def f(self): return Y()", "class Y(X): pass"]
    assert sliced(*cells) == cells


def test_a_decorator_needs_its_helpers_first() -> None:
    cells = ["def deco(f): return wrap(f)", "@deco\ndef X(): return 1", "def wrap(f): return f"]
    assert run(cut(program(*cells)))["X"]() == 1


def test_a_class_may_extend_its_former_self() -> None:
    cells = ["class X:\n    a = 1", "class X(X):\n    b = 2"]
    assert sliced(*cells) == cells


def test_mutual_recursion_keeps_document_order() -> None:
    cells = ["def X(): return g()", "def g(): return X()"]
    assert sliced(*cells) == cells


def test_a_cycle_at_once_falls_back_to_document_order() -> None:
    cells = ["class X(Y): pass", "class Y(X): pass"]
    assert sorted(sliced(*cells)) == sorted(cells)


def test_the_last_definition_counts_with_a_note() -> None:
    found = cut(program("class X: a = 1", "pass", "class X: a = 2"))
    assert sources(found) == ["class X: a = 2"]
    assert found.notes == ("X is defined twice, in cell 1 and cell 3: the last one counts",)


def test_a_helper_defined_twice_in_one_cell_is_noted() -> None:
    found = cut(program("def f(): pass\ndef f(): pass\ndef X(): f()"))
    assert found.notes == ("f is defined twice, in cell 1: the last one counts",)


def test_del_is_ignored() -> None:
    assert sliced("n = 1\nclass X:\n    def f(self): return n", "del n")[0] == "n = 1"


# Changes of an object -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "X.call = f",
        "setattr(X, 'call', f)",
        "X.names.append(f)",
        "for n in 'ab':\n    X.names[n] = f",
        "X.call: object = f",
    ],
)
def test_a_change_of_the_item_belongs_to_it(change: str) -> None:
    assert sliced("class X: names = []", "def f(self): pass", change)[-1] == change


def test_a_change_between_two_bindings_belongs_to_the_first() -> None:
    cells = ["c = {}", "c['a'] = 1", "base = c", "c = {}", "c['b'] = 2", "def X(): return base"]
    assert sliced(*cells) == ["c = {}", "c['a'] = 1", "base = c", "def X(): return base"]


def test_augmented_assignments_are_chained() -> None:
    assert run(cut(program("X = 1", "X += 1", "X += 2")))["X"] == 4


def test_a_change_of_a_library_is_left_out() -> None:
    cells = ["import keras", "keras.backend.x = 1", "class X(keras.Layer): pass"]
    assert sliced(*cells) == [cells[0], cells[2]]


def test_a_change_above_the_definition_comes_after_it() -> None:
    assert sliced("X.a = 1", "class X: pass") == ["class X: pass", "X.a = 1"]


# Compound statements --------------------------------------------------------------------------------------------------


def test_a_compound_statement_is_taken_whole() -> None:
    cells = [
        "try:\n    import a\nexcept ImportError:\n    a = None",
        "if a:\n    n = 1\nelse:\n    n = 2",
        "def X(): return n",
    ]
    assert sliced(*cells) == cells


def test_a_condition_that_may_bind_nothing_needs_the_binding_before() -> None:
    assert run(cut(program("n = 1", "if False:\n    n = 2", "def X(): return n")))["X"]() == 1


def test_training_under_the_main_guard_is_left_out() -> None:
    found = cut(program("class X: pass", "if __name__ == '__main__':\n    X.n = 1\n    X().fit()"))
    assert sources(found) == ["class X: pass"]


# Always ---------------------------------------------------------------------------------------------------------------


def test_star_imports_go_to_the_front() -> None:
    cells = ["class X(Layer): pass", "from __future__ import annotations", "from keras.layers import *", "import y"]
    assert sliced(*cells) == ["from __future__ import annotations", "from keras.layers import *", cells[0]]


def test_settings_are_taken_with_what_they_need() -> None:
    cells = ["import tensorflow as tf", "SEED = 1", "tf.random.set_seed(SEED)", "class X: pass"]
    assert sliced(*cells) == cells


def test_a_setting_that_cannot_run_is_left_out() -> None:
    assert sliced("set_seed(1)", "class X: pass") == ["class X: pass"]
    assert sliced("import tf\nn = input()\ntf.set_seed(n)", "class X: pass") == ["class X: pass"]


def test_imports_are_taken_only_when_needed() -> None:
    assert sliced("from google.colab import drive", "import graders", "graders.check('X')", "class X: pass") == [
        "class X: pass"
    ]


def test_all_imports_of_submodules_are_taken() -> None:
    assert sliced("import a.b", "import a.c", "class X(a.b.Y): pass") == [
        "import a.b",
        "import a.c",
        "class X(a.b.Y): pass",
    ]


# Never ----------------------------------------------------------------------------------------------------------------


def test_a_name_that_only_data_binds_stays_undefined_with_a_note() -> None:
    found = cut(program("import glob", "paths = glob.glob('x')", "def X(): return paths"))
    assert sources(found) == ["def X(): return paths"]
    assert found.undefined == ("paths",)
    assert found.notes == ("cell 2: `paths = glob.glob('x')` reads data and is not run",)


def test_a_binding_that_can_run_stands_in_for_one_that_cannot() -> None:
    assert sliced("n = 1", "n = len(open('x').read())", "def X(): return n") == ["n = 1", "def X(): return n"]


def test_what_needs_data_at_once_is_not_run_either() -> None:
    found = cut(program("x = load_data()\nshape = x.shape\nsize = shape[0]", "def X(): return size"))
    assert sources(found) == ["def X(): return size"]
    assert found.notes == ("cell 1: `size = shape[0]` needs `shape` and is not run",)


@pytest.mark.parametrize(
    "helper",
    [
        "def train(): model.fit()",
        "def train():\n    def inner(): model.fit()\n    inner()",
        "def run(): model.fit()\ndef train(): run()",
        "class train:\n    def __init__(self): model.fit()",
        "class train:\n    def __init__(self): self.go()\n    def go(self): model.fit()",
        "class Base:\n    def __init__(self): model.fit()\nclass train(Base): pass",
        "train = lambda: model.fit()",
    ],
)
def test_a_call_that_trains_in_the_end_is_not_run(helper: str) -> None:
    assert cut(program(helper, "n = train()", "def X(): return n")).undefined == ("n",)


@pytest.mark.parametrize(
    "helper",
    ["def make():\n    def step(): model.fit()\n    return step", "class make:\n    def train(self): model.fit()"],
)
def test_a_call_that_does_not_train_yet_is_run(helper: str) -> None:
    assert "n = make()" in sliced(helper, "n = make()", "def X(): return n")


def test_a_class_is_taken_even_when_its_body_reads_data() -> None:
    assert sliced("class X:\n    data = open('x')") == ["class X:\n    data = open('x')"]


def test_a_heavy_change_is_left_out() -> None:
    assert sliced("class X: pass", "X.data = load()") == ["class X: pass"]


def test_an_object_in_the_place_of_its_class_does_not_hide_it() -> None:
    assert sliced("class X: pass", "X = X(3)") == ["class X: pass"]


def test_a_wrapped_definition_is_taken() -> None:
    assert sliced("def w(f): return f", "def X(): pass", "X = w(X)")[-1] == "X = w(X)"


def test_a_builtin_spoiled_below_is_the_builtin() -> None:
    assert sliced("def X(a): return sum(a)", "sum = 0") == ["def X(a): return sum(a)"]
    assert sliced("sum = 0", "def X(a): return sum(a)") == ["sum = 0", "def X(a): return sum(a)"]


# Undefined, provided --------------------------------------------------------------------------------------------------


def test_needed_names_bound_nowhere_are_undefined() -> None:
    found = cut(program("class X(A):\n    def f(self): return given(b, len)"), given=["given"])
    assert found.undefined == ("A", "b", "given")


def test_star_imports_excuse_no_undefined_name() -> None:
    assert cut(program("from a import *", "class X(Layer): pass")).undefined == ("Layer",)


def test_a_provided_item_is_left_out_with_what_it_alone_needs() -> None:
    cells = [
        "import a",
        "def f(): pass",
        "class P:\n    def g(self): return f(), a",
        "P.x = 1",
        "class X:\n    y = a, P",
    ]
    found = cut(program(*cells), names={"C3": ["P"], "C6": ["X"]}, target="C6", provided=["C3"])
    assert sources(found) == ["import a", cells[-1]]
    assert (found.undefined, found.found) == ((), {"C3": "P", "C6": "X"})


def test_a_provided_item_that_the_student_lacks_is_not_undefined() -> None:
    found = cut(program("class X(P): pass"), names={"C3": ["P"], "C6": ["X"]}, target="C6", provided=["C3"])
    assert found.undefined == ()


# Parameters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("class X:\n    def __init__(self, a, /, b=1, *args, c, **kw): pass", ("a", "b", "*args", "c", "**kw")),
        ("class X:\n    def __init__(self): pass", ()),
        ("class B:\n    def __init__(self, a): pass\nclass X(B): pass", ("a",)),
        ("class X:\n    def __init__(self, a): pass\nclass X(X): pass", ("a",)),
        ("def X(a, *, b): pass", ("a", "b")),
        ("def f(a): pass\nX = f", ("a",)),
        ("if True:\n    def X(a): pass", ("a",)),
        ("class X(keras.Layer): pass", None),
        ("X = make()", None),
        ("class X(X): pass", None),
    ],
)
def test_parameters(code: str, expected: tuple[str, ...] | None) -> None:
    assert cut(program(code)).parameters.get("X") == expected


# Text -----------------------------------------------------------------------------------------------------------------


def test_line_numbers_are_those_of_the_cell() -> None:
    found = run(cut(program("a = 1", "%matplotlib inline\n\ndef X():\n    pass")))
    code = found["X"].__code__
    assert (code.co_filename, code.co_firstlineno) == ("cell 2", 3)


def test_equal_code_is_normalised_to_equal_text() -> None:
    one = cut(program("class X:\n    def f(self): return 1"))
    two = cut(program("!ls", "# mine\nclass X :\n\n  def f( self ):\n    return (1)  # one"))
    assert normalised(one) == normalised(two)


def test_other_code_is_normalised_to_other_text() -> None:
    assert normalised(cut(program("X = 1"))) != normalised(cut(program("X = 2")))


def test_deep_nesting_is_normalised_all_the_same() -> None:
    assert normalised(cut(program("X = 1" + "+1" * 900)))


def test_a_slice_is_the_same_every_time() -> None:
    cells = ["a = b = c = 1", "class X:\n    def f(self): return a, b, c, d, e", "d = e = 2"]
    assert len({str(cut(program(*cells))) for _ in range(5)}) == 1
