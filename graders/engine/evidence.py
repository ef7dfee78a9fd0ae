"""Gets evidence: from the store when the same work was done before, else from a child of the zygote."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from graders.assignments import digest
from graders.errors import Fault
from graders.model import Evidence, Experiment, Failure, Slice
from graders.notebook import normalised
from graders.probes import wire
from graders.sandbox.fork import Ended
from graders.sandbox.nursery import Nursery
from graders.store import Store

_KILLED = ("timeout", "memory", "killed")
_EXCEEDED = {
    "memory": "it takes more memory than there is for it",
    "processes": "it starts more processes and threads than it may",
    "disk": "it writes more files than there is room for",
}
# What Colab has and this machine may lack: then the machine is at fault, not the student.
_COLAB = frozenset(
    "PIL albumentations cv2 einops h5py imageio matplotlib natsort numba pandas plotly scipy seaborn skimage sklearn "
    "sympy tensorflow_addons tensorflow_datasets tensorflow_probability tf_keras torchaudio torchvision tqdm".split()
)


class Laboratory:
    """Runs orders in children and remembers their evidence by everything that it depends on."""

    def __init__(self, nursery: Nursery, store: Store, versions: Mapping[str, str]) -> None:
        self._nursery, self._store = nursery, store
        self.surroundings = {
            "probes": digest(),
            "versions": dict(versions),
            "level": nursery.level,
            "devices": list(nursery.devices),
            "limits": nursery.limits.document(),
        }

    def evidence(self, order: wire.Order) -> tuple[Evidence, str]:
        """Return the evidence of an order and the key under which it is kept, "" for a fault, which is not kept.

        Evidence without failures is shared by all code that is equal but for comments and places; evidence with
        failures names places, and is shared only by code that is equal to the letter.
        """
        keys = [self._key(order, literal) for literal in (False, True)]
        with self._store.turn(keys[0]):
            for key in keys:
                if (known := self._store.evidence(key)) is not None:
                    return known, key
            found = collect(self._nursery, order)
            return (found, "") if found.fault else self._kept(keys, found)

    def keep(self, key: str, evidence: Evidence) -> None:
        """Keep evidence that no child sent under a key of its own."""
        self._store.keep(key, evidence)

    def _kept(self, keys: Sequence[str], found: Evidence) -> tuple[Evidence, str]:
        clean = not found.failure and not any(one.failure for one in found.experiments.values())
        key = keys[0] if clean else keys[1]
        try:
            self._store.keep(key, found)
        except (ValueError, RecursionError):  # values that no honest probe sends
            found = Evidence({}, Failure("evidence", "values that cannot be kept"), seconds=found.seconds)
            self._store.keep(key, found)
        return found, key

    def _key(self, order: wire.Order, literal: bool) -> str:
        document, pictures = wire.pack_order(order)
        if not literal:
            document["slice"] = {**document["slice"], "statements": [], "modules": {}, "notes": []}
            document["normalised"] = normalised(order.slice)
        text = json.dumps([document, self.surroundings], sort_keys=True)
        return hashlib.sha256(text.encode() + pictures).hexdigest()


def collect(nursery: Nursery, order: wire.Order) -> Evidence:
    """Run one order in a child and return what it sent, or how it ended.

    A run that we lost is made once more, and so is one that a signal ended: whether student code or somebody else
    killed the child cannot be told from one end, but code that kills itself does so again.
    """
    evidence, doubtful = _attempt(nursery, order)
    if doubtful:
        evidence, _ = _attempt(nursery, order)
    return replace(evidence, fault=evidence.fault or _absent_module(evidence, order.slice))


def _attempt(nursery: Nursery, order: wire.Order) -> tuple[Evidence, bool]:
    """Return the evidence of one run, and whether another run may well end in another way."""
    experiments: dict[str, Experiment] = {}

    def keep(header: Mapping[str, Any], blob: bytes) -> None:
        name, experiment = wire.unpack(header, blob)
        experiments.setdefault(name, experiment)  # the first counts: none is ever sent twice by a probe of ours

    started = time.monotonic()
    document, pictures = wire.pack_order(order)
    try:
        ended, broken = nursery.run(document, pictures, keep)
    except Fault as fault:
        return Evidence(experiments, fault=str(fault), seconds=time.monotonic() - started), True
    failure = failure_of(ended, broken, nursery.limits.cpu_seconds)
    evidence = Evidence(experiments, failure, "", ended.output, round(time.monotonic() - started, 3))
    by_signal = ended.reason == "ended" and ended.code < 0
    return evidence, bool(failure and failure.kind not in ("timeout", "memory") and by_signal)


def failure_of(ended: Ended, broken: str, cpu_seconds: float) -> Failure | None:
    """Return how a child ended before its probe did, None when the probe was done."""
    if broken == "":
        return None
    if ended.code == -signal.SIGXCPU or ended.cpu_seconds >= cpu_seconds:
        return Failure("timeout", f"it did not end within {cpu_seconds:g} seconds of computing")
    if ended.reason == "timeout":
        return Failure("timeout", "it did not end, but waited for something that does not come")
    if ended.reason in _EXCEEDED:
        return Failure("memory", _EXCEEDED[ended.reason])
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
    modules = [statement for entries in piece.modules.values() for statement in entries]
    text = "\n".join(statement.source for statement in (*piece.statements, *modules))
    failures = [one.failure for one in evidence.experiments.values() if one.failure]
    return next(filter(None, (lacking(failure, text) for failure in failures)), "")


def lacking(failure: Failure, code: str) -> str:
    """Return why it is our fault that code failed: it imports a module of Colab's that is not here; "" where it is not.

    The code must do so itself, by a statement of its own.
    """
    if failure.kind == "ModuleNotFoundError":
        imported = set(re.findall(r"^\s*(?:import|from)\s+(\w+)", code, re.MULTILINE))
        match = re.search(r"No module named '(\w+)", failure.message)
        if match and match[1] in _COLAB & imported and importlib.util.find_spec(match[1]) is None:
            mend = f"pip install {match[1]}" if "torch" in match[1] else "pip install 'graders[colab]'"
            return f"the module {match[1]}, which Colab has, is not installed here: {mend}"
    return ""
