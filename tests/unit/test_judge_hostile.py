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
from graders.kit import read_kit
from graders.model import Evidence, Experiment, Verdict
from graders.probes import wire

KITS = {slug: read_kit(home() / "student_template" / slug / f"{slug}.kit") for slug in ("pixelcnn", "denoising")}
ITEMS = {item: kit for kit in KITS.values() for item in kit.evidence}
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


def points(item: str, mine: Evidence) -> float:
    kit = ITEMS[item]
    result = judge_item(kit.assignment.item(item), load_graders(kit.assignment)[item], mine, kit.evidence[item])
    assert result.verdict is not Verdict.FAULT, result.note
    return result.points


def with_one(item: str, name: str, one: Experiment) -> float:
    return points(item, Evidence({**evidence_of(item).experiments, name: one}))


def evidence_of(item: str) -> Evidence:
    return ITEMS[item].evidence[item]


def arrays() -> Iterator[tuple[str, str, str]]:
    for item in ITEMS:
        for name, one in evidence_of(item).experiments.items():
            yield from ((item, name, key) for key in one.arrays)


@pytest.mark.parametrize("odd", ODD)
def test_an_array_of_any_form_in_any_place_is_judged_and_earns_no_more_than_none(odd: str) -> None:
    for item, name, key in arrays():
        genuine = evidence_of(item).experiments[name]
        with_one(item, name, replace(genuine, arrays={**genuine.arrays, key: ODD[odd]}))
        everywhere = replace(genuine, arrays=dict.fromkeys(genuine.arrays, ODD[odd]))
        assert with_one(item, name, everywhere) <= with_one(item, name, replace(genuine, arrays={}))


@pytest.mark.parametrize("odd", [[], -1, 10**4000, "x", None, True, {}, [[]], [-1] * 4000, 1e308, float("nan")])
def test_a_value_of_any_form_in_any_place_is_judged(odd: Any) -> None:
    for item, kit in ITEMS.items():
        for name, one in evidence_of(item).experiments.items():
            for key in one.values:
                given = with_one(item, name, replace(one, values={**one.values, key: odd}))
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
