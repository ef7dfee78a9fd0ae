"""Marks for nothing, false blame and leaks: whole submissions that try, through the real command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from demo.make_class import changed, code
from tests.submissions.conftest import Run

Grade = Callable[..., Run]
FULL = {"C1": 4, "C2": 5, "C3": 12, "C4": 8, "C5": 8, "C6": 12, "C7": 7}
RESNET = "        hidden = self.nnLayer_1(self.nonlinearity(inputs))  # (B, H, W, C)\n"

# Each says what it finds of the reference, which lies beside C6 when its own C3 is wrong, by another way. Those that
# raise do so in one experiment only, so that the others earn marks and the second run is the one that is shown.
SOMETIMES = "if self.nonlinearity is not concat_elu: "
LEAKS = {
    "kind": SOMETIMES + "raise type('X' + text.encode().hex()[:580], (Exception,), {})()",
    "message": SOMETIMES + "raise ValueError(text)",
    "bracket": SOMETIMES + "raise ValueError('(' + text + ')')",
    "count": "import sys; sys.modules['graders.probes.tensorflow'].count = lambda _: {'shapes': [[1]], 'count': text}",
    "output": "print(text)",
}
SPY = """        import gc
        text = "SECRET " + "".join(
            str(thing.call.__code__.co_names)
            for thing in gc.get_objects()
            if isinstance(thing, type) and getattr(thing, "__module__", "") == "__reference__"
        )
        {leak}
"""


@pytest.fixture(scope="module")
def spies(tmp_path_factory: pytest.TempPathFactory) -> Run:
    from tests.submissions.conftest import graders

    folder = tmp_path_factory.mktemp("spies") / "class"
    folder.mkdir()
    for name, leak in LEAKS.items():
        (folder / f"{name}.py").write_text(changed(code("C3-pads-bottom"), (RESNET, SPY.format(leak=leak) + RESNET)))
    out = folder.parent / "out"
    return Run(out, graders("grade", "pixelcnn", folder, "-o", out))


@pytest.mark.parametrize("leak", LEAKS)
def test_nothing_that_ran_beside_the_reference_is_put_into_words(spies: Run, leak: str) -> None:
    assert spies.process.returncode == 0
    item = spies.items(leak)["C6"]
    assert item["follow_through"] is True
    page = (spies.out / "students" / leak / "report.html").read_text()
    shown = str(item) + page[page.index("Build GatedResnet") : page.index("Build AutoregressiveModel")]
    assert "SECRET" not in shown
    assert "534543524554" not in shown  # the same in hexadecimal
    assert all(len(criterion["actual"]) < 80 for criterion in item["criteria"] if not criterion["passed"])


def test_the_reference_s_source_cannot_be_read_by_inspect(tmp_path: Path, grade: Grade) -> None:
    spy = "        import inspect\n        inspect.getsource(DownRightMovedConv2d.__mro__[1])\n"
    script = tmp_path / "lee.py"
    script.write_text(changed(code("C3-pads-bottom"), (RESNET, spy + RESNET)))
    item = grade(script, "--only", "C6").items("lee")["C6"]
    assert item["points"] < 12  # it raised: there was no source to be read


def test_an_item_left_as_it_was_does_not_pull_down_what_builds_on_it(tmp_path: Path, grade: Grade) -> None:
    text = code()
    start = text.index("class DownRightMovedConv2d")
    begin, end = text.index("        # BEGIN SOLUTION C3", start), text.index("        # END SOLUTION", start)
    script = tmp_path / "lee.py"
    script.write_text(text[:begin] + '        raise NotImplementedError("C3")\n' + text[end:])
    run = grade(script)
    assert run.verdicts("lee")["C3"] == "MISSING"
    assert {name: run.items("lee")[name]["points"] for name in ("C6", "C7")} == {"C6": 12, "C7": 7}


def test_returning_the_input_earns_next_to_nothing(tmp_path: Path, grade: Grade) -> None:
    """A class that does nothing must not be paid for what nothing happens to have in common with the right thing."""
    script = tmp_path / "lee.py"
    script.write_text(code("C3-zeros", "C4-identity", "C5-identity", "C6-identity", "C7-zeros"))
    items = grade(script).items("lee")
    for name in ("C4", "C5", "C6"):
        assert items[name]["points"] == 0
    for name in ("C3", "C7"):
        assert items[name]["points"] <= FULL[name] / 3, items[name]


def test_a_student_cannot_declare_a_fault(tmp_path: Path, grade: Grade) -> None:
    script = tmp_path / "lee.py"
    lie = "        raise ModuleNotFoundError(\"No module named 'tensorflow_addons'\")\n"
    script.write_text(changed(code(), (RESNET, lie + RESNET)))
    run = grade(script, "--only", "C6")
    assert run.process.returncode == 0
    assert run.verdicts("lee") == {"C6": "FAIL"}


def test_evidence_of_another_form_is_refused_and_costs_its_sender_alone(tmp_path: Path, grade: Grade) -> None:
    script = tmp_path / "lee.py"
    forge = (
        "        import gc, socket\n"
        "        from graders.sandbox import frames\n"
        "        for thing in gc.get_objects():\n"
        "            if isinstance(thing, socket.socket):\n"
        "                frames.send(thing, {'experiment': 'main', 'values': {'count': 'all'}, 'failure': None})\n"
        "                frames.send(thing, {'done': True})\n"
    )
    script.write_text(changed(code(), (RESNET, forge + RESNET)))
    run = grade(script, "--only", "C5,C6")
    assert run.process.returncode == 0
    assert run.verdicts("lee") == {"C5": "PASS", "C6": "FAIL"}
