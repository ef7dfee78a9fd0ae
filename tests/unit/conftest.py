"""What tests share that is expensive to make."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from graders.data import calligraphy
from tests.unit import rehearsal


@pytest.fixture(scope="session")
def rehearsals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[rehearsal.Rehearsals]:
    """A process that rehearses notebooks beside a small data set and the weights of a small model."""
    folder = tmp_path_factory.mktemp("rehearsals")
    calligraphy.draw(folder / "pa2", train=80, test=70, seed=3)
    with rehearsal.Rehearsals(folder) as process:
        process.do(rehearsal.make_weights, rehearsal.reference_text(), rehearsal.WEIGHTS)
        yield process


@pytest.fixture(scope="session")
def reference_run(rehearsals: rehearsal.Rehearsals) -> dict[str, Any]:
    """The rehearsal of the reference's own notebook."""
    return rehearsals.run(rehearsal.reference_text())
