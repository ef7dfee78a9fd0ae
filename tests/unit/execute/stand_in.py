"""A recorder for tests: says when it was called, and wraps nothing."""

from typing import Any

from graders.model import Experiment

SEEN: dict[str, Any] = {}


def install(namespace: dict[str, Any], shrink: Any, emit: Any, seed: int) -> None:
    SEEN.update(namespace=namespace, emit=emit, cells=[], shrink=shrink, seed=seed)


def after_cell(number: int) -> None:
    SEEN["cells"].append(number)
    SEEN["emit"](f"after {number}", Experiment({"x": repr(SEEN["namespace"].get("x"))}))


def finish() -> None:
    SEEN["emit"]("finished", Experiment({name: SEEN[name] for name in ("cells", "shrink", "seed")}))
