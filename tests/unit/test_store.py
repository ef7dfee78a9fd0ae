from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from graders.model import Evidence, Experiment
from graders.store import Store, read_evidence, write_evidence
from tests.unit.evidence import RAISED, evidence, outputs, same

RICH = Evidence(
    {"loading": Experiment(), "main": outputs([[1.0, np.nan]], count=3), "support": Experiment(failure=RAISED)},
    RAISED,
    output="hello\n",
    seconds=1.25,
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "run" / "evidence.sqlite")
    yield made
    made.close()


@settings(deadline=None)
@given(evidence)
def test_evidence_is_read_as_it_was_written(one: Evidence) -> None:
    document, arrays = write_evidence(one)
    assert same(read_evidence(json.loads(json.dumps(document)), arrays), one)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(evidence)
def test_evidence_is_kept_under_its_key(store: Store, one: Evidence) -> None:
    store.keep("key", one)
    found = store.evidence("key")
    assert found is not None
    assert same(found, one)


def test_what_was_never_kept_is_not_there(store: Store) -> None:
    store.keep("key", RICH)
    assert store.evidence("another key") is None


def test_the_last_of_two_under_one_key_is_kept(store: Store) -> None:
    store.keep("key", Evidence({}))
    store.keep("key", RICH)
    found = store.evidence("key")
    assert found is not None
    assert same(found, RICH)


def test_arrays_of_experiments_with_a_common_start_do_not_get_mixed_up(store: Store) -> None:
    one = Evidence({"a": Experiment(arrays={"b c": np.ones(1)}), "a b": Experiment(arrays={"c": np.zeros(2)})})
    store.keep("key", one)
    found = store.evidence("key")
    assert found is not None
    assert same(found, one)


def test_the_file_outlives_the_run_and_its_folder_is_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "evidence.sqlite"
    first = Store(path)
    first.keep("key", RICH)
    assert first.setting("seed", 7) == 7
    first.close()
    second = Store(path)
    found = second.evidence("key")
    assert found is not None
    assert same(found, RICH)
    assert second.setting("seed", 8) == 7
    second.close()


def test_the_first_value_of_a_setting_is_kept_and_each_name_has_its_own(store: Store) -> None:
    assert [store.setting("seed", value) for value in (3, 4, None)] == [3, 3, 3]
    assert store.setting("other", {"a": [1, 2.5, None]}) == {"a": [1, 2.5, None]}


def test_two_stores_on_one_file_agree_on_a_setting(tmp_path: Path) -> None:
    one, other = (Store(tmp_path / "evidence.sqlite") for _ in range(2))
    assert one.setting("seed", 1) == other.setting("seed", 2) == 1
    one.close()
    other.close()


def test_several_threads_may_keep_and_read_at_a_time(store: Store) -> None:
    wrong: list[object] = []

    def work(number: int) -> None:
        try:
            for turn in range(20):
                own = Evidence({"main": outputs(np.full(50, number * 100 + turn))})
                store.keep(f"{number}", own)
                store.keep("shared", own)
                found = store.evidence(f"{number}")
                if found is None or not same(found, own) or store.evidence("shared") is None:
                    wrong.append((number, turn))
                store.setting("seed", number)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert store.setting("seed", 9) in range(4)
