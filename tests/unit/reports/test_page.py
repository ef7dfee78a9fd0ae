from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graders.model import ClassReport, CriterionResult, ItemResult, Report, SourceFile, Submission, Verdict
from graders.reports.page import check_card, class_page, student_page

from .sample import NAMES, assignment, judged, report, sample_class, unjudged

ATTACK = (
    "</title></style></script><script>alert(1)</script><img src=x onerror=alert(1)>\" onclick='x' {{7*7}}\x1b[2J\u202e"
)


class Seen(HTMLParser):
    """The tags, attributes and text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile(text: str) -> Report:
    """A report in which all that a student can write is the given text."""
    item = judged(assignment().item("C3"), {"shape"}, note=text, output=text)
    criteria = tuple(replace(criterion, expected=text, actual=text) for criterion in item.criteria)
    who = Submission(text, text, (SourceFile(text, "0" * 64, 1),), (text,))
    made = report("Ada", {"C3": replace(item, criteria=criteria)})
    fault = unjudged(assignment().item("C4"), Verdict.FAULT, text)
    items = tuple(fault if item.id == "C4" else item for item in made.items)
    return replace(made, submission=who, items=items, notes=(text,))


def pages(made: Report) -> list[str]:
    whole = ClassReport(made.assignment, (made,), made.provenance, 1.0)
    item = next(item for item in made.items if item.id == "C3")
    return [class_page(whole), student_page(made), check_card(item, "what it checks")]


def test_hostile_text_adds_no_tag_and_no_attribute() -> None:
    for page, harmless in zip(pages(hostile(ATTACK)), pages(hostile("harmless")), strict=True):
        seen, expected = Seen(page), Seen(harmless)
        assert seen.tags == expected.tags
        assert [name for name, _ in seen.attributes] == [name for name, _ in expected.attributes]
        assert "{{7*7}}" in seen.text
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)


@settings(max_examples=15, deadline=None)
@given(st.text(alphabet=st.characters(), min_size=1))
def test_any_text_is_a_page(text: str) -> None:
    for page, harmless in zip(pages(hostile(text)), pages(hostile("x")), strict=True):
        page.encode()
        assert [tag for tag in Seen(page).tags if tag == "script"] == [
            tag for tag in Seen(harmless).tags if tag == "script"
        ]


def test_long_text_is_cut() -> None:
    for page in pages(hostile("a" * 1_000_000)):
        assert len(page) < 250_000
    assert "more characters" in student_page(hostile("a" * 1_000_000))


def test_pages_need_no_network() -> None:
    for page in pages(report("Ada", {})):
        loaded = [
            value or "" for name, value in Seen(page).attributes if name in ("src", "href", "xlink:href", "action")
        ]
        assert all(value.startswith(("#", "students/")) for value in loaded)
        assert "@import" not in page


def test_policy_allows_the_one_script_only() -> None:
    page = class_page(sample_class(2))
    (script,) = re.findall("<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    content = next(
        value for name, value in Seen(page).attributes if name == "content" and "default-src" in (value or "")
    )
    assert f"script-src 'sha256-{digest}'" in (content or "")
    assert "default-src 'none'" in (content or "")
    assert "script-src 'none'" in student_page(report("Ada", {})).replace("&#39;", "'")


def test_class_page_tells_who_what_and_why() -> None:
    text = Seen(class_page(sample_class())).text
    for name in NAMES:
        assert name in text
    assert "56 of the handout's 100 points are judged by this run; 44 wait." in text
    assert "C3 causality: output (3, 4) sees 6 pixels to its right" in text
    assert "hw.ipynb: not JSON" in text
    assert "graded by the execute tier" in text
    assert assignment().decisions[0].text in text
    assert "No faults" in text


def test_fault_is_shown_loudly() -> None:
    page = class_page(sample_class(fault=True))
    text = Seen(page).text
    assert 'role="alert"' in page
    assert "1 item could not be judged, by our own fault" in text
    assert "the zygote ended without a word" in text
    assert "No faults" not in text


def test_what_is_said_of_one_student_alone_is_no_reason_why_an_item_waits_for_all() -> None:
    def page(*notes: str) -> str:
        asked = assignment().item("Q1")
        made = [report(name, {"Q1": unjudged(asked, Verdict.MANUAL, name)}) for name in notes]
        return class_page(ClassReport(assignment(), tuple(made), {}, 1.0)).partition("Items that wait")[2]

    assert "seen in all" in page("seen in all", "seen in all")
    assert "seen in one" not in page("seen in one", "seen in two")
    assert "read by a person" in page("seen in one", "seen in two")


def test_class_without_submissions() -> None:
    text = Seen(class_page(sample_class(0))).text
    assert "No submission was found" in text
    assert "No faults" not in text


def test_links_lead_to_folders_inside_out() -> None:
    made = replace(report("Ada", {}), submission=Submission("../../etc/passwd", "Ada"))
    page = class_page(ClassReport(made.assignment, (made,), {}, 1.0))
    (link,) = [value for name, value in Seen(page).attributes if name == "href" and "students" in (value or "")]
    assert link is not None
    assert link.count("/") == 2


def test_student_page_shows_hints_of_failed_criteria_only() -> None:
    item = judged(assignment().item("C3"), {"causality"})
    text = Seen(student_page(report("Ada", {"C3": item}))).text
    hints = {criterion.name: criterion.hint for criterion in item.criteria}
    assert hints["causality"] in text
    assert hints["initializer"] not in text
    assert "partly right" in text
    assert "54 of 56 points" in " ".join(text.split())


def test_follow_through_is_explained_and_its_output_withheld() -> None:
    broken = judged(assignment().item("C3"), {"causality"})
    lifted = judged(assignment().item("C6"), follow_through=True, output="reference weights")
    page = student_page(report("Ada", {"C3": broken, "C6": lifted}))
    assert "Judged on top of the reference's C3, because your own C3 is not right yet." in Seen(page).text
    assert "reference weights" not in page
    assert "reference weights" in student_page(report("Ada", {"C6": replace(lifted, follow_through=False)}))


def test_every_verdict_has_its_words() -> None:
    said = {
        Verdict.PASS: "passed",
        Verdict.PARTIAL: "partly right",
        Verdict.FAIL: "not right yet",
        Verdict.BLOCKED: "waits for another item",
        Verdict.MISSING: "not handed in",
        Verdict.FAULT: "our fault: not counted",
        Verdict.MANUAL: "waits for a person",
    }
    for verdict, words in said.items():
        assert words in check_card(ItemResult("C1", "t", verdict, 0, 1))


def test_bonus_and_empty_items_do_not_divide_by_zero() -> None:
    waiting = {item.id: unjudged(item, Verdict.MANUAL) for item in assignment().items}
    made = report("Ada", waiting)
    assert "No item of this submission was judged" in Seen(student_page(made)).text
    assert class_page(ClassReport(made.assignment, (made,), {}, 1.0))


@pytest.mark.parametrize("passed", [True, False])
def test_card_is_a_fragment_with_inline_styles(passed: bool) -> None:
    criterion = CriterionResult("shape", passed, 1.0 * passed, 1.0, "(2, 3)", "(3, 2)", "Look at the axes.")
    card = check_card(ItemResult("C3", "Conv", Verdict.PASS, 1, 1, (criterion,)), "Pads the top.")
    seen = Seen(card)
    assert {"html", "body", "style", "script", "link"}.isdisjoint(seen.tags)
    assert "Pads the top." in seen.text
    assert ("Look at the axes." in seen.text) is not passed
