"""Losses known by their gradients: made-up evidence of a training step, and what the judge says of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from graders.assignments.acgan_images import Samples, standard_normal
from graders.assignments.acgan_step import TrainStep
from graders.model import Experiment, Failure

RNG = np.random.default_rng(1)
N = 16
UPDATES = [{"who": [one], "changed": [one], "stale": False, "mixed": False} for one in "DG"]
PASSES = [{"of": one, "update": at} for at, one in enumerate("DG")]
Pull = Callable[[Any], Any]


def sigmoid(x: Any) -> Any:
    return 1 / (1 + np.exp(-x))


def softmax(x: Any) -> Any:
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def bce(target: float, weight: float = 1.0) -> Pull:
    return lambda score: weight * (sigmoid(score) - target) / N


def entropy(weight: float = 1.0, shift: int = 0) -> Callable[[Any, Any], Any]:
    return lambda scores, labels: weight * (softmax(scores) - np.eye(10)[(labels + shift) % 10]) / N


def none(scores: Any, labels: Any) -> Any:
    return np.zeros_like(scores)


def step(real: Pull, fake: Pull, passing: Pull, score: str = "logits", number: int = N, **more: Any) -> Experiment:
    """A step whose scores have these gradients; `of_real`, `of_fake`, `of_passing` are those of the class scores."""
    rows, classes, gradients = [], [], []
    parts = (
        (0, 1, real, "of_real", entropy()),
        (0, 0, fake, "of_fake", none),
        (1, 0, passing, "of_passing", entropy()),
    )
    for update, source, pull, name, usual in parts:
        scores, labels = 2 * RNG.normal(size=number), RNG.integers(0, 10, number)
        scores = sigmoid(scores) if score == "sigmoid" else scores
        columns = (np.full(number, update), np.full(number, source), np.arange(number), labels, scores, pull(scores))
        rows.append(np.stack(columns, axis=1))
        logits = RNG.normal(size=(number, 10))
        classes.append(np.log(softmax(logits)) if more.get("form") == "log_softmax" else logits)
        gradients.append(more.get(name, usual)(classes[-1], labels))
    accuracy = float((classes[0].argmax(axis=1) == rows[0][:, 3]).mean())
    arrays = {
        "rows": np.concatenate(rows),
        "classes": np.concatenate(classes),
        "class gradients": np.concatenate(gradients),
        "vectors": RNG.normal(size=(number, 128)),
        "returned": np.array(more.get("returned", (1.0, 2.0, accuracy))),
    }
    forms = {"score": score, "classes": more.get("form", "logits")}
    told = {name: more.get(name, usual) for name, usual in (("updates", UPDATES), ("passes", PASSES), ("dropped", []))}
    return Experiment({**told, "alike": more.get("alike", 0), "forms": forms}, arrays)


def another(one: Experiment) -> Experiment:
    """The step after one: other vectors and losses, and the same accuracy."""
    returned = one.arrays["returned"] * np.where(np.arange(len(one.arrays["returned"])) < 2, 0.9, 1)
    return replace(one, arrays={**one.arrays, "vectors": RNG.normal(size=(N, 128)), "returned": returned})


def lost(one: Experiment, second: Experiment | None = None) -> set[str]:
    """The criteria that a step loses, apart from the smaller batch."""
    seen = {"first": one, "second": second or another(one), "last": step(bce(1), bce(0), bce(1), number=5)}
    return {outcome.name for outcome in TrainStep().judge(seen, seen) if not outcome.passed}


def hinge(sign: int) -> Pull:
    return lambda score: -sign * (sign * score < 1) / N


@pytest.mark.parametrize(
    ("real", "fake", "passing", "score"),
    [
        (bce(1), bce(0), bce(1), "logits"),
        (bce(0.9, 0.5), bce(0.1, 0.5), bce(0.9, 3), "logits"),
        (lambda a: (sigmoid(a) - RNG.uniform(0.8, 1.2, N)) / N, bce(0), bce(1), "logits"),
        (bce(1), bce(0), lambda a: -sigmoid(a) / N, "logits"),
        (lambda a: 2 * (a - 1) / N, lambda a: 2 * a / N, lambda a: 2 * (a - 1) / N, "logits"),
        (hinge(1), hinge(-1), lambda a: np.full(N, -1 / N), "logits"),
        (lambda p: -1 / p / N, lambda p: 1 / (1 - p) / N, lambda p: -1 / p / N, "sigmoid"),
    ],
)
def test_losses_that_are_right(real: Pull, fake: Pull, passing: Pull, score: str) -> None:
    assert lost(step(real, fake, passing, score)) == set()


@pytest.mark.parametrize(
    ("real", "fake", "passing", "score", "criteria"),
    [
        (bce(0), bce(0), bce(1), "logits", {"real"}),
        (bce(1), bce(1), bce(1), "logits", {"fake"}),
        (bce(1), bce(0), bce(0), "logits", {"generator"}),
        (bce(0.5), bce(0.5), bce(1), "logits", {"real", "fake"}),
        (
            lambda p: (sigmoid(p) - 1) / N,
            bce(0),
            lambda p: (sigmoid(p) - 1) / N,
            "sigmoid",
            {"real", "fake", "generator"},
        ),
        (lambda a: 0 * a, bce(0), bce(1), "logits", {"real"}),
        (hinge(-1), hinge(1), lambda a: np.full(N, 1 / N), "logits", {"real", "fake", "generator"}),
        (lambda a: 2 * (a + 1) / N, bce(0), bce(1), "logits", {"real"}),
    ],
)
def test_losses_that_are_wrong(real: Pull, fake: Pull, passing: Pull, score: str, criteria: set[str]) -> None:
    assert lost(step(real, fake, passing, score)) == criteria


def right(**more: Any) -> Experiment:
    return step(bce(1), bce(0), bce(1), **more)


@pytest.mark.parametrize(
    ("more", "criteria"),
    [
        ({"of_real": none}, {"classes"}),
        ({"of_real": entropy(shift=1)}, {"classes"}),
        ({"of_real": lambda s, y: (softmax(softmax(s)) - np.eye(10)[y]) / N}, {"classes"}),
        ({"of_real": lambda s, y: -np.eye(10)[y] / N}, {"classes"}),
        ({"of_real": lambda s, y: (softmax(s) - 0.9 * np.eye(10)[y] - 0.01) / N}, set()),
        ({"of_fake": entropy()}, set()),
        ({"of_fake": entropy(shift=3)}, {"classes"}),
        ({"of_passing": none}, {"generator_classes"}),
        ({"of_real": lambda s, y: -np.eye(10)[y] / N, "form": "log_softmax"}, set()),
        ({"updates": [{**UPDATES[0], "changed": ["D", "G"]}, UPDATES[1]]}, {"updates"}),
        ({"updates": [{**UPDATES[0], "stale": True}, UPDATES[1]]}, {"fresh"}),
        ({"updates": [UPDATES[0], {**UPDATES[1], "mixed": True}]}, {"fresh"}),
        ({"dropped": ["D"]}, {"fresh"}),
        ({"updates": UPDATES[:1], "passes": [PASSES[0], {"of": "G", "update": -1}]}, {"updates"}),
        ({"updates": [{**UPDATES[0], "who": ["D", "G"]}, UPDATES[1]]}, {"updates"}),
        ({"alike": 15}, {"noise"}),
        ({"of_real": lambda s, y: -np.eye(10)[y] / N, "form": "softmax"}, {"classes", "generator_classes"}),
        ({"returned": (1.0, 2.0)}, {"returned"}),
        ({"returned": (np.nan, 2.0, 0.5)}, {"returned"}),
    ],
)
def test_classes_updates_and_results(more: dict[str, Any], criteria: set[str]) -> None:
    assert lost(right(**more)) == criteria


def test_noise_and_losses_are_others_in_another_step() -> None:
    one = right()
    assert lost(one, one) == {"noise", "returned"}
    same = replace(another(one), arrays={**another(one).arrays, "returned": one.arrays["returned"]})
    assert lost(one, same) == {"returned"}
    twice = right(returned=one.arrays["returned"][[0, 0, 2]])
    assert lost(replace(twice, arrays={**one.arrays, "returned": twice.arrays["returned"]})) == {"returned"}


def test_an_update_for_another_loss_is_nothing_against_one() -> None:
    one = right()
    more = one.arrays["rows"][:N] * np.array([0, 1, 1, 1, 1, 0]) + np.array([2, 0, 0, 0, 0, 0])  # of real images
    arrays = {**one.arrays, "rows": np.concatenate([one.arrays["rows"], more])}
    for name in ("classes", "class gradients"):
        arrays[name] = np.concatenate([arrays[name], arrays[name][:N]])
    told = {"updates": [*UPDATES, UPDATES[0]], "passes": [*PASSES, {"of": "D", "update": 2}]}
    assert lost(Experiment({**one.values, **told}, arrays)) == set()


def test_nothing_of_what_is_absent_or_malformed_passes() -> None:
    everything = {one.name for one in TrainStep().judge(dict.fromkeys(("first", "second", "last"), right()), {})}
    for one in (
        Experiment(),
        Experiment(arrays={"rows": np.zeros((4, 3))}),
        Experiment({"updates": UPDATES}, {"rows": np.full((4, 6), np.nan), "classes": np.ones((4, 10))}),
    ):
        seen = {"first": one, "second": one, "last": one}
        assert {outcome.name for outcome in TrainStep().judge(seen, seen) if not outcome.passed} == everything - (
            set() if not one.values.get("updates") else {"updates", "fresh"}
        )


@pytest.mark.parametrize(
    ("values", "passed"),
    [
        (RNG.normal(size=(20, 128)), True),
        (RNG.normal(size=(20, 16)), True),
        (RNG.uniform(size=(20, 128)), False),
        (RNG.uniform(-(3**0.5), 3**0.5, size=(20, 128)), False),
        (2 * RNG.normal(size=(20, 128)), False),
        (np.zeros((20, 128)), False),
        (np.full((20, 128), np.nan), False),
    ],
)
def test_what_passes_for_a_normal_distribution(values: Any, passed: bool) -> None:
    assert standard_normal("normal", Experiment(arrays={"vectors": values})).passed is passed


def test_false_alarms_of_a_normal_distribution_are_rare() -> None:
    draws = (Experiment(arrays={"vectors": RNG.normal(size=(20, 32))}) for _ in range(2000))
    assert all(standard_normal("normal", one).passed for one in draws)


def test_what_is_no_table_of_numbers_is_left_to_a_person() -> None:
    for one in (
        Experiment(arrays={"vectors": np.arange(20.0)}),
        Experiment(failure=Failure("TypeError", "test() ...")),
    ):
        assert list(Samples().judge({"vectors": one}, {})) == []


def test_twenty_vectors_are_twenty_rows() -> None:
    judged = {
        number: [one.passed for one in Samples().judge({"vectors": Experiment(arrays={"vectors": values})}, {})]
        for number, values in ((20, RNG.normal(size=(20, 64))), (19, RNG.normal(size=(19, 64))))
    }
    assert judged == {20: [True, True], 19: [False, True]}


def test_twenty_vectors_are_not_the_same() -> None:
    values = RNG.normal(size=(20, 64))
    values[7] = values[3]
    assert [one.passed for one in Samples().judge({"vectors": Experiment(arrays={"vectors": values})}, {})] == [
        True,
        False,
    ]
