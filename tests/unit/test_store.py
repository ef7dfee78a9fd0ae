from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from graders.errors import UsageError
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


def test_of_two_runs_on_one_file_the_second_is_told_to_wait(tmp_path: Path) -> None:
    path = tmp_path / "evidence.sqlite"
    first = Store(path)
    with pytest.raises(UsageError, match=rf"another run is writing to it \(process {os.getpid()}\)"):
        Store(path)
    first.close()
    Store(path).close()


def test_the_newest_value_of_what_is_recorded_counts(store: Store) -> None:
    assert store.recorded("run") is None
    store.record("run", {"items": ["C1"]})
    store.record("run", {"items": ["C2"]})
    assert store.recorded("run") == {"items": ["C2"]}


def test_a_report_stands_with_its_key_and_what_it_was_made_from(store: Store) -> None:
    assert (store.submission("ann"), store.pieces("ann"), store.published("ann")) == (None, None, "")
    store.keep_submission("ann", "key", {"own": 1}, {"score": 2})
    assert (store.submission("ann"), store.pieces("ann")) == (("key", {"score": 2}), {"own": 1})


def test_evidence_that_is_forgotten_is_measured_again(store: Store) -> None:
    store.keep("key", Evidence({}))
    store.forget("key")
    store.forget("never there")
    assert store.evidence("key") is None


def test_what_files_tell_is_noted_for_whoever_has_files_also_without_a_kept_report(store: Store) -> None:
    store.keep_submission("ann", "key", {}, {})
    assert store.published("ann") == ""
    store.publish({"ann": "this", "\udcff": "that"})
    assert (store.published("ann"), store.published("\udcff")) == ("this", "that")
    store.publish({"ann": ""})
    assert store.published("ann") == ""


def test_an_id_that_is_no_utf8_is_an_id(store: Store) -> None:
    store.keep_submission("\udcff", "key", {}, {})
    assert store.submission("\udcff") == ("key", {})


@pytest.mark.parametrize(
    "content", [b"this is no database, whatever its name may be" * 30, b"SQLite format 3\0" + b"x" * 4000]
)
def test_a_damaged_file_is_told_in_one_line_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "evidence.sqlite"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"evidence\.sqlite: is damaged .*; move it away and grade again") as raised:
        Store(path)
    assert "\n" not in str(raised.value)
    assert path.read_bytes() == content


def test_a_file_of_another_version_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "evidence.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(UsageError, match="another version"):
        Store(path)


def test_a_disk_that_is_full_is_a_fault_and_loses_nothing(tmp_path: Path) -> None:
    path = tmp_path / "evidence.sqlite"
    script = """
import resource, sys, signal
from pathlib import Path
import numpy as np
from graders.errors import Fault
from graders.model import Evidence, Experiment
from graders.store import Store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
store = Store(Path(sys.argv[1]))
big = Evidence({"main": Experiment(arrays={"a": np.arange(30_000)})})
store.keep("first", big)
resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))
try:
    for number in range(100):
        store.keep(str(number), big)
except Fault as fault:
    print(fault)
"""
    process = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    assert "make room or mend it, then run the same command again" in process.stdout
    assert len(process.stdout.splitlines()) == 1
    again = Store(path)
    assert again.evidence("first") is not None
    assert again.evidence("99") is None
    again.keep("99", RICH)
    again.close()


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
