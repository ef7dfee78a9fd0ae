"""What tests of the engine share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.store import Store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "evidence.sqlite")
    yield made
    made.close()
