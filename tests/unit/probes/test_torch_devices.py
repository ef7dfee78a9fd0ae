"""Code for a GPU, on a machine without one: in a process of its own, since functions of PyTorch are replaced."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU is here")

# What asks for a GPU, and everything else that may be done with the functions that are replaced, by what it gives.
DEVICES = (
    "nn.Linear(2, 3).cuda().to('cuda:0').to(cuda, torch.float64).weight",
    "torch.ones(1, 2).to(device='cuda', dtype=torch.float64).cuda(non_blocking=True)",
    "torch.randn(2, device='cuda') + torch.zeros(2, device=cuda) + torch.tensor(1.0, device='cuda:1')",
    "torch.randint(10, (2,), device='cuda')",
    "torch.ones(2).new_zeros(2, device='cuda')",
    "nn.Conv2d(1, 1, 1, device='cuda')(torch.ones(1, 1, 2, 2))",
    "nn.BatchNorm2d(2, device='cuda').running_mean",
    "nn.Embedding(2, 2, device='cuda').weight",
    "nn.LazyLinear(3).to('cuda')(torch.ones(1, 2))",
    "torch.load(saved(), map_location='cuda')['weight']",
    "(torch.set_default_device('cuda'), torch.ones(2))[1]",
)
OTHERS = {
    "str(ones.to(torch.int64).dtype)": "torch.int64",
    "str(ones.to(ones.double()).dtype)": "torch.float64",
    "torch.full((1,), 2.0).item()": 2.0,
    "copy.deepcopy(noisy)(ones).sum().item()": 6.0,
    "torch.jit.script(noisy)(ones).sum().item()": 6.0,
    "torch.jit.trace(noisy, ones, check_trace=False)(ones).sum().item()": 6.0,
    "torch.compile(noisy, backend='eager', fullgraph=True)(ones).sum().item()": 6.0,
    "len(list(data.DataLoader(data.TensorDataset(ones), shuffle=True)))": 2,
}
_PROGRAM = """
import copy, io, json, sys
import torch
from torch import nn
from torch.utils import data
from graders.probes.torch_devices import without_gpu

class Noisy(nn.Module):
    def forward(self, mu: torch.Tensor) -> torch.Tensor:
        return mu.to(torch.float32) + torch.randn_like(mu) * torch.zeros(3, device=mu.device)

def saved():
    kept = io.BytesIO()
    torch.save(nn.Linear(2, 2).state_dict(), kept)
    kept.seek(0)
    return kept

def tried(expression):
    try:
        return eval(expression)
    except Exception as error:
        return f"{type(error).__name__}: {error}"

cuda, noisy, ones = torch.device("cuda", 0), Noisy(), torch.ones(2, 3)
expressions = json.loads(sys.argv[1])
before = [tried(one) for one in expressions]
torch.set_default_device(None)
without_gpu()
print(json.dumps([before, [tried(one) for one in expressions]]))
"""


def _before_and_after(folder: Path, expressions: list[str]) -> tuple[list[object], list[object]]:
    path = folder / "program.py"  # TorchScript reads the source
    path.write_text(_PROGRAM)
    command = [sys.executable, "-W", "ignore", str(path), json.dumps(expressions)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after = json.loads(done.stdout)
    return before, after


def test_code_that_asks_for_a_gpu_runs_where_there_is_none(tmp_path: Path) -> None:
    before, after = _before_and_after(tmp_path, [f"({one}).device.type" for one in DEVICES])
    assert after == ["cpu"] * len(DEVICES)
    assert "cpu" not in before


def test_everything_else_is_as_it_was(tmp_path: Path) -> None:
    before, after = _before_and_after(tmp_path, list(OTHERS))
    assert before == list(OTHERS.values())
    assert after == before
