"""Reports in a terminal. A student's text is never read as markup, and no escape sequence of it gets through."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from graders.model import ClassReport, ItemResult, Json, Report, Verdict
from graders.reports.summary import follow_through_sentence, item_summaries, main_loss
from graders.reports.words import LOOKS, by_name, clean, line, points

# The terminal's own colours: they keep apart on light and on dark ground. The sign says the same without colour.
_STYLES = {
    Verdict.PASS: "green",
    Verdict.PARTIAL: "yellow",
    Verdict.FAIL: "red",
    Verdict.BLOCKED: "magenta",
    Verdict.MISSING: "dim",
    Verdict.FAULT: "bold reverse red",
    Verdict.MANUAL: "dim",
}


_OF_AN_ITEM, _OF_THE_OTHERS = 7, 31  # characters that the columns take


def class_table(class_report: ClassReport, width: int = 200) -> Table:
    """Return a line for each student: score, points of each judged item, and what cost most.

    Where `width` has no room for a column of each item, one column names the items that lost points.
    """
    judged = [summary for summary in item_summaries(class_report) if summary.judged]
    roomy = _OF_AN_ITEM * len(judged) + _OF_THE_OTHERS <= width
    table = Table(title=Text(class_report.assignment.title), header_style="bold", title_justify="left", expand=False)
    table.add_column("student", overflow="fold", min_width=12)
    table.add_column("score", justify="right", no_wrap=True)
    for summary in judged if roomy else ():
        table.add_column(Text(f"{summary.id}\n/{points(summary.possible)}"), justify="right", no_wrap=True)
    if not roomy:
        table.add_column("not in full", overflow="fold", min_width=16)
    table.add_column("what cost most", max_width=60)
    for report in sorted(class_report.reports, key=lambda report: by_name(report.submission.name)):
        table.add_row(*_row(report, [summary.id for summary in judged], roomy))
    return table


def _row(report: Report, judged: Sequence[str], roomy: bool) -> list[Text]:
    results = {item.id: item for item in report.items}
    cells = [_cell(results.get(item_id)) for item_id in judged] if roomy else [_lost(report)]
    score = Text(f"{points(report.score)}/{points(report.possible)}", style="bold")
    return [
        Text(line(report.submission.name, 40)),
        score,
        *cells,
        Text(main_loss(report), no_wrap=True, overflow="ellipsis"),
    ]


def _lost(report: Report) -> Text:
    """Return the items that are not passed, and do not wait, with their points."""
    lost = [item for item in report.items if item.verdict not in (Verdict.PASS, Verdict.MANUAL)]
    said = [Text(f"{LOOKS[item.verdict].sign} {item.id} {_earned(item)}", _STYLES[item.verdict]) for item in lost]
    return Text(", ").join(said)


def _earned(item: ItemResult) -> str:
    return f"{points(item.points)}/{points(item.possible)}" if item.counts else "not counted"


def _cell(item: ItemResult | None) -> Text:
    if item is None:
        return Text("")
    number = f" {points(item.points)}" if item.counts else ""
    return Text(f"{LOOKS[item.verdict].sign}{number}", style=_STYLES[item.verdict])


def print_report(report_document: Mapping[str, Json], console: Console) -> None:
    """Print what result.json holds."""
    who = report_document["submission"]
    console.print(Text(f"{line(who['name'])} ({line(who['id'])})", style="bold"))
    score = f"{points(report_document['score'])} of {points(report_document['possible'])} points judged by this run"
    console.print(Text(f"{line(report_document['assignment'])}: {score}"))
    for problem in [*who["problems"], *report_document.get("notes", [])]:
        console.print(Text(f"! {line(problem, 300)}", style="yellow"))
    # What waits comes last: it is no news.
    for item in sorted(report_document["items"], key=lambda item: item["verdict"] == Verdict.MANUAL):
        _print_item(item, console)
    for key, value in report_document["provenance"].items():
        console.print(Text(f"{line(str(key))}: {line(str(value), 300)}", style="dim"))


def _print_item(item: Mapping[str, Json], console: Console) -> None:
    verdict = Verdict(item["verdict"])
    if verdict is Verdict.MANUAL:
        waits = f"… {item['id']} {item['title']}: {points(item['possible'])} points wait"
        console.print(Text(line(f"{waits}; {item.get('note', '')}".rstrip("; ")), style="dim"))
        return
    console.print()
    console.print(Text(_headline(item, verdict), style=f"bold {_STYLES[verdict]}"))
    if note := item.get("note"):
        console.print(Text(f"  {clean(note)}"))
    if item["follow_through"]:
        console.print(Text("  Judged on top of the reference's version of what it builds on."))
    for criterion in item["criteria"]:
        style = "" if criterion["passed"] else "red"
        for number, text in enumerate(_criterion_lines(criterion)):
            console.print(Text(f"  {text}", style="" if number else style))


def _headline(item: Mapping[str, Json], verdict: Verdict) -> str:
    look = LOOKS[verdict]
    counts = verdict is not Verdict.FAULT
    earned = f" ({points(item['points'])} of {points(item['possible'])} points)" if counts else ""
    return line(f"{look.sign} {item['id']} {item['title']}: {look.word}{earned}")


def _criterion_lines(criterion: Mapping[str, Json]) -> list[str]:
    share = f"{points(criterion['points'])}/{points(criterion['possible'])}"
    if criterion["passed"]:
        return [f"✓ {line(criterion['name'])} {share}"]
    details = [(word, line(criterion[key], 400)) for word, key in _DETAILS if criterion[key]]
    return [f"✗ {line(criterion['name'])} {share}", *(f"    {word} {text}" for word, text in details)]


_DETAILS = (("expected:", "expected"), ("found:   ", "actual"), ("hint:    ", "hint"))


def plain_card(item: ItemResult, description: str = "") -> str:
    """Return the result of a self-check as plain text, for a terminal that shows no HTML."""
    lines = [
        _headline({"id": item.id, "title": item.title, "points": item.points, "possible": item.possible}, item.verdict)
    ]
    lines += [f"  {clean(text)}" for text in (description, item.note, follow_through_sentence(item)) if text]
    for criterion in item.criteria:
        lines += [f"  {text}" for text in _criterion_lines(vars(criterion))]
    return "\n".join(lines)
