"""Evidence that no honest child sends: a judge answers it with a lost criterion, never with a fault or a pass."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from safetensors.numpy import save

from graders.assignments import load_graders
from graders.home import home
from graders.judge import judge_item
from graders.kit import Kit, read_kit
from graders.model import Evidence, Experiment, Verdict
from graders.probes import wire

SLUGS = ("pixelcnn", "colourization", "denoising")
KITS = [read_kit(home() / "student_template" / slug / f"{slug}.kit") for slug in SLUGS]
ODD: dict[str, NDArray[Any]] = {
    "no axes": np.float32(1) + np.zeros(()),
    "one axis": np.arange(5, dtype=np.uint8),
    "sixty axes": np.zeros((1,) * 60),
    "no elements": np.zeros((0, 32, 32, 1)),
    "not a number": np.full((2, 32, 32, 1), np.nan),
    "infinite": np.full((6, 7, 6, 7), np.inf, np.float16),
    "truths": np.ones((4, 32, 32, 1), bool),
    "many": np.ones((200_000, 4), np.uint8),
    "many images": np.ones((3000, 32, 32, 1), np.uint8),
}


def points(kit: Kit, item: str, mine: Evidence) -> float:
    graders = load_graders(kit.assignment)
    result = judge_item(kit.assignment.item(item), graders[item], mine, kit.evidence[item])
    assert result.verdict is not Verdict.FAULT, result.note
    return result.points


def with_one(kit: Kit, item: str, name: str, one: Experiment) -> float:
    return points(kit, item, Evidence({**kit.evidence[item].experiments, name: one}))


def arrays(kit: Kit) -> Iterator[tuple[str, str, str]]:
    for item, evidence in kit.evidence.items():
        for name, one in evidence.experiments.items():
            yield from ((item, name, key) for key in one.arrays)


@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.assignment.slug)
@pytest.mark.parametrize("odd", ODD)
def test_an_array_of_any_form_in_any_place_is_judged_and_earns_no_more_than_none(odd: str, kit: Kit) -> None:
    for item, name, key in arrays(kit):
        genuine = kit.evidence[item].experiments[name]
        with_one(kit, item, name, replace(genuine, arrays={**genuine.arrays, key: ODD[odd]}))
        everywhere = replace(genuine, arrays=dict.fromkeys(genuine.arrays, ODD[odd]))
        assert with_one(kit, item, name, everywhere) <= with_one(kit, item, name, replace(genuine, arrays={}))


@pytest.mark.parametrize("kit", KITS, ids=lambda kit: kit.assignment.slug)
@pytest.mark.parametrize("odd", [[], -1, 10**4000, "x", None, True, {}, [[]], [-1] * 4000, 1e308, float("nan")])
def test_a_value_of_any_form_in_any_place_is_judged(odd: Any, kit: Kit) -> None:
    for item, evidence in kit.evidence.items():
        for name, one in evidence.experiments.items():
            for key in one.values:
                given = with_one(kit, item, name, replace(one, values={**one.values, key: odd}))
                assert given <= kit.assignment.item(item).points


def test_arrays_of_types_that_numpy_does_not_have_are_refused_where_they_come_in() -> None:
    for kind, size in (("BF16", 2), ("F8_E4M3", 1), ("F8_E5M2", 1), ("C64", 8), ("X", 1)):
        text = json.dumps({"images": {"dtype": kind, "shape": [2], "data_offsets": [0, 2 * size]}}).encode()
        blob = len(text).to_bytes(8, "little") + text + bytes(2 * size)
        _, found = wire.unpack({"experiment": "levels", "values": {}, "failure": None}, blob)
        assert found.failure is not None, kind
        assert (found.failure.kind, found.arrays) == ("evidence", {})


def test_a_name_that_could_be_taken_for_another_one_is_refused() -> None:
    for name in ("a\x1fb", "a\nb", "", "\ud800", "x" * 300):
        seen, found = wire.unpack({"experiment": name, "values": {}, "failure": None}, b"")
        assert (seen, found.failure is not None) == ("", True)
    blob = save({"a\x1fb": np.ones(2)})
    assert wire.unpack({"experiment": "levels", "values": {}, "failure": None}, blob)[1].failure is not None
