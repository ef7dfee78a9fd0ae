from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from benchmarks import __main__ as entry
from benchmarks import checks, classes, floor, machine
from benchmarks.__main__ import cells, markdown
from benchmarks.measure import HOME, LAYERS, Plan, Row, compared, environment, grade, seconds
from benchmarks.scale import PeakMemory, family, pss_mb


def test_students_of_the_torch_class_get_full_marks(tmp_path: Path) -> None:
    """The whole way, with torch and a home of the benchmark's own; `grade` refuses anything but full marks."""
    classes.write_class(tmp_path / "class", LAYERS.read_text(), 2)
    assert grade("layers", tmp_path / "class", tmp_path / "out") > 0
    assert len(list((tmp_path / "out" / "students").iterdir())) == 2


def test_wrong_code_stops_the_benchmark_and_costs_its_own_item_alone(tmp_path: Path) -> None:
    wrong = LAYERS.read_text().replace("nn.Upsample(scale_factor=2)", "nn.Upsample(scale_factor=3)")
    (tmp_path / "wrong.ipynb").write_text(nbformat.writes(classes.notebook(wrong)))
    with pytest.raises(RuntimeError, match="wrong: L4 did not pass"):
        grade("layers", tmp_path / "wrong.ipynb", tmp_path / "out")


def test_the_peers_checks_pass_on_right_code_and_fail_on_wrong(tmp_path: Path) -> None:
    path = tmp_path / "one.ipynb"
    path.write_text(nbformat.writes(classes.notebook(classes.written_by(3, LAYERS.read_text()))))
    assert floor.checked(path) > 0
    path.write_text(path.read_text().replace("nn.Linear(n_hidden, n_classes)", "nn.Linear(n_hidden, n_classes, False)"))
    with pytest.raises(AssertionError):
        floor.checked(path)


@pytest.mark.parametrize("item", checks.CHECKS)
def test_the_checks_are_python_in_every_form(item: str) -> None:
    for text in (checks.otter_test(item), checks.nbgrader_test(item)):
        compile(text, item, "exec")
        assert checks.CHECKS[item][0] in text


def test_a_command_that_fails_stops_the_benchmark() -> None:
    with pytest.raises(RuntimeError, match=r"status 3: .*broken"):
        seconds([sys.executable, "-c", "import sys; print('broken'); sys.exit(3)"])


def test_the_home_of_the_benchmark_is_named_only_where_it_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADERS_HOME", "elsewhere")
    assert "GRADERS_HOME" not in environment()
    assert environment(HOME)["GRADERS_HOME"] == str(HOME)


def test_the_peak_counts_all_processes_below() -> None:
    grow = "import time; data = bytes(60 << 20) + b'x'; time.sleep(60)"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {grow!r}])"
    process = subprocess.Popen([sys.executable, "-c", program])
    try:
        with PeakMemory(process.pid) as memory:
            while memory.peak_mb < 60 and process.poll() is None:
                memory._over.wait(0.05)
        below = family(process.pid)
    finally:
        for one in reversed(family(process.pid)):
            os.kill(one, 9)
        process.wait()
    assert len(below) == 2
    assert memory.peak_mb >= 60


def test_a_process_that_has_ended_takes_no_memory() -> None:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    assert pss_mb(process.pid) == 0


def test_a_row_tells_median_spread_and_whether_the_goal_was_reached() -> None:
    row = compared(Row("a", "graders", "s", (3.0, 1.0, 2.0)), "otter run", 31.2, "30 x faster", True)
    assert cells(row) == ("a", "graders", "2 s", "1-3", "3", "31", "otter run", "30 x faster ✓")
    assert row.document()["median"] == 2
    assert "| a | graders | 2 s | 1-3 | 3 | 31 | otter run | 30 x faster ✓ |" in markdown([row], {"cores": 2})


def test_the_machine_is_described_without_its_name_or_paths() -> None:
    about = str(machine.described())
    assert os.uname().nodename not in about
    assert str(Path.cwd()) not in about


def test_a_part_that_cannot_be_measured_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(plan: Plan) -> list[Row]:
        raise RuntimeError("no such peer")

    parts = {"a": ("peers", broken), "b": ("bare", lambda plan: [Row("b", "bare probes", "s", (1.0,))])}
    monkeypatch.setattr(entry, "PARTS", parts)
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--quick", "--out", str(tmp_path), "--only", "a,b"])
    assert entry.main() == 1
    assert "(a) could not be measured: no such peer" in capsys.readouterr().out
    (document,) = tmp_path.glob("*-quick.json")
    assert [row["what"] for row in json.loads(document.read_text())["rows"]] == ["bare probes"]
