"""A training step of two tiny networks, whose losses and gradients are known in closed form."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from graders.probes import torch as lab
from graders.probes.draw import Draw

DRAW = Draw(3, "train_step")
IMAGES = np.abs(np.sin(DRAW.normal("images", 6, 3, 32, 32)))
LABELS = DRAW.integers("labels", 0, 10, 6)
PIXELS = 3 * 32 * 32


class G(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5 + 10, PIXELS)

    def forward(self, z: Any, y: Any) -> Any:
        return self.layer(torch.cat([z, nn.functional.one_hot(y, 10)], 1)).view(-1, 3, 32, 32)


def _same(score: Any) -> Any:
    return score


class D(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.score, self.classes, self.last = nn.Linear(PIXELS, 1), nn.Linear(PIXELS, 10), _same

    def forward(self, x: Any) -> Any:
        return self.last(self.score(x.flatten(1))), self.classes(x.flatten(1))


@pytest.fixture
def game() -> Any:
    torch.manual_seed(0)
    g, d = G(), D()
    optimizers = [torch.optim.SGD(one.parameters(), lr=0.5) for one in (g, d)]
    return SimpleNamespace(g=g, d=d, of_g=optimizers[0], of_d=optimizers[1], batch_size=256)


def take(game: Any, step: Callable[[Any, Any], Any]) -> dict[str, Any]:
    x, y = lab.image_tensor(IMAGES), lab.label_tensor(LABELS)
    return lab.duel({"G": G, "D": D}, vars(game), lambda: step(x, y), IMAGES, LABELS, 6, DRAW)


def vectors(y: Any) -> Any:
    return torch.randn(len(y), 5)


def test_gradients_of_the_outputs_are_those_of_the_loss(game: Any) -> None:
    def step(x: Any, y: Any) -> Any:
        score, classes = game.d(x.flip(0))
        (score.mean() + 2 * nn.functional.cross_entropy(classes, y.flip(0))).backward()
        game.of_d.step()
        return 1.5, torch.tensor(2.0), "words"

    found = take(game, step)
    rows = found["rows"]
    assert rows[:, 0].tolist() == [0] * 6
    assert rows[:, 1].tolist() == [1] * 6
    assert rows[:, 2].tolist() == [5, 4, 3, 2, 1, 0]
    np.testing.assert_array_equal(rows[:, 3], LABELS[::-1])
    np.testing.assert_allclose(rows[:, 5], 1 / 6)
    powers = np.exp(found["classes"])
    expected = powers / powers.sum(axis=1, keepdims=True) - np.eye(10)[LABELS[::-1]]
    np.testing.assert_allclose(found["class gradients"], 2 * expected / 6, atol=1e-6)
    assert found["updates"] == [{"who": ["D"], "changed": ["D"], "stale": False, "mixed": False}]
    assert (found["passes"], found["dropped"]) == ([{"of": "D", "update": 0}], [])
    np.testing.assert_array_equal(found["returned"], [1.5, 2.0, np.nan])


def test_generated_images_are_known_with_their_labels(game: Any) -> None:
    def step(x: Any, y: Any) -> None:
        mixed = torch.cat([game.g(vectors(y), y.flip(0)), x, torch.rand_like(x[:1])])
        game.d(mixed)[0].sum().backward()
        game.of_g.step()

    rows = take(game, step)["rows"]
    assert rows[:, 1].tolist() == [0] * 6 + [1] * 6 + [-1]
    np.testing.assert_array_equal(rows[:12, 3], [*LABELS[::-1], *LABELS])


def test_gradients_of_before_and_thrown_away_ones_are_noticed(game: Any) -> None:
    def stale(x: Any, y: Any) -> None:
        game.d(game.g(vectors(y), y))[0].sum().backward()
        game.of_g.step()
        game.d(x)[0].sum().backward()
        game.of_d.step()

    def dropped(x: Any, y: Any) -> None:
        game.of_d.zero_grad()
        game.d(x)[0].sum().backward()
        game.of_d.zero_grad()
        game.d(x)[1].sum().backward()
        game.of_d.step()

    def clean(x: Any, y: Any) -> None:
        game.of_d.zero_grad(set_to_none=False)
        game.d(x)[0].sum().backward()
        game.d(x)[1].sum().backward()
        game.of_d.step()

    seen = {name: take(game, step) for name, step in (("stale", stale), ("dropped", dropped), ("clean", clean))}
    assert [(one["who"], one["mixed"]) for one in seen["stale"]["updates"]] == [(["G"], False), (["D"], True)]
    assert {name: one["dropped"] for name, one in seen.items()} == {"stale": [], "dropped": ["D"], "clean": []}
    assert not any(one["stale"] for name in ("dropped", "clean") for one in seen[name]["updates"])


@pytest.mark.parametrize(
    ("last", "form"), [(torch.sigmoid, "sigmoid"), (lambda x: x.sigmoid().view(-1), "sigmoid"), (torch.tanh, "logits")]
)
def test_activations_are_told_through_views(game: Any, last: Any, form: str) -> None:
    game.d.last = last

    def step(x: Any, y: Any) -> None:
        game.d(x)[0].sum().backward()
        game.of_d.step()

    found = take(game, step)
    assert found["forms"] == {"score": form, "classes": "logits"}
    if form == "sigmoid":
        assert found["rows"][:, 4].min() > 0
        assert found["rows"][:, 4].max() < 1
        assert np.ptp(found["rows"][:, 4]) > 0.3


def test_all_is_left_as_it_was_and_batches_have_their_size(game: Any) -> None:
    before = {name: value.clone() for name, value in game.d.state_dict().items()}
    forward, sizes = D.forward, []

    def step(x: Any, y: Any) -> None:
        sizes.append(game.batch_size)
        game.d(x)[0].sum().backward()
        game.of_d.step()

    take(game, step)
    assert all(torch.equal(value, before[name]) for name, value in game.d.state_dict().items())
    assert (sizes, game.batch_size, D.forward) == ([6], 256, forward)


def test_an_error_of_the_step_is_passed_on_and_all_is_put_back(game: Any) -> None:
    forward = D.forward

    def step(x: Any, y: Any) -> None:
        raise ValueError("theirs")

    with pytest.raises(ValueError, match="theirs"):
        take(game, step)
    assert D.forward is forward
