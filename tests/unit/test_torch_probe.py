from __future__ import annotations

import subprocess
import sys
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from graders.probes import tensorflow
from graders.probes import torch as lab
from graders.probes.canonical import canonical
from graders.probes.draw import Draw

DRAW = Draw(7, "4.1")
SEED = DRAW.seed


class Shared(nn.Module):
    """Keeps one layer under two names, one that is frozen and one in a list."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.again = self.first
        self.frozen = nn.Linear(4, 5, bias=False).requires_grad_(False)
        self.blocks = nn.ModuleList([nn.Conv2d(5, 2, (1, 3), bias=False)])

    def forward(self, x: Any) -> Any:
        return self.frozen(self.again(x))


class Block(nn.Module):
    """Convolution, pooling, batch norm, ReLU, made in one order or the other, which must not matter."""

    def __init__(self, backwards: bool = False, **norm: Any) -> None:
        super().__init__()
        makers = {"conv": lambda: nn.Conv2d(3, 5, 3, padding=1), "norm": lambda: nn.BatchNorm2d(5, **norm)}
        for name in reversed(makers) if backwards else makers:
            setattr(self, name, makers[name]())

    def forward(self, x: Any) -> Any:
        return torch.relu(self.norm(torch.max_pool2d(self.conv(x), 2)))


@pytest.fixture
def image() -> np.ndarray:
    return DRAW.normal("x", 2, 3, 6, 8)


def state() -> tuple[Any, ...]:
    return torch.get_num_threads(), torch.get_deterministic_debug_mode(), torch.get_rng_state().tolist()


# Surroundings --------------------------------------------------------------------------------------------------------


def test_a_probe_runs_in_one_thread_and_repeatably() -> None:
    drawn = []
    for _ in range(2):
        with lab.prepared():
            assert torch.get_num_threads() == 1
            assert torch.are_deterministic_algorithms_enabled()
            drawn.append(torch.rand(3).tolist())
    assert drawn[0] == drawn[1]


def test_the_kernel_gets_back_what_it_had() -> None:
    def broken() -> None:
        with lab.prepared():
            torch.rand(3)
            raise ValueError("stop")

    before = state()
    with pytest.raises(ValueError, match="stop"):
        broken()
    assert state() == before


def test_what_a_students_code_warns_of_is_not_our_error() -> None:
    with lab.prepared():
        warnings.warn("old", DeprecationWarning, stacklevel=1)


def test_a_probe_that_trains_nothing_does_not_import_the_compiler() -> None:
    """It takes every child a second."""
    program = (
        "import sys, numpy, graders.probes.torch as lab\n"
        "from graders.probes.draw import Draw\n"
        "from torch import nn\n"
        "with lab.prepared():\n"
        "    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Upsample(scale_factor=2))\n"
        "    x = numpy.ones((2, 3, 4, 4), numpy.float32)\n"
        "    lab.evaluated(module, x), lab.measure(module, x, Draw(1, '4.1')), lab.operations(module, x)\n"
        "print([name for name in sys.modules if name in ('torch._dynamo', 'torch._inductor', 'sympy')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# Calls ---------------------------------------------------------------------------------------------------------------


def test_an_output_comes_from_evaluation_mode_without_a_graph() -> None:
    layer = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.999999))
    x = np.ones((5, 3), np.float32)
    found = lab.evaluated(layer, x)["outputs"]
    assert found.shape == (5, 4)
    np.testing.assert_allclose(found, layer[0](torch.ones(5, 3)).detach().numpy())


def test_modes_are_left_as_they_were() -> None:
    layer = nn.Sequential(nn.Dropout(), nn.Dropout().eval())
    lab.evaluated(layer, np.ones((1, 2), np.float32))
    assert [module.training for module in layer.modules()] == [True, True, False]


def test_several_inputs_are_passed_in_their_order() -> None:
    class Minus(nn.Module):
        def forward(self, one: Any, other: Any) -> Any:
            return one - other

    found = lab.evaluated(Minus(), np.full((2,), 5, np.float32), np.full((2,), 3, np.float32))
    assert found["outputs"].tolist() == [2, 2]


@pytest.mark.parametrize("value", [[1, 2], np.array([1.0, 2.0]), torch.tensor([1, 2]), torch.tensor([1.0, 2.0]) + 0])
def test_whatever_is_returned_becomes_float32(value: Any) -> None:
    found = lab.tensor(value)
    assert (found.dtype, found.tolist()) == (torch.float32, [1, 2])


def test_what_is_no_tensor_is_refused() -> None:
    with pytest.raises((TypeError, RuntimeError)):
        lab.tensor("text")


def test_functions_go_by_their_names() -> None:
    assert lab.function("relu")(torch.tensor([-1.0, 2.0])).tolist() == [0, 2]
    assert lab.function("atan") is torch.atan
    with pytest.raises(AttributeError):
        lab.function("softly")


# Variables -----------------------------------------------------------------------------------------------------------


def shapes(variables: list[Any]) -> list[tuple[int, ...]]:
    return sorted(tuple(one.shape) for one in variables)


def test_each_parameter_is_counted_once_and_the_frozen_are_not() -> None:
    found = lab.count(Shared())
    assert found == {"shapes": [[2, 5, 3], [4], [4, 3]], "count": 30 + 4 + 12}


def test_a_module_without_parameters_has_none() -> None:
    assert lab.count(nn.ReLU()) == {"shapes": [], "count": 0}
    assert lab.variables_of(nn.ReLU()) == []


def test_variables_are_weights_also_frozen_ones_and_running_statistics() -> None:
    assert shapes(lab.variables_of(Shared())) == [(2, 5, 1, 3), (4,), (4, 3), (5, 4)]
    assert shapes(lab.variables_of(nn.BatchNorm2d(5))) == [(5,)] * 4


def test_constants_of_the_student_are_no_variables() -> None:
    layer = nn.Linear(2, 3, bias=False)
    layer.register_buffer("mask", torch.ones(2))
    layer.grid = torch.ones(4)
    assert shapes(lab.variables_of(layer)) == [(3, 2)]


def test_what_pytorch_does_not_track_is_a_variable_and_does_not_count() -> None:
    layer = nn.Module()
    layer.layers = [nn.Linear(2, 3, bias=False), {"deep": nn.Sequential(nn.Sequential(nn.Conv2d(2, 4, 3, bias=False)))}]
    layer.kernel = torch.ones(5, 6, requires_grad=True)
    assert shapes(lab.variables_of(layer)) == [(3, 2), (4, 2, 3, 3), (5, 6)]
    assert lab.tracked_shapes(layer) == []


def test_batch_norm_gets_gammas_of_both_signs_means_that_are_not_zero_and_variances_that_are_positive() -> None:
    layer = nn.Sequential(nn.Sequential(nn.BatchNorm2d(32)))
    lab.set_weights(layer, SEED)
    norm = layer[0][0]
    assert (norm.weight > 0).any()
    assert (norm.weight < 0).any()
    for role, variable in (
        ("gamma", norm.weight),
        ("beta", norm.bias),
        ("mean", norm.running_mean),
        ("variance", norm.running_var),
    ):
        assert np.array_equal(variable.detach().numpy(), canonical(role, (32,), SEED)), role
    assert (norm.running_var > 0).all()
    assert norm.running_mean.abs().min() > 0


def test_kernels_keep_the_scale_of_what_passes_through_them() -> None:
    for layer in (nn.Linear(400, 30), nn.Conv2d(100, 30, 2)):
        lab.set_weights(layer, SEED)
        assert layer.weight.std().item() * 20 == pytest.approx(1.2, rel=0.05)


def test_a_linear_layer_gets_the_numbers_of_a_1x1_convolution(image: np.ndarray) -> None:
    class Dense(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.dense = nn.Linear(3, 4)

        def forward(self, x: Any) -> Any:
            return self.dense(x.movedim(1, -1)).movedim(-1, 1)

    one, other = (lab.measure(layer, image, DRAW) for layer in (Dense(), nn.Conv2d(3, 4, 1)))
    assert one["shapes"] == other["shapes"] == [[4], [4, 3]]
    for key in (key for key, value in one.items() if isinstance(value, np.ndarray)):
        np.testing.assert_allclose(one[key], other[key], atol=1e-5, err_msg=key)


# Outputs and gradients -----------------------------------------------------------------------------------------------


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for key, value in one.items():
        if isinstance(value, np.ndarray):
            np.testing.assert_allclose(value, other[key], atol=1e-6, err_msg=key)
        else:
            assert value == other[key]


def test_gradients_of_a_linear_layer_are_those_of_the_formula(image: np.ndarray) -> None:
    found = lab.measure(nn.Conv2d(3, 4, 1), image, DRAW)
    projection = DRAW.normal("projection", 2, 4, 6, 8)
    kernel = canonical("kernel", (3, 4), SEED)
    bias = canonical("bias", (4,), SEED)[:, None, None]
    np.testing.assert_allclose(found["outputs"], np.einsum("bchw,cd->bdhw", image, kernel) + bias, atol=1e-5)
    np.testing.assert_allclose(
        found["gradient of the input"], np.einsum("bdhw,cd->bchw", projection, kernel), atol=1e-4
    )
    np.testing.assert_allclose(
        found["gradient of kernel 4x3"], np.einsum("bchw,bdhw->dc", image, projection), atol=1e-4
    )
    np.testing.assert_allclose(found["gradient of bias 4"], projection.sum(axis=(0, 2, 3)), atol=1e-4)


def test_neither_the_order_of_creation_nor_the_initial_weights_matter(image: np.ndarray) -> None:
    same(lab.measure(Block(), image, DRAW), lab.measure(Block(backwards=True), image, DRAW))


def test_weights_are_set_before_the_output_is_taken(image: np.ndarray) -> None:
    for layer in (Block(), nn.LazyConv2d(5, 3)):
        one, other = (lab.outputs(layer, image, SEED)["outputs"] for _ in range(2))
        assert np.array_equal(one, other)
        assert not np.array_equal(one, lab.outputs(layer, image, SEED + 1)["outputs"])


def test_evaluation_takes_the_running_statistics_and_training_those_of_the_batch(image: np.ndarray) -> None:
    layer = Block()
    found = lab.measure(layer, image, DRAW)
    lab.set_weights(layer, SEED)
    x = torch.from_numpy(image)
    for training, key in ((False, "outputs"), (True, "outputs in training")):
        y = layer.train(training)(x).detach().numpy()
        np.testing.assert_allclose(found[key], y, atol=1e-5, err_msg=key)
    assert np.abs(found["outputs"] - found["outputs in training"]).max() > 0.1
    for prefix in ("", "training "):
        assert found[f"{prefix}gradient of gamma 5"].shape == (5,)
        assert np.abs(found[f"{prefix}gradient of the input"]).max() > 0.01


def test_the_statistics_are_those_that_one_pass_leaves(image: np.ndarray) -> None:
    one, other = (lab.measure(Block(momentum=momentum), image, DRAW) for momentum in (0.1, 0.5))
    before = {role: canonical(role, (5,), SEED) for role in ("mean", "variance")}
    for role, value in before.items():
        key = f"statistics {role} 5"
        np.testing.assert_allclose((one[key] - value) * 5, other[key] - value, atol=1e-5)
        assert np.abs(one[key] - value).max() > 0.001


def test_the_gradients_of_two_weights_of_one_key_are_summed(image: np.ndarray) -> None:
    twins = nn.Sequential(nn.Conv2d(3, 3, 1, bias=False), nn.Conv2d(3, 3, 1, bias=False))
    found = lab.measure(twins, image, DRAW)
    kernel = canonical("kernel", (3, 3), SEED)
    projection = DRAW.normal("projection", 2, 3, 6, 8)
    middle = np.einsum("bchw,cd->bdhw", image, kernel)
    expected = np.einsum("bchw,bdhw->dc", middle, projection) + np.einsum(
        "bchw,bdhw->dc", image, np.einsum("bdhw,cd->bchw", projection, kernel)
    )
    np.testing.assert_allclose(found["gradient of kernel 3x3"], expected, atol=1e-3)


def test_inputs_in_another_order_give_the_same_with_kernels_that_are_moved(image: np.ndarray) -> None:
    class Joined(nn.Module):
        def __init__(self, backwards: bool) -> None:
            super().__init__()
            self.backwards = backwards
            self.first, self.last = nn.Conv2d(3, 4, 3, padding=1), nn.Conv2d(7, 5, 3)

        def forward(self, x: Any) -> Any:
            parts = [x, self.first(x)]
            return self.last(torch.cat(parts[::-1] if self.backwards else parts, 1))

    straight = lab.measure(Joined(False), image, DRAW)
    same(straight, lab.measure(Joined(True), image, DRAW, {"kernel 5x7x3x3": (1, 4)}))
    other = lab.measure(Joined(True), image, DRAW)
    assert np.abs(straight["outputs"] - other["outputs"]).max() > 0.1


@pytest.mark.parametrize("stop", [lambda y: y.detach(), lambda y: torch.tensor(y.detach().numpy())])
def test_a_gradient_that_does_not_flow_is_zero_and_not_absent(image: np.ndarray, stop: Any) -> None:
    class Stopped(nn.Conv2d):
        def forward(self, x: Any) -> Any:
            return stop(super().forward(x))

    found = lab.measure(Stopped(3, 4, 2), image, DRAW)
    gradients = {key: array for key, array in found.items() if key.startswith("gradient")}
    assert set(gradients) == {"gradient of the input", "gradient of kernel 4x3x2x2", "gradient of bias 4"}
    assert not any(array.any() for array in gradients.values())
    assert found["unreached"] == found["training unreached"] == 2


def test_a_weight_that_is_not_used_or_frozen_is_unreached(image: np.ndarray) -> None:
    layer = nn.Conv2d(3, 4, 2)
    layer.unused = nn.Linear(2, 3, bias=False)
    layer.bias.requires_grad_(False)
    found = lab.measure(layer, image, DRAW)
    assert found["unreached"] == 2
    assert not found["gradient of kernel 3x2"].any()


def test_an_operation_in_place_on_the_input_is_fine(image: np.ndarray) -> None:
    same(lab.measure(nn.ReLU(inplace=True), image, DRAW), lab.measure(nn.ReLU(), image, DRAW))


def test_all_is_computed_in_double_precision_where_the_code_allows_it(image: np.ndarray) -> None:
    seen: list[torch.dtype] = []

    class Looks(nn.Conv2d):
        def forward(self, x: Any) -> Any:
            seen.append(x.dtype)
            return super().forward(x)

    class Asks(nn.Conv2d):
        def forward(self, x: Any) -> Any:
            return super().forward(x.float())

    one, other = (lab.measure(layer(3, 4, 2), image, DRAW) for layer in (Looks, Asks))
    assert seen[1:] == [torch.float64] * 2
    assert one.keys() == other.keys()
    for key in ("outputs", "gradient of the input"):
        assert one[key].dtype == np.float32
        np.testing.assert_allclose(one[key], other[key], atol=1e-5)


def test_an_error_is_the_one_of_the_precision_that_students_use(image: np.ndarray) -> None:
    class Broken(nn.Conv2d):
        def forward(self, x: Any) -> Any:
            if self.training:
                raise ValueError(f"no training in {x.dtype}")
            return super().forward(x)

    with pytest.raises(ValueError, match=r"no training in torch\.float32"):
        lab.measure(Broken(3, 4, 2), image, DRAW)


# What is executed ----------------------------------------------------------------------------------------------------


class Backwards(nn.Module):
    """Keeps its layers in another order than it uses them."""

    def __init__(self) -> None:
        super().__init__()
        self.last = nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1)
        self.first = nn.Sequential(nn.Conv2d(3, 4, (3, 2), stride=(2, 1), padding="valid"), nn.ReLU(inplace=True))

    def forward(self, x: Any) -> Any:
        return torch.cat([self.last(torch.nn.functional.conv2d(self.first(x), torch.ones(4, 2, 1, 1), groups=2))], 1)


def test_operations_come_in_the_order_of_execution_whatever_they_are_written_as(image: np.ndarray) -> None:
    found = lab.operations(Backwards(), image)
    names = ["convolution", "relu", "fill", "convolution", "convolution", "cat"]
    assert [one["name"].replace("ones", "fill") for one in found["operations"]] == names
    first, grouped, last = found["convolutions"]
    assert first == {
        "at": 0,
        "size": [2, 4, 2, 7],
        "kernel": [3, 2],
        "stride": [2, 1],
        "padding": [0, 0],
        "dilation": [1, 1],
        "output_padding": [0, 0],
        "transposed": False,
        "groups": 1,
        "inputs": 3,
        "outputs": 4,
    }
    assert (grouped["groups"], grouped["inputs"], grouped["outputs"]) == (2, 4, 4)
    assert (last["transposed"], last["output_padding"], last["size"]) == (True, [1, 1], [2, 6, 4, 14])
    assert (last["inputs"], last["outputs"]) == (4, 6)


def test_modules_come_in_the_order_of_execution_under_the_name_of_their_class_in_pytorch(image: np.ndarray) -> None:
    class Own(nn.Conv2d):
        pass

    layer = nn.Sequential(Own(3, 2, 1), nn.Sequential(nn.Tanh()))
    found = lab.operations(layer, image)["modules"]
    assert found == [{"name": "Conv2d", "size": [2, 2, 6, 8]}, {"name": "Tanh", "size": [2, 2, 6, 8]}]
    assert [one["name"] for one in lab.operations(Backwards(), image)["modules"]] == [
        "Conv2d",
        "ReLU",
        "ConvTranspose2d",
    ]


def test_padding_by_itself_is_an_operation_and_padding_of_a_convolution_is_its_argument(image: np.ndarray) -> None:
    apart = lab.operations(nn.Sequential(nn.ZeroPad2d(1), nn.Conv2d(3, 4, 3)), image)
    within = lab.operations(nn.Conv2d(3, 4, 3, padding="same"), image)
    assert [one["name"] for one in apart["operations"]] == ["constant_pad_nd", "convolution"]
    assert [one["name"] for one in within["operations"]] == ["convolution"]
    assert [(one["at"], one["padding"]) for one in apart["convolutions"]] == [(1, [0, 0])]
    assert [(one["at"], one["padding"]) for one in within["convolutions"]] == [(0, [1, 1])]


def test_all_entries_of_a_list_have_one_form_as_judges_rely_on(image: np.ndarray) -> None:
    for entries in lab.operations(Backwards(), image).values():
        assert len({tuple(entry) for entry in entries}) == 1


def test_a_list_of_operations_has_an_end(image: np.ndarray) -> None:
    class Long(nn.Module):
        def forward(self, x: Any) -> Any:
            for _ in range(1200):
                x = x + 1
            return x

    assert len(lab.operations(Long(), image)["operations"]) == 1000


def test_a_module_is_left_as_it_was_also_when_it_breaks(image: np.ndarray) -> None:
    layer = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(5, 4, 3).eval())
    with pytest.raises(RuntimeError):
        lab.operations(layer, image)
    assert [module.training for module in layer.modules()] == [True, True, False]
    assert not any(module._forward_hooks for module in layer.modules())


def test_the_instruments_of_both_frameworks_show_the_same_face() -> None:
    names = "restore adopt prepared function tensor variables_of tracked_shapes count set_weights outputs measure"
    for name in names.split():
        assert callable(getattr(lab, name)), name
        assert callable(getattr(tensorflow, name)), name
