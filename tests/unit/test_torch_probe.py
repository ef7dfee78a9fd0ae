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
        "from torch import nn\n"
        "with lab.prepared():\n"
        "    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Upsample(scale_factor=2))\n"
        "    lab.evaluated(module, numpy.ones((1, 3, 4, 4), numpy.float32)), lab.count(module)\n"
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


# Parameters ----------------------------------------------------------------------------------------------------------


def test_each_parameter_is_counted_once_and_the_frozen_apart() -> None:
    found = lab.count(Shared())
    assert found["shapes"] == [[2, 5, 3], [4], [4, 3]]
    assert (found["count"], found["count of all"]) == (30 + 4 + 12, 30 + 4 + 12 + 20)


def test_a_module_without_parameters_has_none() -> None:
    assert lab.count(nn.ReLU()) == {"shapes": [], "count": 0, "count of all": 0}


def test_the_instruments_of_both_frameworks_offer_the_runner_the_same() -> None:
    for name in ("restore", "adopt", "prepared", "function", "tensor", "variables_of", "tracked_shapes", "count"):
        assert callable(getattr(lab, name)), name
        assert callable(getattr(tensorflow, name)), name
