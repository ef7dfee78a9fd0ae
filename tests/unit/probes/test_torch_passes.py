"""Gradients followed from backward passes into updates: made-up steps of two networks of one weight each."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from graders.probes.torch_passes import Passes, current

SOUND = {"of": ["D", "G"], "stale": False, "mixed": False, "dropped": [], "left out": []}
STEP = """
zero_d()
loss_d().backward()
step_d()
zero_g()
loss_g().backward()
step_g()
"""


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight, self.other = nn.Parameter(torch.ones(1)), nn.Parameter(torch.ones(1))

    def forward(self, x: Any) -> Any:
        return self.weight * self.other * x


def followed(source: str, owned_by_g: str = "g.parameters()") -> dict[str, Any]:
    """Run a step; return whom its passes are told to be of, in their order, and what is wrong with its gradients."""
    d, g, passes, numbers = Net(), Net(), Passes(), list[int]()
    optimizers = {
        "d": torch.optim.SGD(d.parameters(), lr=0.1),
        "g": torch.optim.SGD(eval(owned_by_g, {"g": g}), lr=0.1),
    }

    def noted(loss: Any) -> Any:
        loss.register_hook(lambda _: numbers.append(current()))
        return loss

    x = torch.ones(1)
    names = {
        "loss_d": lambda: noted(d(x) - d(g(x).detach())**2),
        "loss_g": lambda: noted(-3 * d(g(x))),
        "loss_both": lambda: noted(d(x) - d(g(x))**2),
        "zero_d": optimizers["d"].zero_grad,
        "zero_g": optimizers["g"].zero_grad,
        "step_d": optimizers["d"].step,
        "step_g": optimizers["g"].step,
    }  # fmt: skip
    passes.know("D", d)
    passes.know("G", g)
    with passes.watching():
        exec(source, names)
    told = {name: any(one[name] for one in passes.updates) for name in ("stale", "mixed")}
    of = [passes.told(number)["of"] for number in numbers]
    return {"of": of, **told, "dropped": passes.dropped(), "left out": passes.left_out()}


def without(*lines: str) -> str:
    return "".join(f"{line}\n" for line in STEP.split() if line not in lines)


LATE = "zero_g()\nloss_g().backward()\nzero_d()\nloss_d().backward()\nstep_g()\nstep_d()\n"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        (STEP, {}),
        (STEP * 2, {"of": ["D", "G"] * 2}),
        (LATE, {"of": ["G", "D"]}),
        (without("zero_d()", "zero_g()"), {}),  # nothing was there before
        (without("zero_d()") * 2, {"of": ["D", "G"] * 2, "stale": True, "mixed": True}),
        (without("zero_g()") * 2, {"of": ["D", "G"] * 2, "stale": True}),
        (STEP.replace("loss_d", "loss_both"), {}),
        (without("zero_g()").replace("loss_d", "loss_both"), {"mixed": True}),
        (STEP + "step_d()\n", {"stale": True, "mixed": True}),
        (STEP.replace("step_d()", "zero_d()\nstep_d()"), {"dropped": ["D"]}),
        (STEP.replace("step_d()", "zero_d()\nloss_d().backward()\nstep_d()"), {"of": ["", "D", "G"], "dropped": ["D"]}),
        (STEP.replace("loss_d().backward()", "loss_d().backward()\nloss_d().backward()"), {"of": ["D", "D", "G"]}),
        (without("step_d()"), {}),  # it would have been for the discriminator
        (without("step_g()"), {}),
    ],
)
def test_passes_and_the_updates_that_take_them(source: str, found: dict[str, Any]) -> None:
    assert followed(source) == {**SOUND, **found}


def test_weights_without_an_optimizer_are_left_out() -> None:
    assert followed(STEP, "[g.weight]") == {**SOUND, "left out": ["G"]}
