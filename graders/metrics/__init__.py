"""The metric tier: a trained model is asked in its confined process, and its raw outputs are scored in ours."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path


@cache
def digest() -> str:
    """Return a hash of all code that asks and scores: when it changes, what was measured is measured anew."""
    files = sorted(Path(__file__).resolve().parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()
