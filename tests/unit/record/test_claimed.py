"""What notebooks of handouts A and B claim of their trained models: figures without points of their own."""

from __future__ import annotations

from typing import Any

import pytest

from graders.assignments.jem import GRADERS as JEM
from graders.assignments.pixelcnn import GRADERS as PIXELCNN
from graders.judge import judge_item
from graders.metrics.judge import claimed_in
from graders.model import ItemResult, Verdict
from graders.rubric import load_rubric

from .build import code, record, stream

RUBRICS = {"pixelcnn": load_rubric("pixelcnn"), "jem": load_rubric("jem")}


def claim(slug: str, *cells: Any) -> ItemResult:
    grader = {"pixelcnn": PIXELCNN, "jem": JEM}[slug]["claim"]
    return judge_item(RUBRICS[slug].item("claim"), grader, record(*cells), None)


def claimed(slug: str, item: str, *cells: Any) -> float | None:
    metric = RUBRICS[slug].item(item).metric
    assert metric is not None
    return claimed_in(metric, {"claim": claim(slug, *cells)})


FIT = code(
    "# [C11]\nmodel.fit(data, epochs=2)",
    stream("Epoch 1/2\n10/10 - 1s - loss: 0.4\nEpoch 2/2\n10/10 - 1s - loss: 0.3\n"),
)
TEST = "loss = model.evaluate(test)\nprint(loss)"
BONUS = code("# [C12]\nother.evaluate(test)", stream("32 filters: test loss 0.1111\n"))


def test_the_loss_of_handout_a_is_that_of_c10() -> None:
    shown = code(f"# [C10]\n{TEST}", stream("test loss 0.1936\n"))
    early = code("model.evaluate(test)", stream("test loss 0.2500\n"))
    assert claimed("pixelcnn", "C10-score", early, FIT, shown, BONUS) == 0.1936
    assert claimed("pixelcnn", "C10-score", FIT, code(TEST, stream("Test loss: 0.1936\n")), BONUS) == 0.1936


def test_an_untrained_loss_or_none_is_no_claim() -> None:
    for cells in ((FIT,), (code(TEST, stream("test loss 0.2\n")),), (FIT, code(TEST, stream("test loss 0.6932\n")))):
        found = claim("pixelcnn", *cells)
        assert (found.verdict, found.points) == (Verdict.MANUAL, 0)
        assert claimed("pixelcnn", "C10-score", *cells) is None


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("test accuracy 0.7312\n", "test accuracy 0.4150\n", (0.7312, 0.415)),
        ("Test accuracy: 73.12%\n", "accuracy of part 1 0.7312\naccuracy of the joint model 0.4150\n", (0.7312, 0.415)),
        ("accuracy 0.7312\n", "nothing\n", (0.7312, None)),
        ("1\n", "2\n", (None, None)),
    ],
)
def test_the_accuracies_of_handout_b_are_those_of_q5_and_q10(
    first: str, second: str, expected: tuple[Any, Any]
) -> None:
    call = "print(evaluate_accuracy(model, test))"
    cells = code(f"# [Q5]\n{call}", stream(first)), code(f"# [Q10]\n{call}", stream(second))
    found = tuple(claimed("jem", item, *cells) for item in ("Q5-score", "Q10-score"))
    assert found == pytest.approx(expected)
    assert claim("jem", *cells).points == 0
