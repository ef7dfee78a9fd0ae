"""Which backward passes the gradients of two networks' weights come from, and which updates take them.

Imported where student code runs, by `graders.probes.torch_duel`. No expected value is in here.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.optim import optimizer as optim

_SAME = 1e-3


class Passes:
    """Follows gradients from backward passes into weights and from there into updates.

    `updates` are the updates so far: who (networks whose weights the optimizer has), changed (networks), stale
    (gradients of before were left), mixed (a pass of which another network's update has taken, too).
    """

    def __init__(self) -> None:
        self.updates: list[dict[str, Any]] = []
        self.weights: dict[Any, str] = {}  # the network of every weight seen
        self._hooks: list[Any] = []
        self._reached: dict[int, set[str]] = {}  # networks by pass
        self._pending: dict[Any, dict[int, Any]] = {}  # gradients by weight and pass, which no update has taken
        self._left: set[Any] = set()  # weights that hold gradients which an update has taken
        self._cleared: set[tuple[int, str]] = set()  # passes and networks that had a gradient of them set to zero
        self._odd: set[str] = set()  # networks whose gradients were changed between two passes
        self._taken: dict[int, tuple[int, set[str]]] = {}  # the first update that took of a pass, for which networks
        self._before: dict[Any, Any] = {}
        self._learnt: set[Any] = set()  # weights that got a gradient
        self._owned_by_any: set[Any] = set()  # weights of the optimizers that made an update

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Note all updates."""
        handles = [
            optim.register_optimizer_step_pre_hook(self._about_to_update),
            optim.register_optimizer_step_post_hook(self._updated),
        ]
        try:
            yield
        finally:
            for handle in (*handles, *self._hooks):
                handle.remove()

    def know(self, network: str, module: Any) -> None:
        """Follow the weights of a network from now on."""
        for weight in module.parameters():
            if weight.requires_grad and weight not in self.weights:
                self.weights[weight] = network
                self._hooks.append(weight.register_hook(self._adding(weight, network)))

    def dropped(self) -> list[str]:
        """Return the networks of whose gradients some were thrown away that no update had taken."""
        return sorted(self._odd | {network for number, network in self._cleared if number not in self._taken})

    def left_out(self) -> list[str]:
        """Return the updated networks that have weights with a gradient which no optimizer has."""
        updated = {network for one in self.updates for network in one["changed"]}
        return sorted(updated & {self.weights[one] for one in self._learnt - self._owned_by_any})

    def told(self, number: int) -> dict[str, Any]:
        """Return which network learns of a pass, "" where none does, and in which update, -1 in none.

        A network that is never updated would have learnt of what reaches it.
        """
        if number in self._taken:
            update, networks = self._taken[number]
            return {"of": "G" if "G" in networks else "D", "update": update}
        meant = "G" if "G" in self._reached.get(number, set()) else "D"
        updated = {network for _, networks in self._taken.values() for network in networks}
        return {"of": "" if meant in updated else meant, "update": -1}

    def _adding(self, weight: Any, network: str) -> Callable[[Any], None]:
        """Return a hook for what a backward pass adds to the gradient of a weight."""

        def note(gradient: Any) -> None:
            self._look(weight)
            number = current()
            self._reached.setdefault(number, set()).add(network)
            self._pending.setdefault(weight, {})[number] = gradient.detach().clone()
            if bool(gradient.any()):
                self._learnt.add(weight)

        return note

    def _look(self, weight: Any) -> None:
        """See what became of the gradient of a weight since the last pass."""
        parts, present = self._pending.get(weight, {}), weight.grad
        if present is None or not bool(present.any()):
            self._cleared |= {(number, self.weights[weight]) for number, one in parts.items() if bool(one.any())}
            parts.clear()
            self._left.discard(weight)
        elif not parts:
            self._left.add(weight)
        elif weight not in self._left and not _same(present, sum(parts.values())):
            self._odd.add(self.weights[weight])

    def _owned(self, optimizer: Any) -> list[Any]:
        return [one for group in optimizer.param_groups for one in group["params"] if one in self.weights]

    def _about_to_update(self, optimizer: Any, *_: Any) -> None:
        self._before = {weight: weight.detach().clone() for weight in self.weights}
        for weight in self._owned(optimizer):
            present = weight.grad
            if present is None or not bool(present.any()) or not self._pending.get(weight):
                self._look(weight)

    def _updated(self, optimizer: Any, *_: Any) -> None:
        owned = self._owned(optimizer)
        self._owned_by_any |= set(owned)
        changed = {self.weights[one] for one, old in self._before.items() if not torch.equal(one.detach(), old)}
        parts = {weight: self._pending.pop(weight, {}) for weight in owned}
        taken: dict[int, set[str]] = {}
        for weight, passes in parts.items():
            for number in passes:
                taken.setdefault(number, set()).add(self.weights[weight])
        mixed = any(number in self._taken for number in taken) or any(len(one) > 1 for one in taken.values())
        self.updates.append(
            {
                "who": sorted({self.weights[one] for one in owned}),
                "changed": sorted(changed),
                "stale": any(one in self._left and self.weights[one] in changed for one in owned),
                "mixed": mixed,
            }
        )
        self._taken = {number: (len(self.updates) - 1, one) for number, one in taken.items()} | self._taken


def current() -> int:
    """Return the number of the backward pass that is going on."""
    return int(torch._C._current_graph_task_id())


def _same(one: Any, other: Any) -> bool:
    scale = float(other.abs().max())
    return float((one - other).abs().max()) <= _SAME * max(scale, 1e-12)
