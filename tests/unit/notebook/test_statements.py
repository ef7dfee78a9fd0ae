from __future__ import annotations

import time

import pytest

from graders.notebook.cells import Cell
from graders.notebook.statements import Parsed, parse_cell


def parse(text: str) -> tuple[list[str], list[str]]:
    statements, notes = parse_cell(Cell("cell 4", text))
    return [parsed.statement.source for parsed in statements], notes


def one(text: str) -> Parsed:
    (parsed,), notes = parse_cell(Cell("cell 4", text))
    assert notes == []
    return parsed


# Text -----------------------------------------------------------------------------------------------------------------


def test_a_statement_keeps_its_exact_text_and_line() -> None:
    parsed = one("\n# why\n@a\n@b( 1 )\nclass A :  # x\n    def f(self): return 1 # y")
    assert parsed.statement.source == "@a\n@b( 1 )\nclass A :  # x\n    def f(self): return 1"
    assert parsed.statement.line == 3


def test_statements_on_one_line_are_cut_apart() -> None:
    assert parse("x = 'é'; y = 2 ;z=3")[0] == ["x = 'é'", "y = 2", "z=3"]


def test_warnings_of_student_text_are_not_shown() -> None:
    assert parse("x = '\\d'")[0] == ["x = '\\d'"]  # warnings are errors in these tests


# Salvage --------------------------------------------------------------------------------------------------------------


def test_a_syntax_error_costs_only_its_statement() -> None:
    kept, notes = parse("a = 1\nb = = 2\nc = 3")
    assert kept == ["a = 1", "c = 3"]
    assert notes == ["cell 4, line 2: invalid syntax"]


def test_an_open_bracket_does_not_eat_the_definition_below() -> None:
    kept, notes = parse("x = foo(1,\nclass A:\n    pass\ndef f():\n    pass\n")
    assert kept == ["class A:\n    pass", "def f():\n    pass"]
    assert notes == ["cell 4, line 1: '(' was never closed"]


def test_a_wrong_indent_does_not_eat_the_definition_below() -> None:
    kept, notes = parse("class A:\n    def f(self):\n        return 1\n      x = 2\nclass B: pass")
    assert kept == ["class B: pass"]
    assert notes[0].startswith("cell 4, line 4: unindent")


def test_statements_over_lines_in_the_first_column_are_joined() -> None:
    kept, _ = parse("x = [\n1,\n2\n]\ny = = 1\nif x:\n    z = 1\nelse:\n    z = 2")
    assert kept == ["x = [\n1,\n2\n]", "if x:\n    z = 1\nelse:\n    z = 2"]


def test_decorators_stay_with_their_function() -> None:
    assert parse("x = = 1\n@a\n@b\ndef f(): pass")[0] == ["@a\n@b\ndef f(): pass"]


def test_code_put_away_in_a_string_stays_there() -> None:
    old = "'''\nclass Old:\n    pass\ndef g(): pass\n'''"
    assert parse(f"print 'x'\n{old}\nclass New: pass")[0] == [old, "class New: pass"]


def test_an_open_string_costs_no_definition_below() -> None:
    assert parse("x = '''\nclass A: pass")[0] == ["class A: pass"]


def test_magics_beside_an_error_are_read() -> None:
    kept, notes = parse("%matplotlib inline\nclass A(:\n    pass\n!ls\nb = 1")
    assert kept == ["get_ipython().run_line_magic('matplotlib', 'inline')", "get_ipython().system('ls')", "b = 1"]
    assert notes == ["cell 4, line 2: invalid syntax"]


def test_python_2_is_a_syntax_error() -> None:
    assert parse("print 'x'\nA = 1")[0] == ["A = 1"]


def test_an_error_that_only_the_symbol_table_finds_costs_its_statement() -> None:
    kept, notes = parse("def f():\n    x = 1\n    global x\nb = 1")
    assert kept == ["b = 1"]
    assert notes == ["cell 4, line 3: name 'x' is assigned to before global declaration"]


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "-" * 100_000 + "1",
        "a" + ".b" * 100_000,
        "1" + "+1" * 100_000,
        "lambda:" * 40_000 + "1",
        "not " * 60_000 + "1",
        "a if b else " * 20_000 + "c",
        "f'{" * 5_000,
        "x = [" * 3_000 + "]" * 3_000,
        "".join(" " * i + "if 1:\n" for i in range(500)),
        "x = (\n" * 40_000,
        "a b\n" * 70_000,
        "'''\n" * 50_001,
        "@a\n" * 50_000,
        "\0",
        "\ud800 = 1",
        " " * 200_000 + "x",
        "if 1:\n" + " !ls\n" * 450,
        "!ls \\\n" * 40_000,
    ],
    ids=lambda text: f"{text[:5]!r}-{len(text)}",
)
def test_hostile_text_becomes_a_note_and_costs_no_more_than_seconds(text: str) -> None:
    start = time.perf_counter()
    statements, notes = parse_cell(Cell("cell 4", text + "\nclass Survivor: pass"))
    assert statements or notes
    assert time.perf_counter() - start < 10


def test_nul_bytes_cost_their_line() -> None:
    kept, notes = parse("a = 1\nb = '\0'\nc = 3")
    assert kept == ["a = 1", "c = 3"]
    assert len(notes) == 1


# Names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "binds"),
    [
        ("a = b, (c, *d) = x", "a b c d"),
        ("import a.b, c as d", "a d"),
        ("from a import b as c, d", "c d"),
        ("def f(x): y = 1", "f"),
        ("class A:\n    x = 1", "A"),
        ("for i in x:\n    y = 1", "i y"),
        ("with a as b: c = 1", "b c"),
        ("try:\n    import a\nexcept E as e:\n    a = None", "a e"),
        ("if (n := f()): pass", "n"),
        ("x += 1", "x"),
        ("x: int = 1", "x"),
        ("x: int", ""),
        ("del x", ""),
        ("a.b = c[0] = 1", ""),
        ("[x for x in y]", ""),
    ],
)
def test_binds(text: str, binds: str) -> None:
    assert one(text).binds == set(binds.split())


@pytest.mark.parametrize(
    ("text", "now", "later"),
    [
        ("def f(x: A = b) -> C: return x + d", "A b C", "d"),
        ("@a\nclass A(B, metaclass=M):\n    x = c\n    def f(self, y=d): return e", "a B M c d", "e"),
        ("class A:\n    def f(self):\n        model = 1\n        return model", "", ""),
        ("x = [f(i) for i in y if z]", "f y z", ""),
        ("f = lambda x=a: x + b", "a", "b"),
        ("class A:\n    xs = [g(i) for i in y]", "g y", ""),
        ("class A:\n    @property\n    def v(self): return 1\n    @v.setter\n    def v(self, x): pass", "property", ""),
        ("x += y", "x y", ""),
        ("x.y = 1", "x", ""),
        ("def f():\n    global g\n    g += 1", "", "g"),
        ("def f():\n    def g(): return f() + h\n    return g", "", "f h"),
        ("for i in range(3):\n    t += i", "range t i", ""),
    ],
)
def test_uses(text: str, now: str, later: str) -> None:
    parsed = one(text)
    assert (parsed.uses_now, parsed.uses_later) == (set(now.split()), set(later.split()))


@pytest.mark.parametrize(
    ("text", "mutates"),
    [
        ("a.b = 1", "a"),
        ("a['x'].c = 1", "a"),
        ("a.b.append(1)", "a"),
        ("setattr(a, 'b', 1)", "a"),
        ("for i in x:\n    a[i] = 1", "a"),
        ("a.b += 1", "a"),
        ("a.run()", ""),
        ("x = a.append(1)", ""),
        ("def f(): a.b = 1", ""),
        ("del a.b", ""),
    ],
)
def test_mutates(text: str, mutates: str) -> None:
    assert one(text).mutates == set(mutates.split())


@pytest.mark.parametrize(
    "text",
    [
        "model.fit(x)",
        "h = model.fit(x)",
        "xs = [open(p) for p in ps]",
        "for p in ps:\n    img = Image.open(p)",
        "while True: pass",
        "while 1:\n    x = 1",
        "if __name__ == '__main__':\n    model.fit(x)",
        "a = f(g(np.load('x')))",
        "get_ipython().system('ls')",
        "x = ().fit()",
    ],
)
def test_heavy(text: str) -> None:
    assert one(text).calls.heavy


@pytest.mark.parametrize(
    "text", ["f = lambda p: open(p)", "p = re.compile('x')", "x = fit", "m = Model(open)", "x.fit"]
)
def test_light(text: str) -> None:
    assert not one(text).calls.heavy
