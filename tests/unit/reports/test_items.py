from __future__ import annotations

import io

from rich.console import Console

from graders.reports.items import Row, items_table, markdown, rows
from graders.rubric import load_rubric
from tests.submissions.conftest import graders

VAE, PIXELCNN = load_rubric("vae"), load_rubric("pixelcnn")


def test_each_item_has_its_criteria_or_its_scale_and_a_person_the_rest() -> None:
    found = {row.ids: row for row in rows(VAE)}
    assert found["vae_score"].graded_by == "metric: reconstruction, all at 0.69, none at 0.72"
    assert found["vae"].graded_by.startswith("behaviour: shape, range, convolutions, ")
    assert rows(VAE)[-1] == Row("pictures", "questions", "0", "a person")
    accuracy = next(row for row in rows(load_rubric("acgan")) if row.ids == "accuracy")
    assert accuracy.graded_by == "metric: accuracy, all at 69%, none at 65%"
    either = next(row for row in rows(load_rubric("colourization")) if row.ids == "4.2")
    assert either.graded_by.startswith("record or execute: ")


def test_no_item_is_left_out_and_points_add_up() -> None:
    found = rows(PIXELCNN)
    assert sorted(word for row in found for word in row.ids.split(", ")) == sorted(item.id for item in PIXELCNN.items)
    assert sum(float(row.points) for row in found) == PIXELCNN.total


def test_tables_hold_every_line() -> None:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(items_table(VAE))
    assert console.export_text().count("behaviour: ") == 9
    assert markdown([VAE, PIXELCNN]).count("\n") == 2 + len(rows(VAE)) + len(rows(PIXELCNN))


def test_the_command_refuses_what_is_no_assignment() -> None:
    process = graders("items", "pixlcnn")
    assert (process.returncode, process.stdout) == (2, "")
    assert "did you mean" in process.stderr
