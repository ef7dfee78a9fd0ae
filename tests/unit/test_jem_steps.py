"""The graders of handout B's functions and of its buffer, on a few solutions; the audit tries hundreds of them."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

from graders.assignments import jem_linear as linear
from graders.assignments.jem_steps import STEPS
from graders.home import home
from graders.judge import judge_item
from graders.model import Evidence, Experiment, ItemResult, Verdict
from graders.probes import runner
from graders.probes import tensorflow as lab
from graders.probes.draw import Draw
from graders.probes.student import Student
from graders.rubric import load_rubric

RUBRIC = load_rubric("jem")
SOLUTION = (home() / "reference" / "jem" / "solution.py").read_text(encoding="utf-8")
NAMES = {item: RUBRIC.item(item).names[0] for item in STEPS}
GRADERS = {item: grader() for item, grader in STEPS.items()}
ORDERS = {item: grader.arguments for item, grader in GRADERS.items()}
IMPORTS = "import numpy as np\nimport tensorflow as tf\nfrom tensorflow import keras\n"
DEFINITIONS = [node for node in ast.parse(SOLUTION).body if getattr(node, "name", "") in NAMES.values()]


def evidence(item: str, source: str = "", seed: int = 7) -> Evidence:
    """What the probe of an item measures on the reference, whose definitions give way to those of a source."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    text = "\n\n".join([IMPORTS, *(ast.get_source_segment(SOLUTION, node) or "" for node in DEFINITIONS), source])
    exec(compile(text, "solution", "exec"), namespace)
    student = Student(namespace, NAMES, ORDERS)
    return Evidence(dict(runner.experiments(GRADERS[item], student, lab, Draw(seed, item), {"solution"})))


@cache
def reference(item: str) -> Evidence:
    return evidence(item)


def judged(item: str, mine: Evidence) -> ItemResult:
    result = judge_item(RUBRIC.item(item), GRADERS[item], mine, reference(item))
    assert result.verdict is not Verdict.FAULT, result.note
    return result


def lost(item: str, source: str) -> set[str]:
    return {criterion.name for criterion in judged(item, evidence(item, source)).criteria if not criterion.passed}


@pytest.mark.parametrize("item", STEPS)
def test_another_run_of_the_reference_keeps_all_points(item: str) -> None:
    assert judged(item, evidence(item)).verdict is Verdict.PASS


CHAIN = """
def part2_train_step(optim, model, data, label, sb, sigma=0.03):
    noisy = data + tf.random.normal(tf.shape(data), stddev=sigma)
    sampled, ids = sb.sample_from_buffer(len(data))
    {before}
    for _ in range({steps}):
        sampled = sampling_step(model, sampled, ids)
    sb.add_to_buffer(sampled, ids)
    with tf.GradientTape() as tape:
        centry = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(label, model(noisy)))
        loss = {loss}
    variables = model.trainable_variables
    optim.apply_gradients(zip(tape.gradient(loss, variables), variables))
    return {{"loss": loss}}
"""
RIGHT_LOSS = "centry + tf.reduce_mean(energy(model, noisy) - energy(model, sampled))"


@pytest.mark.parametrize(
    ("steps", "loss", "before", "criteria"),
    [
        (20, RIGHT_LOSS, "", set()),
        (20, RIGHT_LOSS.replace("noisy", "data"), "", set()),
        (19, RIGHT_LOSS, "", {"steps"}),
        (21, RIGHT_LOSS, "", {"steps"}),
        (20, RIGHT_LOSS, "sb.add_to_buffer(sampled, ids)", {"buffer"}),
        (20, RIGHT_LOSS.replace(" - energy", " + energy"), "", {"loss"}),
        (20, RIGHT_LOSS.replace("centry", "2 * centry"), "", {"loss", "aggregation"}),
        (20, RIGHT_LOSS.replace("sampled)", "sampled, ids)"), "", {"loss"}),
        (20, f"tf.stop_gradient({RIGHT_LOSS})+0*centry", "", {"loss", "aggregation"}),
    ],
)
def test_the_joint_step_is_taken_apart(steps: int, loss: str, before: str, criteria: set[str]) -> None:
    found = lost("C9", CHAIN.format(steps=steps, loss=loss, before=before or "pass"))
    assert found - {"report", "constant"} == criteria


@pytest.mark.parametrize(
    ("body", "criteria"),
    [
        ("return 100 * tf.reduce_mean(tf.cast(hits, tf.float32))", set()),
        ("return 0.8231", {"value", "whole", "batches", "unchanged"}),
        ("return hits.numpy()", {"value", "whole", "batches", "unchanged"}),
        ("return 'most'", {"value", "whole", "batches", "unchanged"}),
        ("return np.nan", {"value", "whole", "batches", "unchanged"}),
        ("return float(np.mean(hits[:8]))", {"batches"}),
    ],
)
def test_accuracies(body: str, criteria: set[str]) -> None:
    source = f"""
def evaluate_accuracy(model, dataset):
    hits = tf.concat([tf.argmax(model(x), 1) == tf.cast(y, tf.int64) for x, y in dataset], 0)
    {body}
"""
    assert lost("C4", source) == criteria


@pytest.mark.parametrize("item", STEPS)
def test_a_function_that_raises_loses_everything(item: str) -> None:
    name = NAMES[item]
    raising = f"def {name}(*args, **kwargs):\n    raise ValueError('no')"
    result = judged(item, evidence(item, raising))
    assert (result.verdict, result.points) == (Verdict.FAIL, 0.0)


@pytest.mark.parametrize("item", STEPS)
def test_what_is_still_as_it_was_handed_out_is_missing(item: str) -> None:
    untouched = f"def {NAMES[item]}(*args, **kwargs):\n    raise NotImplementedError('{item}')"
    assert judged(item, evidence(item, untouched)).verdict is Verdict.MISSING


@pytest.mark.parametrize("item", STEPS)
def test_a_function_that_does_nothing_earns_nothing(item: str) -> None:
    result = judged(item, evidence(item, f"def {NAMES[item]}(*args, **kwargs):\n    pass"))
    assert result.points == 0


# Evidence that no honest child sends --------------------------------------------------------------------------------

ODD: Mapping[str, np.ndarray] = {
    "no axes": np.zeros(()),
    "sixty axes": np.zeros((1,) * 60),
    "no elements": np.zeros((0, 8)),
    "not a number": np.full((5, 8), np.nan, np.float32),
    "infinite": np.full((5, 32, 32, 3), np.inf, np.float32),
    "truths": np.ones((5, 3072), bool),
    "many": np.ones((200_000, 8), np.uint8),
    "large": np.full((8, 10), 1e30),
}


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("item", STEPS)
def test_arrays_of_any_form_are_judged_and_earn_no_more_than_none(item: str, odd: str) -> None:
    genuine = reference(item).experiments
    for name, one in genuine.items():
        bare = judged(item, Evidence({**genuine, name: replace(one, arrays={})})).points
        everywhere = replace(one, arrays=dict.fromkeys(one.arrays, ODD[odd]))
        assert judged(item, Evidence({**genuine, name: everywhere})).points <= bare


@pytest.mark.parametrize("item", STEPS)
def test_an_array_of_any_form_in_any_place_is_judged(item: str) -> None:
    genuine = reference(item).experiments
    name = next(name for name, one in genuine.items() if one.arrays)
    for key in genuine[name].arrays:
        for odd in ("sixty axes", "not a number"):
            one = replace(genuine[name], arrays={**genuine[name].arrays, key: ODD[odd]})
            assert judged(item, Evidence({**genuine, name: one})).points <= RUBRIC.item(item).points


@pytest.mark.parametrize("item", STEPS)
def test_without_evidence_there_are_no_points(item: str) -> None:
    nothing = {name: Experiment(one.values) for name, one in reference(item).experiments.items()}
    assert judged(item, Evidence(nothing)).points <= (1 if item == "C9" else 0.5)  # what the values tell
    assert judged(item, Evidence({"loading": Experiment()})).points == 0


def test_the_probes_hold_no_weights_that_the_seed_does_not_change() -> None:
    one, other = (linear.drawn(Draw(seed, "C3")) for seed in (1, 2))
    assert all(not np.array_equal(one[key], other[key]) for key in one)
