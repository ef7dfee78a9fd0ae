"""Web pages: the class for the instructor, one page for each student, and the card that a notebook cell shows.

Every page is one file that needs no network. All text passes one gate (`_gate`) before Jinja escapes it.
"""

from __future__ import annotations

import base64
import hashlib
import statistics
from collections.abc import Mapping
from functools import cache
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from graders.model import ClassReport, Evidence, ItemResult, Json, Report, Verdict
from graders.reports import summary, words
from graders.reports.files import folder_names
from graders.reports.ran import EXECUTED, ran
from graders.reports.results import shown
from graders.reports.trained import trained


def class_page(class_report: ClassReport) -> str:
    """Return the report on the class: who, what, why."""
    script = _source("sort.js")
    summaries = summary.item_summaries(class_report)
    judged = [item for item in summaries if item.judged]
    return _render(
        "class.html.j2",
        report=class_report,
        figures=_figures(class_report),
        coverage=summary.coverage(class_report.assignment, sum(item.possible for item in judged)),
        faulty=[(report, item) for report in class_report.reports for item in report.items if _is_fault(item)],
        plots=_plots(class_report),
        judged=judged,
        waiting=[item for item in summaries if not item.judged],
        rows=_rows(class_report, [item.id for item in judged]),
        shares=summary.shares,
        lateness=summary.lateness,
        equal=summary.equal_code(class_report),
        losses=summary.frequent_losses(class_report)[:12],
        isolation=summary.isolation(class_report.provenance),
        provenance=list(words.flat(class_report.provenance)),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def _plots(class_report: ClassReport) -> list[Markup]:
    """Return the plots of a class; one student has no distribution."""
    if len(class_report.reports) < 2:
        return []
    from graders.reports import plots  # half a second that a check card in a notebook must not pay

    return [Markup(plots.marks_histogram(class_report)), Markup(plots.item_outcomes(class_report))]


def student_page(
    report: Report,
    record: Evidence | None = None,
    run: Evidence | None = None,
    models: Mapping[str, Evidence] | None = None,
) -> str:
    """Return the report that the student gets; `record` is what the notebook shows, `run` what came of running it.

    `models` is the evidence of trained models by item.
    """
    first = summary.main_loss(report)
    return _render(
        "student.html.j2",
        report=report,
        tally=summary.tally(report.items),
        coverage=summary.coverage(report.assignment, report.possible),
        first=first,
        lateness=summary.lateness(report),
        shown=[item for item in report.items if item.verdict is not Verdict.MANUAL],
        waiting=[_waiting(report, item) for item in report.items if item.verdict is Verdict.MANUAL],
        follow=lambda item: summary.follow_through_sentence(item, report),
        shares=summary.shares(report),
        ran=ran(run),
        executed=EXECUTED,
        results=shown(record),
        trained=trained(report.assignment, models or {}),
        provenance=list(words.flat(report.provenance)),
        script_hash="",
    )


def check_card(item: ItemResult, description: str = "") -> str:
    """Return the result of a self-check as a fragment of HTML for a notebook cell, light or dark.

    `description` is what the item checks, in the words that the student is told.
    """
    return _render("card.html.j2", item=item, description=description, follow=summary.follow_through_sentence(item))


def _is_fault(item: ItemResult) -> bool:
    return item.verdict is Verdict.FAULT


def _figures(class_report: ClassReport) -> list[tuple[str, str]]:
    scores = [report.score for report in class_report.reports]
    said = [("submissions", str(len(scores)))]
    if scores:
        said += [("mean", words.points(statistics.fmean(scores))), ("median", words.points(statistics.median(scores)))]
        said += [("lowest to highest", f"{words.points(min(scores))} to {words.points(max(scores))}")]
    return [*said, ("seconds", words.points(round(class_report.seconds, 1)))]


def _rows(class_report: ClassReport, judged: list[str]) -> list[dict[str, Json]]:
    """Return the lines of the matrix, by name: the student, one result or None for every judged item, and why."""
    rows = []
    names = folder_names(report.submission.id for report in class_report.reports)
    for report, folder in zip(class_report.reports, names, strict=True):
        results = {item.id: item for item in report.items}
        rows.append(
            {
                "report": report,
                "link": f"students/{quote(folder)}/report.html",
                "results": [results.get(item_id) for item_id in judged],
                "why": summary.main_loss(report),
                "share": report.score / report.possible if report.possible else 0.0,
            }
        )
    return sorted(rows, key=lambda row: (words.by_name(row["report"].submission.name), row["report"].submission.id))


def _waiting(report: Report, item: ItemResult) -> tuple[ItemResult, str]:
    return item, summary.waiting_reason(report.assignment, item.id, [item])


@cache
def _environment() -> Environment:
    loader = PackageLoader("graders.reports", "templates")
    environment = Environment(
        loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_gate
    )
    environment.filters |= {"points": words.points, "line": words.line, "count": words.count}
    environment.globals |= {"looks": words.LOOKS, "Verdict": Verdict}
    return environment


def _gate(value: Json) -> Json:
    """Take control characters out of any text, and cut it; what is markup already is our own."""
    return words.clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _source(name: str) -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0].strip()


def _render(template: str, **context: Json) -> str:
    values: Mapping[str, Json] = context
    return _environment().get_template(template).render(values)
