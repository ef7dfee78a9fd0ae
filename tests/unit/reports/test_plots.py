from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import pytest

from graders.model import ClassReport, Verdict
from graders.reports.plots import item_outcomes, marks_histogram
from graders.reports.words import LOOKS

from .sample import assignment, report, sample_class, unjudged


def words(svg: str) -> str:
    return " ".join(ElementTree.fromstring(svg).itertext())


@pytest.mark.parametrize("draw", [marks_histogram, item_outcomes])
@pytest.mark.parametrize("students", [0, 1, 2, 20])
def test_plots_are_valid_xml_of_a_size_that_the_page_sets(draw, students: int) -> None:
    root = ElementTree.fromstring(draw(sample_class(students)))
    assert root.get("viewBox")
    assert root.get("width") is None
    assert root.get("role") == "img"


@pytest.mark.parametrize("draw", [marks_histogram, item_outcomes])
def test_same_class_same_bytes(draw) -> None:
    assert draw(sample_class()) == draw(sample_class())


def test_plots_share_no_id() -> None:
    both = [ElementTree.fromstring(draw(sample_class(fault=True))) for draw in (marks_histogram, item_outcomes)]
    first, second = ({node.get("id") for node in root.iter() if node.get("id")} for root in both)
    assert first
    assert not first & second


def test_every_reference_inside_a_plot_leads_somewhere() -> None:
    root = ElementTree.fromstring(item_outcomes(sample_class(fault=True)))
    ids = {node.get("id") for node in root.iter()}
    links = [value[1:] for node in root.iter() for key, value in node.attrib.items() if key.endswith("href")]
    clips = [node.get("clip-path", "")[5:-1] for node in root.iter() if node.get("clip-path")]
    assert set(links + clips) <= ids


def test_histogram_tells_mean_and_median() -> None:
    assert "median 51" in words(marks_histogram(sample_class()))
    assert "mean 47.1" in words(marks_histogram(sample_class()))


def test_outcomes_name_items_and_verdicts_in_the_colours_of_the_badges() -> None:
    svg = item_outcomes(sample_class(fault=True))
    text = words(svg)
    assert "C3" in text
    assert "Q1" not in text
    for verdict in (Verdict.PASS, Verdict.PARTIAL, Verdict.FAIL, Verdict.MISSING, Verdict.FAULT):
        assert LOOKS[verdict].word in text
        assert LOOKS[verdict].colour in svg


def test_every_student_is_in_a_bin() -> None:
    made = [report(str(number), {}) for number in range(3)]  # full marks lie on the last edge
    svg = marks_histogram(ClassReport(assignment(), tuple(made), {}, 1.0))
    assert "3" in words(svg).split()


def test_a_class_that_only_waits() -> None:
    waiting = {item.id: unjudged(item, Verdict.MANUAL) for item in assignment().items}
    made = report("Ada", waiting)
    whole = ClassReport(assignment(), (made,), {}, 1.0)
    assert "no marks yet" in words(marks_histogram(whole))
    assert "no item was judged" in words(item_outcomes(whole))


def test_titles_are_text_and_no_formulas() -> None:
    made = report("Ada", {})
    strange = replace(made.items[0], title="a $x^2 <b> & 陳")
    whole = ClassReport(assignment(), (replace(made, items=(strange,)),), {}, 1.0)
    assert "a $x^2 <b> & 陳" in words(item_outcomes(whole))
