"""What is told of a run of handout B's notebook: of a right one, of what can be wrong with one, and of forged ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from graders.assignments import Findings
from graders.assignments.jem_run import findings
from graders.model import Experiment
from graders.probes.recorder_notes import experiment

CODE = {
    3: "def part1_train_step(optim, model, data, label):\n    return {'loss': 0}\n",
    4: "# train_loop_1\ndef train_loop_1(model):\n    pass\ndef train_loop_2(model):\n    pass",
    5: "history = train_loop_1(classifier, optimizer, part1_train_step, epochs=20)",
    8: "history, buffer = train_loop_2(jem, optimizer, part2_train_step)  # train_loop_1",
}
ADAM = {"class": "Adam", "learning_rate": 9.999999e-05}
FALLING = np.linspace(2.3, 2.0, 30)


def training(cell: int, model: int, name: str, loss: Any, sampled: int, **other: Any) -> Experiment:
    details = {"method": "direct", "optimizer": ADAM, "steps": len(loss), "variables": 31, "changed": 31}
    arrays = {"loss": np.array(loss, np.float32), "sampled": np.full(len(loss), sampled, np.int32)}
    return experiment(cell, {**details, "model": model, "name": name, **other}, arrays)


def of_cell(cell: int, **details: Any) -> Experiment:
    empty = {"method": "cell", "batches": {}, "accuracies": [], "added": 0, "handed": 0}
    return experiment(cell, {**empty, **details}, {})


PART_1 = training(5, 0, "classifier", FALLING, 0)
PART_2 = training(8, 1, "jem", [2.7, 2.5, 2.6, 2.4], 20)
FILLED = of_cell(8, batches={"train_dataset": 4}, added=256, handed=256)
END = experiment(9, {"method": "end", "images": [128, 100], "channels": 8, "faults": [], "dropped": 0}, {})


def ended(cell: int, status: str = "ok", kind: str = "", message: str = "") -> dict[str, Any]:
    return {"cell": cell, "status": status, "kind": kind, "message": message, "where": f"cell {cell}, line 2"}


def found(*records: Experiment, cells: Mapping[int, Any] | None = None, code: Mapping[int, str] = CODE) -> Findings:
    entries = [(cells or {}).get(number, ended(number)) for number in code]
    run = {f"call {number:03}": record for number, record in enumerate(records)}
    return findings({**run, "call end": END, "cells": Experiment({"cells": entries})}, code)


def wrong(*records: Experiment, **more: Any) -> list[str]:
    """Return what is wrong, without the words that all lines have."""
    lines = found(*records, **more).wrong
    assert all(line.startswith("in a rehearsal, ") for line in lines)
    return [line.removeprefix("in a rehearsal, ") for line in lines]


def test_a_right_run_is_told_of_and_nothing_is_wrong_with_it() -> None:
    accuracy = of_cell(6, accuracies=[["classifier", "test_dataset", 0.23]])
    told = found(PART_1, accuracy, PART_2, FILLED)
    assert told.wrong == ()
    assert told.seen == (
        "there were 128 drawn images for training and 100 for the test; each convolution had one 8th of its channels",
        "cell 5 trained `classifier`: 30 steps of Adam (learning rate 0.0001); loss 2.2897 in the first steps, 2.0103 "
        "in the last; 31 of 31 variables changed",
        "cell 8 trained `jem`: 4 steps of Adam (learning rate 0.0001), 4 batches of train_dataset; loss 2.7000 in the "
        "first steps, 2.4000 in the last; 20 gradients by images before a step; 31 of 31 variables changed",
        "cell 6: accuracy of classifier on test_dataset: 0.23",
        "cell 8: 256 images went into a buffer, 256 came out",
    )


def test_a_training_that_fails_is_named_with_its_line() -> None:
    failed = {8: ended(8, "error", "NameError", "name 'x' is not defined")}
    line = "a training of part 2 {}: cell 8, line 2: NameError: name 'x' is not defined"
    assert wrong(PART_1, cells=failed) == [line.format("did not run")]
    assert wrong(PART_1, PART_2, FILLED, cells=failed) == [line.format("broke off")]


def test_the_cell_that_failed_first_is_named_too() -> None:
    cells = {3: ended(3, "error", "OSError", "no file"), 8: ended(8, "error", "NameError", "name 'jem' is not defined")}
    assert wrong(PART_1, cells=cells) == [
        "a training of part 2 did not run: cell 8, line 2: NameError: name 'jem' is not defined "
        "(before it cell 3, line 2: OSError: no file)"
    ]


def test_a_network_that_was_made_narrow_and_raises_is_no_accusation() -> None:
    failed = {"cells": Experiment({"cells": [ended(5, "error", "ValueError", "shapes"), ended(8)]})}
    details = {"method": "end", "images": [128, 100], "faults": [], "dropped": 0, "misfit": "ValueError"}
    for channels, accused in ((8, False), (1, True)):
        end = experiment(9, {**details, "channels": channels}, {})
        told = findings({"call 000": PART_2, "call 001": FILLED, "call end": end, **failed}, CODE)
        line = "a training of part 1 did not run: cell 5, line 2: ValueError: shapes"
        assert (told.wrong == (f"in a rehearsal, {line}",), line in told.seen) == (accused, not accused)


def test_a_training_without_a_step_is_named_where_the_run_was_whole() -> None:
    assert wrong(PART_1) == ["the training of part 2 made no step of an optimizer that was seen: cell 8"]
    assert wrong(PART_1, cells={8: ended(8, "interrupted")}) == []
    assert wrong(PART_1, cells={8: ended(8, "not run")}) == []


def test_a_notebook_that_names_no_loop_is_no_accusation() -> None:
    told = found(code={1: "print('nothing')"})
    assert told.wrong == ()
    assert [line for line in told.seen if "no cell calls" in line] == [
        f"no cell calls the training loop of part {part} by its name" for part in (1, 2)
    ]


@pytest.mark.parametrize(
    ("records", "said"),
    [
        (
            (training(5, 0, "classifier", [2.3, np.inf, 2.2], 0), PART_2, FILLED),
            "cell 5: the training of `classifier` had a loss that is not finite in step 2",
        ),
        (
            (training(5, 0, "classifier", FALLING[::-1], 0), PART_2, FILLED),
            "cell 5: the training of `classifier` did not lower its loss: 2.0103 to 2.2897",
        ),
        (
            (training(5, 0, "", FALLING, 0, changed=0), PART_2, FILLED),
            "cell 5: the training of a model without a name changed none of its variables",
        ),
        (
            (PART_1, training(8, 1, "jem", [2.7, 2.6], 0), FILLED),
            "cell 8: the training of `jem` took no gradient with respect to images (B, 32, 32, 3) that was seen",
        ),
        (
            (PART_1, PART_2, of_cell(8, handed=256)),
            "cell 8: the training of `jem` put no image into the buffer",
        ),
        (
            (PART_1, training(8, 0, "classifier", [2.2, 2.1], 20), FILLED),
            "cell 8: the training of `classifier` went on from part 1, cell 5; Section 6.3.2 wants a model of its own",
        ),
    ],
)
def test_each_thing_that_is_wrong_is_named(records: tuple[Experiment, ...], said: str) -> None:
    assert wrong(*records) == [said]


def test_a_loss_that_rises_in_part_2_or_in_few_steps_is_no_sign_of_anything() -> None:
    rising = training(8, 1, "jem", FALLING[::-1], 20)
    assert wrong(training(5, 0, "classifier", [2.3, 2.5], 0), rising, FILLED) == []


def test_losses_that_were_not_heard_are_left_out() -> None:
    quiet = training(5, 0, "classifier", [np.nan] * 30, 0)
    told = found(quiet, PART_2, FILLED)
    assert told.wrong == ()
    assert "loss" not in told.seen[1]


def test_a_fault_of_the_recorder_is_ours() -> None:
    broken = experiment(9, {"method": "end", "faults": ["TypeError: no"], "dropped": 0}, {})
    told = findings({"call end": broken, "cells": Experiment({"cells": [ended(8)]})}, CODE)
    assert told.wrong == ()
    assert told.seen[-1] == "our fault: the recorder failed, and has not seen all: TypeError: no"


@pytest.mark.parametrize("details", ["", "[]", "{}", '{"steps": "many"}', '{"steps": 3, "optimizer": 7}', "[" * 10_000])
def test_whatever_a_student_forges_is_read_or_left_out(details: str) -> None:
    arrays = {"loss": np.array([["x"]]), "sampled": np.zeros((2, 2))}
    forged = Experiment({"cell": 5, "method": "direct", "details": details}, arrays)
    of_no_cell = Experiment({"method": "direct", "details": "{}"})
    odd = of_cell(6, accuracies=[["a" * 5000, None, "high"], 3, ["a", "b", None]], batches=[1], added="many")
    run = {"call 000": forged, "call 001": of_no_cell, "call 002": odd}
    told = findings({**run, "call end": END, "cells": Experiment({"cells": [ended(5), ended(8)]})}, CODE)
    assert told.seen
    assert all(len(line) <= 400 for line in (*told.seen, *told.wrong))
