"""Evidence kept in SQLite by what it depends on: equal work is done once, an unchanged class costs nothing."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load, save

from graders.model import Evidence, Experiment, Failure

_SCHEMA = """
CREATE TABLE IF NOT EXISTS evidence (key TEXT PRIMARY KEY, document TEXT NOT NULL, arrays BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
_SEPARATOR = "\x1f"  # between the names of an experiment and of an array


class Store:
    """One file of evidence and settings; safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.executescript(_SCHEMA)

    def evidence(self, key: str) -> Evidence | None:
        """Return the evidence of that key, if there is any."""
        with self._lock:
            row = self._connection.execute("SELECT document, arrays FROM evidence WHERE key = ?", (key,)).fetchone()
        return read_evidence(json.loads(row[0]), row[1]) if row else None

    def keep(self, key: str, evidence: Evidence) -> None:
        """Keep evidence under a key."""
        document, arrays = write_evidence(evidence)
        with self._lock, self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO evidence VALUES (?, ?, ?)", (key, json.dumps(document), arrays)
            )

    def setting(self, name: str, default: Any) -> Any:
        """Return a setting of the run; the first value that is asked for is kept."""
        with self._lock, self._connection:
            self._connection.execute("INSERT OR IGNORE INTO setting VALUES (?, ?)", (name, json.dumps(default)))
            row = self._connection.execute("SELECT value FROM setting WHERE name = ?", (name,)).fetchone()
        return json.loads(row[0])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


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
