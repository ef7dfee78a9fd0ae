"""The judges of C1, C2, C5 and Q2 on evidence that is made by hand: what an audit of whole submissions cannot reach."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graders.assignments import Registry, jem, jem_blocks, jem_regularised
from graders.assignments.jem_record import ParameterCount
from graders.errors import Unseen
from graders.model import Experiment, Failure, Outcome
from graders.rubric import load_rubric
from tests.unit.record.build import code, record, stream, text

BATCH = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
NOTHING = Experiment(failure=Failure("evidence", "nothing was measured"))


class Nothing(dict[str, Experiment]):
    def __missing__(self, name: str) -> Experiment:
        return NOTHING


def logits(values: Any) -> Outcome:
    seen = Experiment(arrays={"outputs": np.asarray(values, np.float32)})
    return jem_blocks._logits(seen, seen)


def softmax(values: Any) -> Any:
    powers = np.exp(np.asarray(values))
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize("values", [[[1.5, -0.2, 0.1]], [[-3.0, -1.0, -2.0]], [[0.2, 0.3, 1.4]]])
def test_logits_are_any_numbers(values: Any) -> None:
    assert logits(values).passed


@pytest.mark.parametrize(
    "values", [softmax([[1.0, 2.0, -1.0]]), np.log(softmax([[1.0, 2.0, -1.0]])), [[0.9, 0.2, 0.7]], [[np.nan, 1.0]], []]
)
def test_distributions_and_nothing_are_no_logits(values: Any) -> None:
    assert not logits(values).passed


def regularised(**changes: Any) -> Experiment:
    """The evidence of a block that does the same in training as outside of it, but for the changes."""
    kinds = {f"{kind}{which}": BATCH for kind in ("trained", "evaluated") for which in ("", " again")}
    alone = {f"{kind} alone": BATCH[:1] for kind in ("trained", "evaluated")}
    losses = changes.pop("losses", [0.0, 0.0])
    return Experiment({"losses": losses}, {**kinds, **alone, **changes})


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, False),
        ({"trained again": 2 * BATCH}, True),  # dropout
        ({"trained alone": 2 * BATCH[:1]}, True),  # the statistics of a batch
        ({"losses": [0.1, 0.0]}, True),  # L2
        ({"losses": [0.1, 0.1]}, False),  # a constant
        ({"losses": [float("inf"), 0.0]}, False),
        ({"losses": []}, False),
        ({"trained": np.full((2, 3, 4), np.nan)}, False),
        ({"trained again": BATCH * (1 + 1e-7)}, False),  # rounding
    ],
)
def test_what_acts_in_training(changes: dict[str, Any], passed: bool) -> None:
    names = {name.replace("_", " "): value for name, value in changes.items()}
    assert jem_regularised._acts(regularised(**names), regularised()).passed is passed


@pytest.mark.parametrize(
    ("changes", "passed"),
    [
        ({}, True),
        ({"evaluated again": 2 * BATCH}, False),
        ({"evaluated alone": 2 * BATCH[:1]}, False),
        ({"evaluated alone": BATCH}, False),
        ({"evaluated": np.full((2, 3, 4), np.nan)}, False),
    ],
)
def test_what_is_settled_outside_of_training(changes: dict[str, Any], passed: bool) -> None:
    assert jem_regularised._settled(regularised(**changes), regularised()).passed is passed


@pytest.mark.parametrize("item", ["C1", "C2", "C5"])
def test_absence_never_passes(item: str) -> None:
    """Against a reference that has measured something, a student of whom nothing is known loses every criterion."""
    theirs = _Anything()
    outcomes = list(jem.GRADERS[item].judge(Nothing(), theirs))
    assert [one.name for one in outcomes] == [one.name for one in load_rubric("jem").item(item).criteria]
    assert not any(one.passed for one in outcomes)


class _Anything(dict[str, Experiment]):
    """A reference whose experiments have the arrays and values that judges ask for."""

    def __missing__(self, name: str) -> Experiment:
        names = ["outputs", "outputs in training", "gradient of the input", *jem_blocks.BLOCK, *jem_blocks.NETWORK]
        return Experiment({"shapes": [[3]], "count": 3, "unreached": 0}, dict.fromkeys(names, BATCH))


def test_the_registry_has_a_grader_for_the_blocks_and_the_number() -> None:
    assert isinstance(jem.GRADERS, Registry)
    assert {"C1", "C2", "C5", "Q2"} <= set(jem.GRADERS)


@pytest.mark.parametrize(
    ("printed", "passed"),
    [
        ("trainable parameters: 2,747,082\n", [True]),
        (" Trainable params: 2747082 (10.48 MB)\n", [True]),
        ("the loss is 2747082\n", []),
    ],
)
def test_the_number_of_parameters_passes_where_it_is_shown(printed: str, passed: list[bool]) -> None:
    seen = record(code("print(n)", stream(printed))).experiments
    assert [one.passed for one in ParameterCount().judge(seen, {})] == passed


def test_another_number_of_parameters_is_told_to_the_person_who_reads_the_report() -> None:
    seen = record(code("print(n)", stream("trainable parameters: 2,747,530\n"))).experiments
    with pytest.raises(Unseen, match=r"^the notebook shows 2,747,530 parameters$"):
        list(ParameterCount().judge(seen, {}))


def test_the_number_may_stand_in_a_summary_or_in_a_text() -> None:
    summary = "\x1b[1m Trainable params: \x1b[0m\x1b[38;5;34m2,747,082\x1b[0m (10.48 MB)\n"
    shown = {"output_type": "display_data", "metadata": {}, "data": {"text/plain": [summary], "text/html": ["..."]}}
    for cell in (code("model.summary()", shown), text("The model has 2,747,082 trainable parameters.")):
        assert [one.passed for one in ParameterCount().judge(record(cell).experiments, {})] == [True]
