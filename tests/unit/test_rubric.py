from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.errors import UsageError
from graders.home import rubric_path
from graders.model import Assignment, Tier
from graders.rubric import judgeable, load_rubric, read_rubric, select

GOOD = """\
schema = 1
slug = "small"
title = "Small"
handout = "Handout Z"
framework = "torch"
total = 10
given = ["helper"]

[files]
code = "code.zip"

[late]
points_per_minute = 1
due = "2023-04-03T23:59:00+08:00"

[[items]]
id = "C2"
title = "Second"
points = 4
kind = "code"
tier = "behaviour"
section = "1"
depends = ["C1"]
follow_through = 0.5
criteria = [
    { name = "shape", points = 1.1, hint = "Look { name = 1" },
    { name = "values", points = 2.9, hint = "Look" },
]

[[items]]
id = "C1"
title = "First"
points = 5
kind = "code"
tier = "behaviour"
section = "1"
criteria = [{ name = "shape", points = 5, hint = "Look" }]

[[items]]
id = "Q1"
title = "Question"
points = 1
kind = "question"
tier = "manual"
section = "1"

[[decisions]]
item = "C1"
text = "Either way."
"""


def written(tmp_path: Path, *swaps: tuple[str, str]) -> Path:
    text = GOOD
    for old, new in swaps:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "small.toml"
    path.write_text(text, encoding="utf-8")
    return path


def refused(path: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_rubric(path)
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith(f"{path}: ")
    return message.removeprefix(f"{path}: ")


@pytest.fixture
def real() -> Assignment:
    return load_rubric("pixelcnn")


class TestTheRealRubric:
    def test_sums(self, real: Assignment) -> None:
        by_kind = {
            kind: sum(item.points for item in real.items if item.kind == kind)
            for kind in ("code", "question", "prediction", "bonus")
        }
        assert by_kind == {"code": 70, "question": 22, "prediction": 8, "bonus": 0}
        assert sum(by_kind.values()) == real.total == 100

    def test_every_item_is_there(self, real: Assignment) -> None:
        ids = {item.id for item in real.items}
        assert {f"C{n}" for n in range(1, 14)} | {f"Q{n}" for n in range(1, 11)} <= ids

    def test_it_carries_the_rest(self, real: Assignment) -> None:
        assert real.files == {"report": "report.pdf", "code": "code.zip"}
        assert (real.late.points, real.late.unit) == (1, "minute")
        assert real.digest == hashlib.sha256(rubric_path("pixelcnn").read_bytes()).hexdigest()
        assert real.item("C3").follow_through == 1.0
        assert all(item.criteria for item in real.items if item.tier is Tier.BEHAVIOUR)

    def test_judgeable_and_select(self, real: Assignment) -> None:
        assert [item.id for item in judgeable(real)] == [f"C{n}" for n in range(1, 8)]
        assert [item.id for item in select(real, ["C7", "c3", " C7"])] == ["C3", "C7"]
        assert select(real, []) == judgeable(real)

    def test_an_unknown_item(self, real: Assignment) -> None:
        with pytest.raises(UsageError, match=re.escape("'C33' is no item of pixelcnn (did you mean 'C3'?)")):
            select(real, ["C1", "C33"])

    def test_an_item_of_another_tier(self, real: Assignment) -> None:
        with pytest.raises(UsageError, match="item Q4 is graded by the manual tier; this run grades C1, "):
            select(real, ["Q4"])

    def test_an_item_of_two_tiers_is_judged_in_those_that_are_asked_for(self) -> None:
        colours = load_rubric("colourization")
        asked: dict[tuple[Tier, ...], tuple[Tier, ...]] = {
            (Tier.RECORD,): (Tier.RECORD,),
            (Tier.EXECUTE,): (Tier.EXECUTE,),
            (Tier.BEHAVIOUR, Tier.EXECUTE, Tier.RECORD): (Tier.RECORD, Tier.EXECUTE),
        }
        for tiers, judging in asked.items():
            (item,) = select(colours, ["5.2"], tiers)
            assert item.tiers == judging
            assert item.criteria == colours.item("5.2").criteria
        with pytest.raises(UsageError, match=re.escape("item 5.2 is graded by the record tier")):
            select(colours, ["5.2"])

    def test_an_unknown_slug(self) -> None:
        with pytest.raises(UsageError, match=re.escape("(did you mean 'pixelcnn'?)")):
            load_rubric("pixelcn")


def test_a_bonus_lies_above_the_total() -> None:
    """Table 2 of handout B: code 62, report 38; the lines of the bonus sum to 9."""
    jem = load_rubric("jem")
    kinds = {item.kind: sum(one.points for one in jem.items if one.kind == item.kind) for item in jem.items}
    assert kinds == {"code": 62, "question": 38, "prediction": 0, "bonus": 9}
    assert jem.total == 100
    assert (jem.late.points, jem.late.unit, jem.late.most) == (1, "hour", 48)


def test_a_good_one_is_read(tmp_path: Path) -> None:
    assignment = read_rubric(written(tmp_path))
    assert assignment.item("C2").follow_through == 0.5
    assert assignment.item("C2").criteria[1].points == 2.9
    assert assignment.given == ("helper",)
    assert assignment.files == {"code": "code.zip"}
    assert [item.id for item in judgeable(assignment)] == ["C1", "C2"], "what it depends on comes first"


def test_windows_line_ends_and_a_byte_order_mark(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert read_rubric(path).slug == "small"
    path.write_bytes(GOOD.replace('"manual"', '"manul"').replace("\n", "\r\n").encode())
    assert refused(path).startswith("line 44: item Q1: tier 'manul' is unknown (did you mean 'manual'?)")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("title = ", "titel = ", "line 3: unknown key 'titel' (did you mean 'title'?)"),
        ('title = "First"', 'titel = "First"', "line 32: item C1: unknown key 'titel' (did you mean 'title'?)"),
        (
            "points = 2.9",
            "pionts = 2.9",
            "line 27: item C2: criterion values: unknown key 'pionts' (did you mean 'points'?)",
        ),
        ("points_per_minute", "points_per_minut", "line 13: unknown key 'points_per_minut'"),
        ("points_per_minute = 1\n", "", "line 12: late: one of points_per_minute and points_per_hour must stand there"),
        ("points_per_minute = 1", "points_per_minute = 1\npoints_per_hour = 1", "late: one of points_per_minute and"),
        (
            "points_per_minute = 1",
            "points_per_minute = 1\nmost_hours = 48",
            "late: most_hours goes with points_per_hour",
        ),
        ("[files]\ncode", "[files]\ncod", "line 10: unknown key 'cod' (did you mean 'code'?)"),
        ('text = "Either', 'txt = "Either', "line 49: decision 1: unknown key 'txt' (did you mean 'text'?)"),
        ("[[decisions]]", "[[decision]]", "line 47: unknown key 'decision' (did you mean 'decisions'?)"),
        ("schema = 1", "schema = 2", "line 1: schema: input should be 1, not 2"),
        ('framework = "torch"', 'framework = "toch"', "framework 'toch' is unknown (did you mean 'torch'?)"),
        ('kind = "question"', 'kind = "qestion"', "item Q1: kind 'qestion' is unknown (did you mean 'question'?)"),
        ('"behaviour"', '"behavior"', "line 21: item C2: tier 'behavior' is unknown (did you mean 'behaviour'?)"),
        (
            'depends = ["C1"]',
            'depends = ["C11"]',
            "line 23: item C2: depends on unknown item 'C11' (did you mean 'C1'?)",
        ),
        ('item = "C1"', 'item = "C9"', "line 48: decision 1: decision on unknown item 'C9'"),
        ('id = "Q1"', 'id = "C1"', "line 40: item C1: id: 'C1' stands there twice"),
        ("points = 2.9", "points = 2", "line 19: item C2: points is 4, but its criteria sum to 3.1"),
        ("total = 10", "total = 9", "line 6: total is 9, but its items sum to 10"),
        (
            'criteria = [{ name = "shape", points = 5, hint = "Look" }]',
            "",
            "line 35: item C1: tier 'behaviour' asks for criteria, and there are none",
        ),
        (
            'tier = "manual"',
            'tier = "manual"\nexecuted = true',
            "executed goes with tier 'record', and this one is 'manual'",
        ),
        ('name = "values"', 'name = "shape"', "item C2: criterion shape: name: 'shape' stands there twice"),
        ('depends = ["C1"]', 'depends = ["C2"]', "line 23: item C2: depends goes in a circle: C2 -> C2"),
        ('depends = ["C1"]', 'depends = ["C1", "C1"]', "line 23: item C2: depends: 'C1' stands there twice"),
        ("points = 4", "points = -4", "line 19: item C2: points: input should be greater than or equal to 0, not -4"),
        ("points = 4", 'points = "4"', "line 19: item C2: points: input should be a valid number, not '4'"),
        ("points = 4", "points = true", "line 19: item C2: points: input should be a valid number, not True"),
        ("points = 4", "points = nan", "line 19: item C2: points: input should be a finite number, not nan"),
        ("follow_through = 0.5", "follow_through = 1.5", "follow_through: input should be less than or equal to 1"),
        ('depends = ["C1"]', 'depends = "C1"', "line 23: item C2: depends: input should be a valid list, not 'C1'"),
        ('id = "C2"', 'id = ""', "line 17: item number 1: id: "),
        ('id = "C2"', "", "line 16: item number 1: key 'id' is missing"),
        ('title = "Small"', "", "key 'title' is missing"),
        ("[late]\n", "[lat]\n", "line 12: unknown key 'lat' (did you mean 'late'?)"),
        ("+08:00", "", "line 14: due: the time zone is missing"),
        ("04-03", "04-33", "line 14: due: "),
        ('["helper"]', '["not a name"]', "line 7: given: "),
        ('slug = "small"', 'slug = "../x"', "line 2: slug: "),
    ],
)
def test_a_mistake_is_told_in_one_line(tmp_path: Path, old: str, new: str, told: str) -> None:
    message = refused(written(tmp_path, (old, new)))
    assert told in message
    assert message.count("; ") == 0, "one mistake, one thing said"


def test_a_longer_circle(tmp_path: Path) -> None:
    extra = ('id = "C1"\n', 'id = "C1"\ndepends = ["Q1"]\n'), ('id = "Q1"\n', 'id = "Q1"\ndepends = ["C2"]\n')
    assert "depends goes in a circle: C2 -> C1 -> Q1 -> C2" in refused(written(tmp_path, *extra))


def test_several_mistakes_stand_in_one_line(tmp_path: Path) -> None:
    message = refused(written(tmp_path, ("title", "titel"), ("points = 4", "points = -4")))
    assert "'titel'" in message
    assert "not -4" in message
    many = written(tmp_path, *[(key, f"x{key}") for key in ("title", "handout", "total", "given", "slug")])
    assert re.search(r"; and \d more$", refused(many))


def test_no_line_is_better_than_a_wrong_one(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    head = GOOD[: GOOD.index("[files]")].replace("given", 'items = [1, { id = "C1" }]\nlate.due = 3\ngiven')
    path.write_text(head, encoding="utf-8")
    message = refused(path)
    assert message.startswith("key 'files' is missing; due: input should be a ")


def test_items_on_one_line(tmp_path: Path) -> None:
    head = GOOD[: GOOD.index("[[items]]")].replace("given", 'items = [1, { id = "C1", title = 2 }]\ngiven')
    path = tmp_path / "small.toml"
    path.write_text(head, encoding="utf-8")
    assert refused(path).startswith("line 7: item number 1: items: input should be a valid dictionary")


def test_a_text_that_looks_like_a_table(tmp_path: Path) -> None:
    swaps = ('text = "Either way."', 'text = """\n[[items]]\n"""'), ('"manual"', '"manul"')
    assert refused(written(tmp_path, *swaps)).startswith("item Q1: tier 'manul'")


def test_items_that_are_no_list(tmp_path: Path) -> None:
    path = tmp_path / "small.toml"
    path.write_text("items = 3\nlate = 4\n[decisions]\n", encoding="utf-8")
    assert "; and " in refused(path)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'schema = 1\nslug = "x\n', "line 2, column 10: "),
        (b"a = 1\na = 2\n", "line 2, column "),
        (b"schema = 1\n# \xff\n", "line 2: not UTF-8"),
        (b"a = " + b"9" * 5000, "not TOML: "),
        (b"a = " + b"[" * 50_000, "not TOML: "),
        (b"", "is missing"),
    ],
)
def test_what_is_no_toml(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "small.toml"
    path.write_bytes(data)
    assert told in refused(path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    assert refused(tmp_path / "smal.toml") == "there is no such file"
    written(tmp_path)
    assert refused(tmp_path / "smal.toml") == "there is no such file (did you mean 'small.toml'?)"
    assert "cannot be read" in refused(tmp_path)


def test_the_slug_must_be_that_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rubrics").mkdir()
    written(tmp_path).rename(tmp_path / "rubrics" / "smal.toml")
    monkeypatch.setenv("GRADERS_HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"slug is 'small', but the file is that of 'smal' \(did you mean 'smal'"):
        load_rubric("smal")


LINES = GOOD.splitlines()


@settings(max_examples=150, deadline=None)
@given(at=st.integers(0, len(LINES) - 1), cut=st.integers(0, 60), put=st.text(max_size=5))
def test_no_typo_gets_more_than_one_line(tmp_path_factory: pytest.TempPathFactory, at: int, cut: int, put: str) -> None:
    path = tmp_path_factory.getbasetemp() / "typo.toml"
    line = LINES[at][:cut] + put + LINES[at][cut + 1 :]
    path.write_bytes("\n".join([*LINES[:at], line, *LINES[at + 1 :]]).encode("utf-8", "surrogatepass"))
    said = ""
    try:
        read_rubric(path)
    except UsageError as error:
        said = str(error)
    assert len(said.splitlines()) <= 1
