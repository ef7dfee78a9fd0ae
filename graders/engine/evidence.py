"""Gets evidence: from the store when the same work was done before, else from a child of the zygote."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import signal
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from graders.assignments import digest
from graders.errors import Fault
from graders.model import Evidence, Experiment, Failure, Slice
from graders.notebook import normalised
from graders.probes import wire
from graders.sandbox.fork import Ended, Zygote
from graders.store import Store

_LOADING = "loading"
_KILLED = ("timeout", "memory", "killed")
# What Colab has and this machine may lack: then the machine is at fault, not the student.
_COLAB = frozenset(
    "PIL albumentations cv2 einops h5py imageio matplotlib natsort numba pandas plotly scipy seaborn skimage sklearn "
    "sympy tensorflow_addons tensorflow_datasets tensorflow_probability tf_keras tqdm".split()
)


class Laboratory:
    """Runs orders in children and remembers their evidence by everything that it depends on."""

    def __init__(self, zygote: Zygote, store: Store) -> None:
        self._zygote, self._store = zygote, store
        self._surroundings = {
            "probes": digest(),
            "versions": zygote.versions,
            "level": zygote.level,
            "limits": zygote.limits.document(),
        }

    def evidence(self, order: wire.Order) -> Evidence:
        """Return the evidence of an order.

        Evidence without failures is shared by all code that is equal but for comments and places; evidence with
        failures names places, and is shared only by code that is equal to the letter.
        """
        keys = [self._key(order, literal) for literal in (False, True)]
        for key in keys:
            if (known := self._store.evidence(key)) is not None:
                return known
        found = collect(self._zygote, order)
        if not found.fault:
            clean = not found.failure and not any(one.failure for one in found.experiments.values())
            try:
                self._store.keep(keys[0] if clean else keys[1], found)
            except (ValueError, RecursionError):  # values that no honest probe sends
                return Evidence({}, Failure("evidence", "values that cannot be kept"), seconds=found.seconds)
        return found

    def _key(self, order: wire.Order, literal: bool) -> str:
        document, pictures = wire.pack_order(order)
        if not literal:
            document["slice"] = {**document["slice"], "statements": [], "modules": {}, "notes": []}
            document["normalised"] = normalised(order.slice)
        text = json.dumps([document, self._surroundings], sort_keys=True)
        return hashlib.sha256(text.encode() + pictures).hexdigest()


def collect(zygote: Zygote, order: wire.Order) -> Evidence:
    """Run one order in a child and return what it sent, or how it ended."""
    experiments: dict[str, Experiment] = {}

    def keep(header: Mapping[str, Any], blob: bytes) -> None:
        name, experiment = wire.unpack(header, blob)
        experiments.setdefault(name, experiment)  # the first counts: none is ever sent twice by a probe of ours

    started = time.monotonic()
    document, pictures = wire.pack_order(order)
    try:
        ended, broken = zygote.run(document, pictures, keep)
    except Fault as fault:
        return Evidence(experiments, fault=str(fault), seconds=time.monotonic() - started)
    failure = failure_of(ended, broken, zygote.limits.cpu_seconds)
    evidence = Evidence(experiments, failure, "", ended.output, round(time.monotonic() - started, 3))
    return replace(evidence, fault=_absent_module(evidence, order.slice))


def failure_of(ended: Ended, broken: str, cpu_seconds: float) -> Failure | None:
    """Return how a child ended before its probe did, None when the probe was done."""
    if broken == "":
        return None
    if ended.code == -signal.SIGXCPU or ended.cpu_seconds >= cpu_seconds:
        return Failure("timeout", f"it did not end within {cpu_seconds:g} seconds of computing")
    if ended.reason == "timeout":
        return Failure("timeout", "it did not end, but waited for something that does not come")
    if broken not in ("closed", "deadline"):
        return Failure("evidence", broken)
    if ended.code < 0 and ended.reason == "ended":
        return Failure("killed", f"the process died of signal {-ended.code} ({signal.strsignal(-ended.code)})")
    return Failure("exit", f"the process left with status {ended.code} before the end of the test")


def killed(evidence: Evidence) -> bool:
    """Return whether the run was ended by a limit, so that running the same code again would only cost time."""
    return evidence.failure is not None and evidence.failure.kind in _KILLED


def _absent_module(evidence: Evidence, piece: Slice) -> str:
    """Return why it is our fault that a module was not found, "" when it is not.

    A child's word is not enough: the code must import the module, Colab must have it, and this machine really lack it.
    """
    for experiment in evidence.experiments.values():
        failure = experiment.failure
        if failure and failure.kind == "ModuleNotFoundError":
            match = re.search(r"No module named '(\w+)", failure.message)
            if match and match[1] in _COLAB & _imported(piece) and importlib.util.find_spec(match[1]) is None:
                return f"the module {match[1]}, which Colab has, is not installed here: pip install 'graders[colab]'"
    return ""


def _imported(piece: Slice) -> set[str]:
    """Return the top-level modules that a slice imports by a statement of its own."""
    modules = [statement for entries in piece.modules.values() for statement in entries]
    text = "\n".join(statement.source for statement in (*piece.statements, *modules))
    return set(re.findall(r"^\s*(?:import|from)\s+(\w+)", text, re.MULTILINE))
