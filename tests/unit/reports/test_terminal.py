from __future__ import annotations

import io
import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from graders.model import ClassReport, Submission, Verdict
from graders.reports.documents import report_document
from graders.reports.terminal import class_table, plain_card, print_report

from .sample import NAMES, assignment, judged, report, sample_class, unjudged

ATTACK = "[bold red]x[/] [link=http://e]y[/link] :smile: [/nope]"


def shown(*things: object, document: dict | None = None) -> str:
    console = Console(file=io.StringIO(), width=220, color_system=None)
    for thing in things:
        console.print(thing)
    if document:
        print_report(document, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_table_names_every_student_with_signs() -> None:
    text = shown(class_table(sample_class(fault=True)))
    for name in NAMES:
        assert name in text
    for sign in "✓◐✗⊘□!":
        assert sign in text
    assert "51/56" in text
    assert "Q1" not in text


def test_a_narrow_table_names_what_is_not_in_full() -> None:
    narrow = class_table(sample_class(fault=True), width=40)
    text = shown(narrow)
    assert [column.header for column in narrow.columns][2] == "not in full"
    assert "◐ C3 7/12" in text
    assert "C4" not in text.splitlines()[2]
    assert "not counted" in text  # the FAULT
    for name in NAMES:
        assert name in text


def test_table_without_students() -> None:
    assert "PixelCNN" in shown(class_table(sample_class(0)))


def test_markup_stays_text() -> None:
    item = judged(assignment().item("C3"), {"shape"}, note=ATTACK)
    made = replace(report("x", {"C3": item}), submission=Submission("i", ATTACK, problems=(ATTACK,)))
    table = class_table(ClassReport(made.assignment, (made,), {}, 1.0))
    # A name is cut in the table; that it comes out as written is what counts.
    assert "[bold red]x[/]" in shown(table)
    assert shown(document=report_document(made)).count(ATTACK) == 3


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=st.characters()))
def test_no_escape_sequence_gets_through(text: str) -> None:
    item = judged(assignment().item("C3"), {"shape"}, note="\x1b[2J\x1b]0;title\x07" + text)
    made = replace(report("x", {"C3": item}), submission=Submission(text, text, problems=(text,)))
    said = shown(document=report_document(made)) + plain_card(item)
    assert not set("\x1b\x07\x08\r\x9b\u202e") & set(said)


def test_report_is_printed_from_the_file_alone() -> None:
    lifted = judged(assignment().item("C6"), follow_through=True)
    fault = unjudged(assignment().item("C5"), Verdict.FAULT, "the zygote ended")
    made = report("Ada", {"C3": judged(assignment().item("C3"), {"causality"}), "C6": lifted, "C5": fault})
    text = shown(document=json.loads(json.dumps(report_document(made))))
    assert "46 of 48 points judged by this run" in text
    assert "✗ causality 0/2" in text
    assert "An output pixel may see pixels above it and to its left" in text
    assert "Judged on top of the reference's version" in text
    assert "C5 Build TensorDense: our fault: not counted" in text
    assert text.index("C7") < text.index("… Q1")


def test_plain_card() -> None:
    text = plain_card(judged(assignment().item("C3"), {"causality"}), "Pads and convolves.")
    assert text.splitlines()[0] == "◐ C3 Build DownRightMovedConv2d: partly right (10 of 12 points)"
    assert "  Pads and convolves." in text
    assert "found:    output (3, 4) sees 6 pixels to its right" in text
    assert "✓ initializer 1/1" in text
