"""The judges of handout E, Part 1: what they count, and that evidence of no honest child earns nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from graders.assignments import load_graders
from graders.assignments import vae_annealing as annealing
from graders.assignments import vae_networks as networks
from graders.home import home
from graders.judge import judge_item
from graders.kit import read_kit
from graders.model import Evidence, Experiment, SourceFile, Submission, Verdict
from graders.record import read
from graders.release import handed_out

KIT = read_kit(home() / "student_template" / "vae" / "vae.kit")
GRADERS = load_graders(KIT.assignment)
ITEMS = sorted(KIT.evidence)
ODD = {
    "one axis": np.arange(5, dtype=np.uint8),
    "no elements": np.zeros((0, 3, 32, 32)),
    "not a number": np.full((2, 3, 32, 32), np.nan),
    "infinite": np.full((64, 128), np.inf),
    "ones": np.ones((64, 10)),
}


def points(item: str, mine: Evidence) -> float:
    result = judge_item(KIT.assignment.item(item), GRADERS[item], mine, KIT.evidence[item])
    assert result.verdict is not Verdict.FAULT, result.note
    return result.points


@pytest.mark.parametrize("item", ITEMS)
def test_the_reference_earns_all_points_and_no_evidence_none(item: str) -> None:
    assert points(item, KIT.evidence[item]) == pytest.approx(KIT.assignment.item(item).points)
    empty = {name: replace(one, arrays={}) for name, one in KIT.evidence[item].experiments.items()}
    left = points(item, Evidence(empty))
    counted = {"vae": 0.45, "cvae": 0.2, "train_step": 0.15}  # what is told by counts alone: of layers, of updates
    assert left <= counted.get(item, 0.0)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("item", ITEMS)
def test_an_array_of_any_form_in_any_place_is_judged(item: str, odd: str) -> None:
    for name, one in KIT.evidence[item].experiments.items():
        for key in one.arrays:
            changed = replace(one, arrays={**one.arrays, key: ODD[odd]})
            points(item, Evidence({**KIT.evidence[item].experiments, name: changed}))


def test_the_template_is_that_of_the_reference() -> None:
    folder = home() / "student_template" / "vae"
    for name, text in handed_out("vae").items():
        assert (folder / name).read_text(encoding="utf-8") == text, "run: graders release vae"


# Counting -------------------------------------------------------------------------------------------------------------


def step(name: str, before: int, after: int, **more: bool) -> dict[str, Any]:
    kind = {"transposed": False, "depthwise": False, "pointwise": False, **more}
    return {"name": name, "before": before, "after": after, **kind}


def test_a_depthwise_convolution_and_the_pointwise_one_behind_it_are_one_layer() -> None:
    pair = [step("convolution", 1024, 1024, depthwise=True), step("convolution", 1024, 1024, pointwise=True)]
    assert networks.convolutions(pair * 3) == 3
    assert networks.convolutions([*pair, step("convolution", 1024, 256), step("max_pool2d", 256, 64)]) == 2
    assert networks.convolutions([step("convolution", 64, 256, transposed=True)]) == 0


def test_maps_that_lack_padding_are_not_sampled_down() -> None:
    assert networks.shrinking([step("convolution", 1024, 900), step("convolution", 900, 784)]) == 0
    assert networks.shrinking([step("convolution", 1024, 225), step("avg_pool2d", 225, 49)]) == 2
    assert networks.growing([step("upsample_bilinear2d", 64, 256), step("constant_pad_nd", 256, 324)]) == 1


def test_layers_side_by_side_are_one() -> None:
    assert networks.shrinking([step("convolution", 1024, 256), step("convolution", 1024, 256)]) == 1
    assert networks.growing([step("upsample", 1024, 4096), step("avg_pool2d", 4096, 1024)] * 2) == 1


def test_codes_without_gradients_are_known_by_what_they_hold() -> None:
    one, other = np.zeros((2, 3, 4, 4)), np.ones((2, 3, 4, 4))
    paths = Experiment(arrays={"total": one, "through codes": one})

    def passes(held: Any, own: Any, known: bool = True) -> bool:
        seen = Experiment({"known": known}, {"first": one, "own": own, "held": held})
        return networks.skips("skips", paths, seen).passed

    assert passes(held=one, own=other)
    assert not passes(held=one, own=other, known=False)
    assert not passes(held=one, own=one)  # nothing depends on the codes
    assert not passes(held=other, own=other)


def test_every_class_has_an_image_of_its_own() -> None:
    every = np.arange(20.0).reshape(2, 10, 1, 1, 1) * np.ones((2, 10, 3, 4, 4))

    def condition(classes: Any, alone: Any) -> bool:
        mine = Experiment(arrays={"classes": classes, "alone": alone})
        return networks._of_every_class(mine).passed

    assert condition(every, every[:, 1])
    assert not condition(every % 5, every[:, 1] % 5)
    assert not condition(every, every[:, 0])  # it was the class of another image that changed it


# Schedules ------------------------------------------------------------------------------------------------------------

SCHEDULES: dict[str, tuple[Sequence[float], set[str]]] = {
    "right": ([np.nan, 0, 0, 1e-4, 0.1, 0.5, 1], set()),
    "from 0": ([0, 1e-4, 0.1, 0.5, 1, np.nan], set()),
    "linear": ([0, 0.2, 0.4, 0.6, 0.8, 1], {"small"}),
    "later": ([1e-4, 1e-4, 0.1, 0.5, 1, 1], {"start"}),
    "1 from 1": ([np.nan, 0, 1e-4, 0.1, 0.5, 0.9], {"end"}),
    "never 1": ([0, 0, 1e-4, 0.1, 0.2, 0.3], {"end"}),
    "falls": ([0, 1e-4, 0.1, 0.6, 0.3, 1], {"gradual"}),
    "at once": ([0, 1e-4, 1e-4, 1, 1, 1], {"gradual"}),
    "all 1": ([1, 1, 1, 1], {"start", "small", "gradual"}),
    "not finite": ([0, np.nan, 1, np.nan, 1], {"start", "small", "gradual", "end"}),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedules(name: str) -> None:
    factors, lost = SCHEDULES[name]
    mine = {"schedule": Experiment({"epochs": 5}, {"factors": np.array(factors)})}
    assert {one.name for one in annealing.Annealing().judge(mine, mine) if not one.passed} == lost


# Claims ---------------------------------------------------------------------------------------------------------------

HEADS = {
    "# VAE: 0.685\n# CVAE: 0.728\nimport os\n": {"vae": True, "cvae": True},
    "'''\nTotal loss (VAE) = 0.68\n'''\nimport os\n": {"vae": True, "cvae": False},
    "# VAE:\n# CVAE:\nimport os\n": {},
    "# Assignment 9\nimport os\n# VAE: 0.68\n": {},
    "# VAE: 17\n# CVAE: 0.7\n": {"vae": False, "cvae": True},
    "# Test loss: VAE 0.69, CVAE 0.73\nimport os\n": {"vae": True, "cvae": True},
    "# Reconstruction loss: 0.69 and 0.73\nimport os\n": {},
}


@pytest.mark.parametrize("text", HEADS)
def test_claims_are_read_off_the_head_of_the_script(text: str) -> None:
    evidence = read(Submission("s", "s", (SourceFile("A9_vae.py", "", len(text), text),)))
    item = KIT.assignment.item("claim")
    result = judge_item(item, GRADERS["claim"], evidence, None)
    assert {one.name: one.passed for one in result.criteria} == HEADS[text]
    assert result.verdict is (Verdict.MANUAL if not HEADS[text] else result.verdict)
