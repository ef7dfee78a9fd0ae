"""What a notebook shows against a run of it, as the recorder and the theatre tell of a run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from graders.model import Evidence, Experiment
from graders.notebook import read_program
from graders.record import flags, read
from tests.unit.notebook.build import submission as with_files

from .build import FIT, LOSSES, VALIDATION, Cell, bar2, code, document, honest, log, result, stream, text

Calls = list[tuple[int, str, dict[str, Any]]]


def fit(epochs: int = 10, ran: int = 10, names: tuple[str, ...] = ("loss", "val_loss"), last: float = 0.19) -> Any:
    return {"epochs": epochs, "ran": ran, "steps": 20, "history": {name: [0.5, last] for name in names}}


def evaluation(loss: float = 0.19, **more: float) -> Any:
    return {"results": {"loss": loss, **more}, "steps": 0, "compiled": {"loss": "binarycrossentropy"}}


HONEST: Calls = [
    (3, "evaluate", evaluation(0.69)),
    (3, "load_weights", {"path": "pixel_cnn_e5.h5"}),
    (3, "evaluate", evaluation(0.24)),
    (4, "fit", fit()),
    (5, "direct", {"steps": 0}),
    (7, "evaluate", evaluation()),
]


def ran(calls: Calls, rehearsal: bool = True, not_ok: tuple[int, ...] = (), **end: Any) -> Evidence:
    cells = [{"cell": at, "status": "error" if at in not_ok else "ok"} for at in range(1, 10)]
    experiments = {"cells": Experiment({"cells": cells, "notes": [], "rehearsal": rehearsal})}
    for number, (cell, method, details) in enumerate([*calls, (9, "end", {"dropped": 0, "faults": [], **end})]):
        values = {"cell": cell, "method": method, "details": json.dumps(details)}
        experiments[f"call {number:03}"] = Experiment(values)
    return Evidence(experiments)


def flagged(*cells: Cell, measured: Evidence) -> tuple[str, ...]:
    made = with_files(hw_ipynb=document(*cells))
    return flags(read(made), measured, read_program(made), 0.0)


def only(**changed: dict[str, Any]) -> Calls:
    """The calls of an honest notebook with those of some cells replaced: `cell_4=None` for none at all."""
    return [
        (cell, method, changed.get(f"cell_{cell}", details))
        for cell, method, details in HONEST
        if changed.get(f"cell_{cell}", details) is not None
    ]


@pytest.mark.parametrize("rehearsal", [True, False])
def test_what_a_run_bears_out_is_not_flagged(rehearsal: bool) -> None:
    assert flagged(*honest(), text("The test loss is 0.195."), measured=ran(HONEST, rehearsal)) == ()


SMALL = "model.fit(x, **settings)"  # from the code alone nothing can be told
SAID = {
    "cell 4 of hw.ipynb: shows a training log, and running the cell trained nothing": ({}, {"cell_4": None}),
    "cell 4 of hw.ipynb: logs 10 epochs, and running the cell asked for 3": ({}, {"cell_4": fit(3, 3)}),
    "cell 4 of hw.ipynb: logs a val loss of 0.1958, and running the cell measured none": (
        {},
        {"cell_4": fit(names=("loss",))},
    ),
    "cell 7 of hw.ipynb: shows the result of an evaluation, and running the cell evaluated nothing": (
        {},
        {"cell_7": None},
    ),
    "cell 7 of hw.ipynb: shows an accuracy of 0.99, and running the cell measured none": (
        {
            "test": code(
                "model.evaluate(t)",
                stream(bar2(0.1949, steps=329).replace("loss: 0.1949", "loss: 0.1949 - accuracy: 0.9900")),
            )
        },
        {},
    ),
}


@pytest.mark.parametrize("sentence", SAID)
@pytest.mark.parametrize("rehearsal", [True, False])
def test_what_its_cell_did_not_do_is_flagged(sentence: str, rehearsal: bool) -> None:
    cells, calls = SAID[sentence]
    made = honest(**{"train": code(SMALL, stream(log())), **cells})
    assert flagged(*made, measured=ran(only(**calls), rehearsal)) == (sentence,)


def test_figures_are_compared_with_a_full_run_alone() -> None:
    worse = only(cell_4=fit(last=0.4), cell_7=evaluation(0.41))
    assert flagged(*honest(), measured=ran(worse)) == ()
    assert flagged(*honest(), measured=ran(worse, rehearsal=False)) == (
        "cell 4 of hw.ipynb: logs a loss of 0.1941, and running the cell gave 0.4",
        "cell 4 of hw.ipynb: logs a val loss of 0.1958, and running the cell gave 0.4",
        "cell 7 of hw.ipynb: shows a loss of 0.1949, and running the cell gave 0.41",
    )


def test_a_stated_loss_is_compared_with_all_that_a_full_run_evaluated() -> None:
    printed = code("show(loss)", stream("test loss: 0.1249\n"))
    found = flagged(*honest(), printed, measured=ran(HONEST, rehearsal=False))
    assert found == (
        'cell 8 of hw.ipynb: prints "test loss: 0.1249", and running the notebook came no nearer than 0.19',
    )
    assert flagged(*honest(), printed, measured=ran(HONEST)) == ()


def test_of_a_cell_that_the_code_already_speaks_against_no_more_is_said() -> None:
    (line,) = flagged(code("model.fit(x, epochs=3)", stream(log(validation=None))), measured=ran([(1, "fit", fit(3))]))
    assert line == "cell 1 of hw.ipynb: logs 10 epochs, and its code asks for 3"


DOUBT = {
    "the cell did not come to its end": ran([], not_ok=(4, 7)),
    "records were dropped": ran([], dropped=3),
    "our recorder failed": ran([], faults=["ValueError"]),
    "there was no run": Evidence({}),
    "nonsense": Evidence(
        {
            "cells": Experiment({"cells": [], "notes": [], "rehearsal": True}),
            "call 000": Experiment({"cell": [], "method": {}, "details": 7}),
            "call 001": Experiment({"method": "fit", "details": "[" * 100}),
            "call 002": Experiment({"cell": 4, "method": "fit", "details": "[1, 2]"}),
        }
    ),
}


@pytest.mark.parametrize("name", DOUBT)
def test_doubt_is_not_flagged(name: str) -> None:
    cells = honest(train=code(SMALL, stream(log())), load=code("x = 1"))
    assert flagged(*cells, measured=DOUBT[name]) == ()


@pytest.mark.parametrize(
    "details",
    [
        {"epochs": "ten", "steps": "20", "history": {"loss": "0.1", "val_loss": []}},
        {"epochs": [10], "steps": None, "history": [1]},
        {"epochs": 10, "steps": 20, "history": {"loss": [float("nan")], "val_loss": [None]}, "compiled": 3},
    ],
)
def test_a_forged_record_raises_nothing(details: dict[str, Any]) -> None:
    for rehearsal in (True, False):
        flagged(*honest(), measured=ran([(4, "fit", details), (7, "evaluate", {"results": details})], rehearsal))


def test_another_loss_than_the_task_s_may_be_low() -> None:
    cells = [code(f"{FIT.replace('model', 'm')}", stream(log((0.08, 0.07), VALIDATION[:2])))]
    made = with_files(hw_ipynb=document(*cells))
    for loss, number in (("binaryfocalcrossentropy", 0), ("binarycrossentropy", 1)):
        call = {**fit(10, 2), "compiled": {"loss": loss}}
        found = flags(read(made), ran([(1, "fit", call)]), read_program(made), 0.15)
        assert len([line for line in found if "lower than the task allows" in line]) == number


def test_a_result_as_the_value_of_a_cell_counts_too() -> None:
    shown = code("model.evaluate(t, verbose=0)", result(str(LOSSES[-1])))
    assert flagged(shown, measured=ran([(1, "evaluate", evaluation(0.5))], rehearsal=False)) == ()  # it has no bar
