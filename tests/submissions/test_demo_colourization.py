"""The demo class of handout C, end to end: every submission ends in a report, and each report says what is true."""

from __future__ import annotations

import pytest

from demo.make_class import make_class
from tests.submissions.conftest import Run, graders

NETWORKS = ("4.1", "5.1", "6.1")
ANSWERS = ("3.2", "4.3", "5.4")
LOST = {
    "adams": {},
    "baker": {},
    "chan": {},
    "dimitrov": {},
    "evans": {"4.1": {"values", "training", "gradients"}},
    "fischer": {"5.1": {"shape", "layers", "values", "training", "gradients"}},
    "garcia": {"6.1": {"parameters", "layers", "values", "training", "gradients", "kernel"}},
    "haddad": {"5.1": {"values", "training", "gradients"}},
    "ito": {"4.3": {"weights", "connections", "weights_doubled", "connections_doubled"}, "5.4": {"kernel_4"}},
}
# What ends a child costs the item whose code it is.
STOPPED = {"lopez": "4.1", "mueller": "6.1", "novak": "5.1", "okafor": "5.1"}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("colours")
    assert len(make_class(folder / "class", "colourization")) == 16
    words = ("--tier", "behaviour,record", "--seed", 20261121, "--time-limit", 5)
    return Run(folder / "out", graders("grade", "colourization", folder / "class", "-o", folder / "out", *words))


def test_the_run_can_be_trusted_whatever_the_marks(run: Run) -> None:
    assert run.process.returncode == 0, run.process.stderr
    assert "16 submissions" in run.process.stdout


@pytest.mark.parametrize("student", LOST)
def test_each_loses_what_is_wrong_and_nothing_else(run: Run, student: str) -> None:
    lost = {item: criteria for item, criteria in run.lost(student).items() if item in (*NETWORKS, *ANSWERS)}
    assert lost == LOST[student]


@pytest.mark.parametrize(("student", "item"), STOPPED.items())
def test_what_hangs_exits_hoards_or_does_not_parse_costs_its_item_alone(run: Run, student: str, item: str) -> None:
    verdicts = run.verdicts(student)
    passed = {one["name"] for one in run.items(student)[item]["criteria"] if one["passed"]}
    assert passed <= {
        "kernel"
    }  # its weights are counted without running it, where the time has not been used up before
    assert {verdicts[other] for other in (*NETWORKS, *ANSWERS) if other != item} == {"PASS"}


@pytest.mark.parametrize("student", ["jensen", "kim"])
def test_nothing_handed_in_gets_nothing_and_crashes_nothing(run: Run, student: str) -> None:
    assert run.result(student)["score"] == 0
    assert {run.verdicts(student)[item] for item in NETWORKS} == {"MISSING"}


def test_what_is_done_counts_where_the_rest_is_still_the_template(run: Run) -> None:
    assert [run.verdicts("patel")[item] for item in NETWORKS] == ["PASS", "MISSING", "MISSING"]


def test_outputs_that_are_saved_earn_the_training_items(run: Run) -> None:
    for student in ("adams", "dimitrov", "evans"):
        assert [run.verdicts(student)[item] for item in ("4.2", "5.2", "6.2")] == ["PASS"] * 3, student
    items = run.items("baker")
    assert {items[item]["verdict"] for item in ("4.2", "5.2", "6.2")} == {"MANUAL"}
    assert "no output of it is saved" in items["5.2"]["note"]


def test_a_network_that_is_derived_from_a_wrong_one_gets_the_marks_that_it_deserves(run: Run) -> None:
    assert run.items("haddad")["6.1"]["follow_through"] is True
    assert run.items("haddad")["6.1"]["points"] == 0.5
