from __future__ import annotations

import json
import types
from typing import Any

import numpy as np

from graders.model import Experiment
from graders.probes import recorder_post
from graders.probes.recorder_post import Face, Post


def sent(most: int = 900) -> tuple[Post, dict[str, Experiment]]:
    found: dict[str, Experiment] = {}
    return Post(found.__setitem__, most), found


def told(found: dict[str, Experiment]) -> dict[str, Any]:
    return json.loads(str(found["call end"].values["details"]))


def test_notes_are_numbered_and_the_end_tells_what_had_no_room() -> None:
    post, found = sent(most=2)
    for number in range(4):
        post.send(number, {"method": "plots"}, {})
    post.end(4, {"misfit": ""}, {})
    assert list(found) == ["call 000", "call 001", "call end"]
    assert told(found)["dropped"] == 2
    assert told(found)["faults"] == []
    assert found["call 001"].values["cell"] == 1


def test_after_the_first_that_is_too_large_none_is_sent(monkeypatch: Any) -> None:
    monkeypatch.setattr(recorder_post, "_MOST_BYTES", 100)
    post, found = sent()
    for size in (50, 200, 10):
        post.send(1, {"method": "fit"}, {"images": np.zeros(size, np.uint8)})
    post.end(1, {}, {})
    assert list(found) == ["call 000", "call end"]
    assert told(found)["dropped"] == 2


def test_our_own_mistakes_stay_away_from_the_student_and_are_told() -> None:
    post, found = sent()
    with post.quietly():
        raise ZeroDivisionError("ours")
    post.end(1, {}, {})
    assert told(found)["faults"] == ["ZeroDivisionError: ours"]


def test_a_face_without_a_recorder_does_nothing_and_puts_back_what_was_replaced() -> None:
    face, owner = Face(), types.SimpleNamespace(known=1)
    face.after_cell(1)
    face.finish()
    undone: list[str] = []
    face.patches.replace(owner, "known", 2)
    face.patches.replace(owner, "new", 3)
    face.patches.later(lambda: undone.append("hook"))
    assert vars(owner) == {"known": 2, "new": 3}
    face.uninstall()
    assert vars(owner) == {"known": 1}
    assert undone == ["hook"]
