"""Evidence as bytes: a JSON document and safetensors, never pickle."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from graders.model import Evidence, Experiment, Failure

_SEPARATOR = "\x1f"  # between the names of an experiment and of an array


def write_evidence(evidence: Evidence) -> tuple[dict[str, Any], bytes]:
    """Return evidence as a JSON document and safetensors bytes."""
    document = {
        "experiments": {
            name: {"values": dict(one.values), "failure": asdict(one.failure) if one.failure else None}
            for name, one in evidence.experiments.items()
        },
        "failure": asdict(evidence.failure) if evidence.failure else None,
        "fault": evidence.fault,
        "output": evidence.output,
        "seconds": evidence.seconds,
    }
    arrays: dict[str, NDArray[Any]] = {
        f"{name}{_SEPARATOR}{key}": np.asarray(array, order="C")
        for name, one in evidence.experiments.items()
        for key, array in one.arrays.items()
    }
    return document, save(arrays) if arrays else b""


def read_evidence(document: dict[str, Any], blob: bytes) -> Evidence:
    """Return the evidence that `write_evidence` wrote."""
    by_experiment: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in (load(blob) if blob else {}).items():
        experiment, _, key = name.partition(_SEPARATOR)
        by_experiment.setdefault(experiment, {})[key] = array
    experiments = {
        name: Experiment(one["values"], by_experiment.get(name, {}), _failure(one["failure"]))
        for name, one in document["experiments"].items()
    }
    return Evidence(
        experiments, _failure(document["failure"]), document["fault"], document["output"], document["seconds"]
    )


def _failure(document: dict[str, str] | None) -> Failure | None:
    return Failure(**document) if document else None
