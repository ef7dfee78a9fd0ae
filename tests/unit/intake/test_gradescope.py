from __future__ import annotations

import logging
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.intake import gradescope
from graders.intake.gradescope import Record, read_metadata
from tests.unit.intake.packing import NOTEBOOK, Content, names, pack
from tests.unit.intake.test_lms import export, shape  # noqa: F401 - a fixture

METADATA = """---
submission_409194023:
  :submitters:
  - :name: Jane Doe
    :sid: '00123'
    :email: jane@example.edu
  :created_at: 2026-04-26 17:34:00.861687000 Z
  :score: 2.0
  :results:
    tests:
    - name: first
      output: |-
        :submitters: no
  :history:
  - :created_at: 2026-04-01 00:00:00.000000000 Z
submission_500000001:
  :submitters:
  - :name: Rick Roe
  - :name: Ann Poe
  :created_at: 2026-04-26 10:34:00 -07:00
submission_600000002:
  :submitters:
  - :name: null
    :sid: 333
submission_700000003:
  :submitters: []
123.ipynb:
  :submitters:
  - :name: 'null'
124.pdf:
  :submitters:
  - :name: Zoe
125.pdf:
  :submitters:
  - :name: Nobody has this one
"""
LAB: Content = {"lab.ipynb": NOTEBOOK}


def content(metadata: str | bytes) -> dict[str, Content]:
    ids = (409194023, 500000001, 600000002, 700000003, 800000004)
    return {"submission_metadata.yml": metadata, **{f"submission_{n}": LAB for n in ids}}


def test_an_export(tmp_path: Path, shape: str) -> None:  # noqa: F811 - a fixture
    more: dict[str, Content] = {"by mail.zip": pack({"a.py": b""}), "123.ipynb": NOTEBOOK, "124.pdf": b"", "x.csv": b""}
    found = export(tmp_path, {**content(METADATA), **more}, shape)
    null, zoe, mail, jane, two, sid, nobody, unlisted = found.values()
    assert list(found)[:4] == ["123", "124", "by-mail", "submission_409194023"]
    assert (null.name, names(null), zoe.name) == ("null", ["123.ipynb"], "Zoe")
    assert zoe.problems == ("no notebook and no script found in 124.pdf",)
    assert jane.name == "Jane Doe"
    assert jane.submitted == "2026-04-26T17:34:00.861687+00:00"
    assert two.name == "Rick Roe, Ann Poe"
    assert two.submitted == "2026-04-26T10:34:00-07:00"
    assert (sid.name, sid.submitted) == ("333", "")
    assert (nobody.name, unlisted.name) == ("submission_700000003", "submission_800000004")
    assert names(jane) == ["lab.ipynb"]
    assert mail.name == "by mail"
    assert {each.problems for each in found.values() if each is not zoe} == {()}


BROKEN = {
    "a: b: c": "line 1 is no YAML",
    "a: [\nb": "line 3 is no YAML",
    "x": "it lists no submissions",
    "": "it lists no submissions",
    "- a": "it lists no submissions",
    "a: 1\n---\nb: 2": "it lists no submissions",
    b"\xff\xfe\x00\xd8": "it is no YAML",
    b"a: \x00": "it is no YAML",
    "[" * 100_000: "it is nested too deeply",
    "- " * 100_000: "it is nested too deeply",
}


@pytest.mark.parametrize(("metadata", "why"), BROKEN.items(), ids=range(len(BROKEN)))
def test_broken_metadata_is_one_line_and_the_class_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, metadata: str | bytes, why: str
) -> None:
    with caplog.at_level(logging.WARNING):
        found = export(tmp_path, content(metadata), "folder")
    assert [each.name for each in found.values()] == list(found)
    assert len(found) == 5
    (record,) = caplog.records
    where = tmp_path / "submissions" / "submission_metadata.yml"
    assert record.getMessage() == f"{where}: cannot be read ({why}); the students go by the names of their folders"


def test_metadata_beyond_all_measure_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gradescope, "METADATA_LIMIT", 2**20)
    with pytest.raises(ValueError, match="it is larger than 1 MiB"):
        read_metadata(b"a" * (2**20 + 1))


def test_aliases_and_merges_do_not_make_much_of_little() -> None:
    lines = ["a0: &a0 {x: y}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 50)}]}}" for n in range(1, 50)]
    begin = time.monotonic()
    assert len(read_metadata("\n".join(lines).encode())) == 50
    assert time.monotonic() - begin < 5


def test_what_the_tests_printed_is_not_kept() -> None:
    tests = "\n".join("    - {name: first, output: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx}" for _ in range(20_000))
    data = f"a:\n  :results:\n    tests:\n{tests}\n  :submitters: [{{':name': Jane}}]".encode()
    tracemalloc.start()
    assert read_metadata(data) == {"a": Record("Jane", "")}
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * len(data)


def test_what_is_odd_is_left_out() -> None:
    text = """
a: 3
b: {":submitters": {":name": x}, ":created_at": yesterday}
c: {":submitters": [3, [x], {":name": [x]}, {":name": "  ", ":email": "e\\u001b[31m@x\\n"}], ":created_at": [1]}
d: !!python/object/apply:os.system {":submitters": [{":name": !!int x}]}
? [e]
: {}
f: *d
"""
    nothing = Record("", "")
    assert read_metadata(text.encode()) == {
        "a": nothing,
        "b": nothing,
        "c": Record("e\ufffd[31m@x", ""),
        "d": Record("x", ""),
        "f": nothing,
    }
    people = ", ".join(['{":name": ' + "x" * 100 + "}"] * 1000)
    assert len(read_metadata(f'a: {{":submitters": [{people}]}}'.encode())["a"].name) == 200


@given(st.binary(max_size=200) | st.text(alphabet=":-[]{}&*!|> \n\tab'\"", max_size=60).map(str.encode))
def test_random_bytes_give_records_or_one_reason(data: bytes) -> None:
    try:
        told = [record.name for record in read_metadata(data).values()]
    except ValueError as error:
        told = [str(error)]
    assert all(len(text.splitlines()) <= 1 for text in told)
