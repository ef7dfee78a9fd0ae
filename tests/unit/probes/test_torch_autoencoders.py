from __future__ import annotations

from types import FunctionType
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from graders.assignments import vae_networks as networks
from graders.checks import distributions
from graders.model import Experiment
from graders.probes import torch_autoencoders as tools
from graders.probes import torch_sampling, torch_stand_ins
from graders.probes.draw import Draw

DRAW = Draw(7, "vae")
X, OTHER = networks.images(DRAW, "x", 3), networks.images(DRAW, "other", 3)
Y = np.array([4, 0, 9])


def projection(*shape: int) -> Any:
    return DRAW.normal("projection", *shape)


class Small(nn.Module):
    """An auto-encoder; `skip` adds the image to what is decoded, with or without its graph."""

    def __init__(self, skip: str = "") -> None:
        super().__init__()
        self.skip = skip
        self.down = nn.Sequential(
            nn.Conv2d(3, 4, 3, padding=1, groups=1),
            nn.MaxPool2d(2),
            nn.Conv2d(4, 4, 3, padding=1, groups=4),
            nn.Conv2d(4, 6, 1),
            nn.BatchNorm2d(6),
            nn.Conv2d(6, 8, 4, stride=2, padding=1),
            nn.Flatten(),
        )
        self.mu, self.log_var = nn.Linear(8 * 64, 5), nn.Linear(8 * 64, 5)
        self.out = nn.Linear(5, 2 * 64)
        self.up = nn.Sequential(nn.Upsample(scale_factor=2), nn.ConvTranspose2d(2, 3, 2, stride=2), nn.Sigmoid())

    def decode(self, z: Any) -> Any:
        return self.up(self.out(z).view(-1, 2, 8, 8))

    def forward(self, x: Any, y: Any) -> Any:
        features = self.down(x)
        mu, log_var = self.mu(features), self.log_var(features)
        z = mu + torch.exp(0.5 * log_var) * torch.randn_like(mu)
        more = {"": 0.0, "graph": x, "detached": x.detach()}[self.skip]
        return self.decode(z) + more, mu, log_var, z

    def generate(self, number: int, factor: float = 1.0, one: bool = False) -> Any:
        z = torch.randn(number, 200) * factor
        z = z[:1].expand(number, -1) if one else z
        return torch.sigmoid(z @ torch.ones(200, 3)), None


def test_what_is_executed_is_split_where_codes_are_drawn() -> None:
    found = tools.resizing(Small(), X, Y)
    assert [step["name"] for step in found["encoder"]] == [
        "convolution",
        "max_pool2d_with_indices",
        "convolution",
        "convolution",
        "convolution",
    ]
    assert networks.convolutions(found["encoder"]) == 3
    assert networks.shrinking(found["encoder"]) == 2
    assert networks.growing(found["decoder"]) == 2
    assert found["decoder"][-1]["transposed"]


def test_what_has_no_effect_is_not_executed() -> None:
    class Idle(Small):
        def forward(self, x: Any, y: Any) -> Any:
            image, mu, log_var, z = super().forward(x, y)
            nn.functional.interpolate(image, scale_factor=2)
            return image + 0 * nn.functional.max_pool2d(image, 2).mean(), mu, log_var, z

    assert tools.resizing(Idle(), X, Y) == tools.resizing(Small(), X, Y)


@pytest.mark.parametrize("up", ["h.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)", "h.repeat(1, 1, 2, 2)"])
def test_maps_that_are_repeated_are_enlarged(up: str) -> None:
    class Repeating(Small):
        def decode(self, z: Any) -> Any:
            h = self.out(z).view(-1, 2, 8, 8)
            return self.up[1:](eval(up, {"h": h}))

    assert networks.growing(tools.resizing(Repeating(), X, Y)["decoder"]) >= 2


def test_lazy_weights_and_one_hot_labels() -> None:
    class Lazy(Small):
        def __init__(self) -> None:
            super().__init__()
            self.mu = nn.LazyLinear(5)

        def forward(self, x: Any, y: Any) -> Any:
            image, mu, log_var, z = super().forward(x, y)
            return image + 0 * (y @ torch.ones(10, 1))[:, :, None, None], mu, log_var, z

    model = Lazy()
    tools.shaped(model, X, Y)
    tools.apart(model)
    assert tools.reconstructed(model, X, Y)["outputs"].shape == X.shape


def test_the_image_of_drawn_codes_is_told() -> None:
    class Mean(Small):
        def forward(self, x: Any, y: Any) -> Any:
            _, mu, log_var, z = super().forward(x, y)
            return self.decode(mu), mu, log_var, z

    for kind, same in ((Small, False), (Mean, True)):
        model = kind()
        images = [tools.codes(model, X, Y, projection)["image"] for _ in range(2)]
        assert np.array_equal(*images) is same


def test_running_statistics_and_modes_are_left_as_they_were() -> None:
    model = Small()
    model.down.eval()
    before = [one.clone() for one in model.buffers()]
    tools.resizing(model, X, Y)
    assert all(torch.equal(one, was) for one, was in zip(model.buffers(), before, strict=True))
    assert model.training
    assert not model.down.training


@pytest.mark.parametrize(("skip", "passes"), [("", True), ("graph", False), ("detached", False)])
def test_a_skip_connection_is_seen_with_and_without_its_graph(skip: str, passes: bool) -> None:
    model = Small(skip)
    held = tools.held(model, (X, Y), (OTHER, Y))
    paths = tools.paths(model, X, Y, projection)
    assert held["known"]
    as_seen = [Experiment({k: v for k, v in one.items() if k == "known"}, one) for one in (paths, held)]
    assert networks.skips("skips", *as_seen).passed is passes


def test_codes_that_nothing_holds_are_not_known_to_be_held() -> None:
    class Hidden(Small):
        def forward(self, x: Any, y: Any) -> Any:
            image, mu, log_var, z = super().forward(x, y)
            return image, mu * 2, log_var * 2, z

    assert not tools.held(Hidden(), (X, Y), (OTHER, Y))["known"]


def test_a_method_that_draws_codes_holds_them() -> None:
    class Method(Small):
        def reparameterize(self, mu: Any, log_var: Any) -> Any:
            return mu + log_var.exp()

        def forward(self, x: Any, y: Any) -> Any:
            mu, log_var = (self.mu(self.down(x)) * factor for factor in (1, 0.5))
            z = self.reparameterize(mu, log_var)
            return self.decode(z), mu, log_var + 1, z

    found = tools.held(Method(), (X, Y), (OTHER, Y))
    assert found["known"]
    np.testing.assert_array_equal(found["first"], found["held"])


@pytest.mark.parametrize(("factor", "normal"), [(1.0, True), (0.5, False)])
def test_codes_are_followed_through_what_changes_each_of_them(factor: float, normal: bool) -> None:
    model = Small()
    found = torch_sampling.generated(model, lambda: model.generate(40, factor), 40)
    assert found["codes"].shape == (40, 200)
    assert (distributions.gaussian(found["codes"], 0.0, 1.0) == "") is normal


@pytest.mark.parametrize("draw", ["float()", "to(torch.float32) * 1.0"])
def test_codes_of_numpy_are_followed_too(draw: str) -> None:
    model, generator = Small(), np.random.default_rng(0)
    names = {"torch": torch, "generator": generator, "model": model}
    source = f"model.decode(torch.from_numpy(generator.standard_normal((400, 5))).{draw})"
    found = torch_sampling.generated(model, lambda: eval(source, names), 400)
    assert distributions.gaussian(found["codes"], 0.0, 1.0) == ""


def test_codes_that_are_seen_nowhere_else_are_what_the_first_part_is_called_on() -> None:
    model, values = Small(), torch.ones(4, 5)
    found = torch_sampling.generated(model, lambda: model.decode(values), 4)
    np.testing.assert_array_equal(found["codes"], np.ones((4, 5), np.float32))


def test_images_that_need_no_random_numbers_have_no_codes() -> None:
    assert torch_sampling.generated(Small(), lambda: torch.zeros(2, 3, 4, 4), 2)["codes"].size == 0


# Training steps -------------------------------------------------------------------------------------------------------

VALUES = {
    "image": X,
    **{name: DRAW.normal(name, 3, 2) for name in ("mu", "log_var", "z")},
}


def script(source: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"torch": torch, "nn": nn, "Small": Small}
    exec(source, namespace)
    return namespace


STEP = """
class Scaled(nn.Module):
    lambd = 0.0
    def forward(self, mu):
        return self.lambd * mu.sum()

net = Small()
optimizer = torch.optim.Adam(net.parameters())
criterion = Scaled()

def train_step(x, y):
    xg, mu, log_var, z = net(x, y)
    loss = (xg * xg).sum() / 2 + criterion(mu)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item(), 1.0
"""


def stepped(source: str) -> tuple[dict[str, Any], dict[str, Any]]:
    namespace = script(source)
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    before = dict(namespace)
    found = torch_stand_ins.stepped(namespace["train_step"], lambda **_: namespace["train_step"](x, y), VALUES, 0.25, 2)
    assert all(namespace[name] is value for name, value in before.items())
    return found, namespace


def test_a_step_runs_on_stand_ins_and_leaves_the_namespace_as_it_was() -> None:
    found, _ = stepped(STEP)
    np.testing.assert_allclose(found["step 0 image"], X, rtol=1e-6)
    np.testing.assert_array_equal(found["step 0 mu"], np.full((3, 2), 0.25, np.float32))
    np.testing.assert_array_equal(found["step 1 mu"], found["step 0 mu"])
    assert "step 0 z" not in found
    assert (found["updates"], found["training"], found["graph"]) == ([1, 1], [True, True], False)
    assert found["factors"] == [0.25]


def test_gradients_are_known_that_no_optimizer_gets() -> None:
    found, _ = stepped(STEP.replace("    optimizer.step()\n", ""))
    np.testing.assert_allclose(found["pulled image"], X, rtol=1e-6)
    assert "step 0 image" not in found


def test_defaults_of_parameters_are_stood_in_for() -> None:
    found, namespace = stepped(STEP.replace("train_step(x, y)", "train_step(x, y, net=net, *, optimizer=optimizer)"))
    np.testing.assert_allclose(found["step 0 image"], X, rtol=1e-6)
    assert namespace["train_step"].__defaults__ == (namespace["net"],)
    assert namespace["train_step"].__kwdefaults__ == {"optimizer": namespace["optimizer"]}


def test_a_scale_is_found_where_a_function_that_is_called_looks_it_up() -> None:
    source = STEP.replace("criterion(mu)", "scaled(mu)") + "\nbeta = 0.0\ndef scaled(mu): return beta * criterion(mu)\n"
    found, _ = stepped(source)
    np.testing.assert_array_equal(found["step 0 mu"], np.full((3, 2), 0.0625, np.float32))
    assert found["factors"] == [0.25, 0.0625]


def test_gradients_that_pile_up_are_seen() -> None:
    found, _ = stepped(STEP.replace("    optimizer.zero_grad()\n", ""))
    np.testing.assert_allclose(found["step 0 image"], X, rtol=1e-6)
    np.testing.assert_allclose(found["step 1 image"], 2 * X, rtol=1e-6)


def test_the_epoch_is_known_to_a_step_that_asks_for_it() -> None:
    found, namespace = stepped(STEP.replace("criterion(mu)", "epoch * mu.sum()"))
    np.testing.assert_array_equal(found["step 0 mu"], np.full((3, 2), 2, np.float32))
    assert "epoch" not in namespace
    assert found["factors"] == []


@pytest.mark.parametrize(("swap", "moves"), [(("", ""), True), (("net.parameters()", "net.up.parameters()"), False)])
def test_a_step_tells_which_weights_moved_and_moves_them_back(swap: tuple[str, str], moves: bool) -> None:
    namespace = script(STEP.replace(*swap) if swap[0] else STEP)
    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    before = [one.clone() for one in namespace["net"].parameters()]
    found = torch_stand_ins.moved_by(namespace["train_step"], lambda **_: namespace["train_step"](x, y), VALUES)
    assert found["reached"] > 8
    assert (found["moved"] == found["reached"]) is moves
    assert all(torch.equal(one, was) for one, was in zip(namespace["net"].parameters(), before, strict=True))
    assert namespace["optimizer"].state_dict()["state"] == {}


def test_a_step_that_is_handed_its_model_moves_the_stand_in() -> None:
    def train_step(x: Any, y: Any, model: Any, optimizer: Any) -> None:
        model(x, y)[0].sum().backward()
        optimizer.step()

    x, y = torch.from_numpy(X), torch.from_numpy(Y)
    function = FunctionType(train_step.__code__, {})
    found = torch_stand_ins.moved_by(function, lambda **more: train_step(x, y, **more), VALUES)
    assert found == {"reached": 1, "moved": 1}


def test_schedules_are_lists_or_functions() -> None:
    def fails_at_0(epoch: int) -> float:
        return [0.5, 1.0][epoch - 1] if epoch else float("nan")

    np.testing.assert_array_equal(torch_stand_ins.schedule(fails_at_0, fails_at_0, 2), [np.nan, 0.5, 1.0])
    np.testing.assert_array_equal(torch_stand_ins.schedule([0.5, 1.0], None, 2), [np.nan, 0.5, 1.0])
    np.testing.assert_array_equal(torch_stand_ins.schedule([0.0, 0.5, 1.0], None, 2), [0.0, 0.5, 1.0])
