from __future__ import annotations

from typing import Any

import pytest
import torch

from graders.probes.torch_effects import effective, pixels, resizes
from graders.probes.torch_sampling import Recorder

X = torch.arange(32.0).reshape(2, 1, 4, 4)


def numbers(run: Any) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    with torch.no_grad(), Recorder(lambda name, *_: found.setdefault(name, []).append(recorder.count)) as recorder:
        run()
    return found


@pytest.mark.parametrize(
    ("run", "name", "has"),
    [
        (lambda: torch.relu(torch.exp(X)), "exp", True),
        (lambda: (torch.exp(X), torch.relu(X))[1], "exp", False),
        (lambda: torch.relu(X) + 0 * torch.exp(X / 32).mean(), "exp", False),
        (lambda: torch.nn.functional.batch_norm(torch.exp(X / 32), None, None, training=True), "exp", True),
        (lambda: torch.nn.functional.max_pool2d(X, 2), "max_pool2d_with_indices", True),
        (lambda: torch.relu(X).clone().exp_(), "exp", True),
    ],
)
def test_what_the_result_depends_on_has_an_effect(run: Any, name: str, has: bool) -> None:
    assert effective(run, numbers(run)[name]) == [has]


def test_what_is_altered_stays_altered_in_no_other_run() -> None:
    before = X.clone()
    effective(lambda: torch.relu(X).relu_(), [1, 2])
    assert torch.equal(X, before)


def test_a_pixel_that_is_repeated_is_no_map() -> None:
    assert resizes("repeat", X, X.repeat(1, 1, 2, 2))
    assert not resizes("repeat", X[..., :1, :1], X)
    assert resizes("expand", X[..., None, :], X[..., None, :].expand(2, 1, 4, 2, 4))
    assert not resizes("expand", X[..., :1], X)
    assert not resizes("relu", X, X)
    assert pixels(X) == 16
