from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.errors import Fault
from graders.model import ClassReport, Submission
from graders.reports.files import folder_name, folder_names, replace_file, settle
from graders.reports.page import class_page
from graders.reports.write import student_folder, write_class, write_student

from .sample import NAMES, report, sample_class


def write_all(whole: ClassReport, out: Path) -> None:
    names = folder_names(made.submission.id for made in whole.reports)
    for made, name in zip(whole.reports, names, strict=True):
        write_student(made, student_folder(out, name))
    write_class(whole, out)


def written(out: Path) -> set[str]:
    return {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}


def test_everything_is_written_and_nothing_else(tmp_path: Path) -> None:
    whole = sample_class()
    write_all(whole, tmp_path)
    ids = [made.submission.id for made in whole.reports]
    each = {f"students/{who}/{file}" for who in ids for file in ("result.json", "report.html")}
    assert written(tmp_path) == {"class.json", "marks.csv", "report.html"} | each
    assert json.loads((tmp_path / "students" / ids[0] / "result.json").read_text())["score"] == 51


def test_writing_again_replaces(tmp_path: Path) -> None:
    write_all(sample_class(2), tmp_path)
    first = {name: (tmp_path / name).read_bytes() for name in written(tmp_path)}
    write_all(sample_class(2), tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in written(tmp_path)} == first


def test_class_without_submissions(tmp_path: Path) -> None:
    write_all(sample_class(0), tmp_path)
    assert written(tmp_path) == {"class.json", "marks.csv", "report.html"}


def test_ids_that_clash_or_climb_stay_apart_and_inside(tmp_path: Path) -> None:
    ids = ["../up", "..", "", "/etc", "Ann", "ann", "Ann", "ann-2", "a\x00b", "陳", "x" * 5_000, "\udcff"]
    made = tuple(replace(report("Ada", {}), submission=Submission(who, f"n{n}")) for n, who in enumerate(ids))
    whole = ClassReport(made[0].assignment, made, {}, 1.0)
    write_all(whole, tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    results = sorted((tmp_path / "out" / "students").glob("*/result.json"))
    assert {json.loads(path.read_text())["submission"]["name"] for path in results} == {
        f"n{n}" for n in range(len(ids))
    }
    assert len({name.casefold() for name in folder_names(ids)}) == len(ids)
    for name in links((tmp_path / "out" / "report.html").read_text()):
        assert (tmp_path / "out" / unquote(name)).is_file()


def links(page: str) -> list[str]:
    found: list[str] = []

    class Links(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if tag == "a" and name == "href")

    Links().feed(page)
    return found


@given(st.text(alphabet=st.characters(), max_size=60), st.text(alphabet=st.characters(), max_size=60))
def test_folder_names_are_safe_and_tell_ids_apart(one: str, other: str) -> None:
    name = folder_name(one)
    assert name not in ("", ".", "..")
    assert not set(name) & set('/\\:\0 *?"<>|\n')
    assert (name == folder_name(other)) == (one == other)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "x"
    replace_file(target, b"old")

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Fault, match="x: No space left on device; make room"):
        settle([target])
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(Fault, match="x: No space left on device; make room"):
        replace_file(target, b"new")
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("x", b"old")]


@pytest.mark.parametrize(
    ("module", "kept_out"), [("terminal", {"matplotlib", "jinja2"}), ("page", {"matplotlib"}), ("documents", {"rich"})]
)
def test_modules_load_no_more_than_they_need(module: str, kept_out: set[str]) -> None:
    code = f"import sys, graders.reports.{module}; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not kept_out & set(done.stdout.split())


def browser() -> str:
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    return found or pytest.skip("no chromium on this machine: that the class page renders in a browser was not checked")


QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
]

# Presses the heading "Score" as a person would.
PRESS = "<script>document.querySelectorAll('th button')[1].click(); document.title = 'pres' + 'sed';</script></body>"


def rendered(text: str, folder: Path) -> tuple[str, str]:
    """The page's DOM after a browser opened it, and what the browser complained of."""
    page = folder / "page.html"
    page.write_text(text)
    call = [browser(), *QUIET, f"--user-data-dir={folder / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(call, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout, "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)


def test_class_page_renders_in_a_browser(tmp_path: Path) -> None:
    dom, complaints = rendered(class_page(sample_class()), tmp_path)
    assert not complaints
    for name in NAMES:
        assert f"{name}</a>" in dom


def test_headings_sort_in_a_browser(tmp_path: Path) -> None:
    page = class_page(sample_class()).replace("Content-Security-Policy", "x")
    dom, _ = rendered(page.replace("</body>", PRESS), tmp_path)
    assert "<title>pressed</title>" in dom
    assert dom.index("Donald Knuth</a>") < dom.index("Ada Lovelace</a>")


def test_a_foreign_script_is_refused_by_a_browser(tmp_path: Path) -> None:
    dom, complaints = rendered(class_page(sample_class()).replace("</body>", PRESS), tmp_path)
    assert "<title>pressed</title>" not in dom
    assert "Content Security Policy" in complaints
