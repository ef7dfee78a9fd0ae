"""Executes a reference that trains at the level of its module; after any epoch it can be stopped and gone on with."""

from __future__ import annotations

import ast
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders.errors import UsageError

Tell = Callable[[str], None]
_WITHOUT = ("torchvision",)  # gives the data alone, which we give


@dataclass(frozen=True)
class Trained:
    """What a training left: its names, how many epochs it has behind it of how many, seconds of all calls together."""

    names: dict[str, Any]
    epochs: int
    of: int
    seconds: float

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do."""
        return self.epochs == self.of


@dataclass(frozen=True)
class Checkpoint:
    """Where the state goes, and which data it is of: a digest."""

    path: Path
    data: str = ""


def train(text: str, given: Mapping[str, Any], checkpoint: Checkpoint, seconds: float, tell: Tell) -> Trained:
    """Execute a reference's text until it ends, or until another epoch would take longer than `seconds` in all.

    `given` are names whose assignments in the text are left out: settings and data. After every epoch the state goes
    into `checkpoint`; the next call goes on from there as if it had not been stopped. A call does one epoch at least.
    Raises UsageError where the checkpoint is of another text, other settings, data or device.
    """
    begin = time.monotonic()
    before, loop, after = parts(text, given)
    names: dict[str, Any] = {"__name__": "reference", **given, "print": tell}
    _execute(before, names)
    kept = [name for name in names if name not in given and not name.startswith("__")]
    epochs = list(eval(compile(ast.Expression(loop.iter), "reference", "eval"), names))
    of = _digest(text, given, checkpoint.data)
    done, spent = _restored(names, checkpoint.path, of)
    longest = 0.0
    for number in range(done, len(epochs)):
        started = time.monotonic()
        if longest and started - begin + longest > seconds:
            return Trained(names, number, len(epochs), spent + started - begin)
        names["epoch"] = epochs[number]
        _execute(loop.body, names)
        longest = max(longest, time.monotonic() - started)
        _save(
            names, kept, checkpoint.path, {"of": of, "epochs": number + 1, "seconds": spent + time.monotonic() - begin}
        )
    _execute(after, names)
    return Trained(names, len(epochs), len(epochs), spent + time.monotonic() - begin)


def parts(text: str, given: Mapping[str, Any]) -> tuple[list[ast.stmt], ast.For, list[ast.stmt]]:
    """Return what stands before the loop over `epoch`, the loop, and what stands behind it; without what is given."""
    body = [node for node in ast.parse(text).body if not _left_out(node, given)]
    loops = [at for at, node in enumerate(body) if isinstance(node, ast.For) and ast.unparse(node.target) == "epoch"]
    if len(loops) != 1:
        raise ValueError(f"{len(loops)} loops over `epoch` at the level of the module; one is wanted")
    loop = body[loops[0]]
    assert isinstance(loop, ast.For)
    return body[: loops[0]], loop, body[loops[0] + 1 :]


def _left_out(node: ast.stmt, given: Mapping[str, Any]) -> bool:
    if isinstance(node, ast.Assign):
        return all(isinstance(target, ast.Name) and target.id in given for target in node.targets)
    return isinstance(node, ast.ImportFrom) and node.module in _WITHOUT


def _execute(body: list[ast.stmt], names: dict[str, Any]) -> None:
    exec(compile(ast.Module(body, []), "reference", "exec"), names)


# The state: of networks and optimizers, tensors, numbers, and of chance ----------------------------------------------


def _digest(text: str, given: Mapping[str, Any], data: str) -> str:
    import torch

    plain = {name: value for name, value in given.items() if _plain(value)}
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "cpu"
    return hashlib.sha256(json.dumps([text, plain, data, device], sort_keys=True).encode()).hexdigest()


def _save(names: Mapping[str, Any], kept: list[str], checkpoint: Path, so_far: Mapping[str, Any]) -> None:
    import torch

    found = {name: names[name] for name in kept}
    state = {
        "stateful": {name: one.state_dict() for name, one in found.items() if _stateful(one)},
        "tensors": {name: one for name, one in found.items() if isinstance(one, torch.Tensor)},
        "plain": json.dumps({name: one for name, one in found.items() if _plain(one)}),
        "chance": torch.get_rng_state(),
        "chance of the gpu": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
        **so_far,
    }
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    written = checkpoint.with_suffix(".part")
    torch.save(state, written)
    written.replace(checkpoint)


def _restored(names: dict[str, Any], checkpoint: Path, of: str) -> tuple[int, float]:
    """Put a checkpoint's state into the names; return the epochs and the seconds that are behind it, 0 without one."""
    import torch

    if not checkpoint.exists():
        return 0, 0.0
    state = torch.load(checkpoint, weights_only=True, map_location="cpu")
    if state.get("of") != of:
        raise UsageError(f"{checkpoint}: of another training (text, settings, data or device); remove it to begin anew")
    for name, value in state["stateful"].items():
        names[name].load_state_dict(value)
    for name, value in state["tensors"].items():
        names[name] = value.to(names[name].device)
    names |= json.loads(state["plain"])
    torch.set_rng_state(state["chance"])
    if state["chance of the gpu"]:
        torch.cuda.set_rng_state_all(state["chance of the gpu"])
    return int(state["epochs"]), float(state["seconds"])


def _stateful(thing: Any) -> bool:
    return not isinstance(thing, type) and hasattr(thing, "state_dict") and hasattr(thing, "load_state_dict")


def _plain(thing: Any) -> bool:
    """Return whether a thing is numbers in lists and dictionaries."""
    if isinstance(thing, (list, tuple)):
        return all(map(_plain, thing))
    if isinstance(thing, dict):
        return all(isinstance(key, str) and _plain(value) for key, value in thing.items())
    return isinstance(thing, (bool, int, float))
