"""Code for a GPU, on a machine without one: in a process of its own, since functions of PyTorch are replaced."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")

_START = """
import copy, io, warnings
warnings.simplefilter("error", ResourceWarning)
import torch
from torch import nn
from graders.probes.torch_devices import without_gpu
without_gpu()
cuda = torch.device("cuda", 0)
"""


def _printed(code: str, start: str = _START) -> list[str]:
    done = subprocess.run([sys.executable, "-c", start + code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    "expression",
    [
        "nn.Linear(2, 3).cuda().to('cuda:0').to(cuda, torch.float64).weight",
        "torch.ones(1, 2).to(device='cuda', dtype=torch.float64).cuda(non_blocking=True)",
        "torch.randn(2, device='cuda') + torch.zeros(2, device=cuda) + torch.tensor(1.0, device='cuda:1')",
        "torch.randint(10, (2,), device='cuda')",
        "torch.ones(2).new_zeros(2, device='cuda')",
        "nn.Conv2d(1, 1, 1, device='cuda')(torch.ones(1, 1, 2, 2))",
        "nn.BatchNorm2d(2, device='cuda').running_mean",
        "nn.Embedding(2, 2, device='cuda').weight",
        "(torch.set_default_device('cuda'), torch.ones(2))[1]",
    ],
)
def test_code_that_asks_for_a_gpu_runs_where_there_is_none(expression: str) -> None:
    assert _printed(f"print(({expression}).device)") == ["cpu"]
    with pytest.raises(AssertionError, match="CUDA"):
        _printed(f"print(({expression}).device)", _START.replace("without_gpu()\n", ""))


def test_everything_else_is_as_it_was() -> None:
    code = """
one = torch.ones(2)
kept = io.BytesIO()
torch.save(nn.Linear(2, 2).state_dict(), kept)
kept.seek(0)
print(one.to(torch.int64).dtype, one.to(one.double()).dtype, torch.full((1,), 2.0).item())
print(copy.deepcopy(nn.Linear(2, 2))(one).shape[0], len(torch.load(kept, map_location="cuda")))
"""
    assert _printed(code) == ["torch.int64", "torch.float64", "2.0", "2", "2"]


def test_scripted_traced_and_loaded_code_still_works() -> None:
    code = """
class Noisy(nn.Module):
    def forward(self, mu: torch.Tensor) -> torch.Tensor:
        return mu.to(torch.float32) + torch.randn_like(mu) * torch.zeros(3, device=mu.device)

x = torch.ones(2, 3)
loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x), batch_size=1, shuffle=True)
print(torch.jit.script(Noisy())(x).sum().item(), torch.jit.trace(Noisy(), x, check_trace=False)(x).sum().item())
print(torch.compile(Noisy(), backend="eager", fullgraph=True)(x).sum().item(), len(list(loader)))
"""
    assert _printed(code) == ["6.0", "6.0", "6.0", "2"]
