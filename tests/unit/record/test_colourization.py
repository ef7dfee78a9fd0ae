"""Notebooks of handout C: which training a log is of, and what the training items lose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graders.assignments.colourization import GRADERS
from graders.errors import Unsaved, Unseen
from graders.judge import _Seen
from graders.model import Evidence, SourceFile, Submission
from graders.record import read
from graders.rubric import load_rubric

from .build import code, document, error, lines, picture, record, stream, submission, text

NETWORKS = {"4.2": "PoolUpsampleNet", "5.2": "ConvTransposeNet", "6.2": "UNet"}
CRITERIA = {
    "4.2": {"log", "falling", "images"},
    "5.2": {"log", "falling", "epochs", "curve"},
    "6.2": {"log", "falling", "epochs", "curve"},
}
CURVE = picture(lines())
COLOURS = picture(np.random.default_rng(0).integers(0, 256, (96, 256, 3)))
GIVEN = code("def train(args, cnn=None):\n    loss.backward()")
LOSSES = tuple(round(3.1 * 0.98**epoch, 4) for epoch in range(25))


def one_line(losses: Any = LOSSES, epochs: int | None = None) -> str:
    total = epochs or len(losses)
    return "".join(
        f"Epoch [{at}/{total}], Loss: {loss:.4f}, Val Loss: {loss + 0.1:.4f}, Val Acc: {at:.1f}%, Time (s): {at:.1f}\n"
        for at, loss in enumerate(losses, start=1)
    )


def two_lines(losses: Any = LOSSES) -> str:
    return "Beginning training ...\n" + "".join(
        f"Epoch [{at}/{len(losses)}], Loss: {loss:.4f}, Time (s): {at}\n"
        f"Epoch [{at}/{len(losses)}], Val Loss: {loss + 0.1:.4f}, Val Acc: {at:.1f}%, Time(s): {at:.2f}\n"
        for at, loss in enumerate(losses, start=1)
    )


def section(network: str, *outputs: Any, call: str = "cnn = train(Settings(model='{}'))") -> list[Any]:
    defined = code(f"class {network}(nn.Module):\n    pass")
    return [defined, code(call.format(network), *(outputs or (stream(one_line()), COLOURS, CURVE)))]


def notebook(**changed: list[Any]) -> list[Any]:
    parts = {network: section(network) for network in NETWORKS.values()} | changed
    return [GIVEN, *(cell for part in parts.values() for cell in part)]


def lost(evidence: Evidence) -> dict[str, set[str]]:
    seen = {item: list(GRADERS[item].judge(_Seen(evidence), _Seen(Evidence({})))) for item in NETWORKS}
    assert {item: {one.name for one in outcomes} for item, outcomes in seen.items()} == CRITERIA
    found = {item: {one.name for one in outcomes if not one.passed} for item, outcomes in seen.items()}
    return {item: names for item, names in found.items() if names}


RIGHT = {
    "one line for each epoch": notebook(),
    "two lines for each epoch": notebook(UNet=section("UNet", stream(two_lines()), COLOURS, CURVE)),
    "more epochs": notebook(UNet=section("UNet", stream(one_line((*LOSSES, 1.8, 1.7))), CURVE)),
    "pictures in a cell below": notebook(
        PoolUpsampleNet=[*section("PoolUpsampleNet", stream(one_line())), code("plt.imshow(a)", COLOURS)],
        UNet=[*section("UNet", stream(one_line())), code("plt.plot(a)", CURVE)],
    ),
    "the network's name in a cell above the training": notebook(
        UNet=[
            code("class UNet(ConvTransposeNet): pass"),
            code("args = {'model': 'UNet'}"),
            code("train(args)", stream(one_line()), CURVE),
        ]
    ),
    "nothing but the class above the training": notebook(
        UNet=section("UNet", stream(one_line()), CURVE, call="train(args)")
    ),
    "a network that is passed": notebook(
        UNet=section("UNet", stream(one_line()), CURVE, call="train(args, {}(3, 32, 24, 1))")
    ),
    "all three in one cell": [
        GIVEN,
        *(code(f"class {network}(nn.Module): pass") for network in NETWORKS.values()),
        code(
            "for network in (PoolUpsampleNet, ConvTransposeNet, UNet):\n    train(network)",
            *(output for _ in NETWORKS for output in (stream(one_line()), COLOURS, CURVE)),
        ),
    ],
    "a short training before the long one": notebook(
        UNet=[*section("UNet", stream(one_line(LOSSES[:2]))), *section("UNet", stream(one_line()), CURVE)]
    ),
    "further trainings below": [*notebook(), code("for b in sizes: train(UNet)", stream(one_line((3.0, 2.9)) * 4))],
}  # fmt: skip

WRONG = {
    "nothing was run": ([GIVEN, *(code(f"class {n}(nn.Module): pass") for n in NETWORKS.values())], CRITERIA),
    "one network is not trained": (notebook(ConvTransposeNet=[]), {"5.2": CRITERIA["5.2"]}),
    "the same network twice": (
        notebook(UNet=section("ConvTransposeNet")),
        {"6.2": CRITERIA["6.2"]},
    ),
    "too few epochs": (notebook(UNet=section("UNet", stream(one_line(LOSSES[:10])), CURVE)), {"6.2": {"epochs"}}),
    "cut short": (notebook(UNet=section("UNet", stream(one_line(LOSSES[:10], 25)), CURVE)), {"6.2": {"epochs"}}),
    "no curve": (notebook(UNet=section("UNet", stream(one_line()), COLOURS)), {"6.2": {"curve"}}),
    "no images": (notebook(PoolUpsampleNet=section("PoolUpsampleNet", stream(one_line()), CURVE)), {"4.2": {"images"}}),
    "blank images": (
        notebook(PoolUpsampleNet=section("PoolUpsampleNet", stream(one_line()), picture(np.zeros((64, 64))), CURVE)),
        {"4.2": {"images"}},
    ),
    "a curve of the next training": (
        notebook(ConvTransposeNet=section("ConvTransposeNet", stream(one_line()), COLOURS)),
        {"5.2": {"curve"}},
    ),
    "a loss that rises": (notebook(UNet=section("UNet", stream(one_line(LOSSES[::-1])), CURVE)), {"6.2": {"falling"}}),
    "not a number": (
        notebook(UNet=section("UNet", stream(one_line((3.1, *[float("nan")] * 24))), CURVE)),
        {"6.2": {"log", "falling", "epochs"}},
    ),
    "a log that is typed": (
        notebook(UNet=section("UNet", stream(one_line()), CURVE, call="print('''{} " + one_line() + "''')")),
        {"6.2": CRITERIA["6.2"]},
    ),
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_notebooks_lose_nothing(name: str) -> None:
    assert lost(record(*RIGHT[name])) == {}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_notebooks_lose_what_they_lack(name: str) -> None:
    cells, criteria = WRONG[name]
    assert lost(record(*cells)) == criteria


def test_nothing_handed_in_earns_nothing() -> None:
    for evidence in (Evidence({}), read(submission()), read(submission("{}", "no notebook"))):
        assert lost(evidence) == CRITERIA


# What may stand elsewhere ---------------------------------------------------------------------------------------------

NO_CURVE = notebook(UNet=section("UNet", stream(one_line()), COLOURS))
NO_LOG = notebook(UNet=section("UNet", CURVE))
NEVER_RUN = [code(cell["source"]) for cell in notebook()]


def reason(item: str, *files: tuple[str, str]) -> str:
    """Return why an item waits for a person, "" when it is judged."""
    handed_in = Submission("s", "s", tuple(SourceFile(name, "", len(text), text) for name, text in files))
    try:
        list(GRADERS[item].judge(_Seen(read(handed_in)), _Seen(Evidence({}))))
    except Unseen as unseen:
        return str(unseen)
    return ""


@pytest.mark.parametrize(("cells", "what"), [(NO_CURVE, "a plot of the training curve"), (NO_LOG, "a finite loss")])
def test_what_only_the_write_up_may_show_waits_for_a_person(cells: list[Any], what: str) -> None:
    files = ("a2-code.ipynb", document(*cells)), ("sub/a2-writeup.PDF", "%PDF")
    assert what in reason("6.2", *files)
    assert "sub/a2-writeup.PDF may show it" in reason("6.2", *files)
    assert reason("5.2", *files) == ""
    assert reason("6.2", files[0]) == reason("6.2", files[0], ("trace.png", "PNG")) == ""


def test_who_marks_is_told_what_was_seen() -> None:
    told = reason("6.2", ("a2-code.ipynb", document(*NO_CURVE)), ("a2-writeup.pdf", "%PDF"))
    assert told.endswith("; seen: log: 25 epochs; falling: 3.1 at first, 1.9089 at best; epochs: 25 epochs")


def test_what_is_shown_and_wrong_is_judged_whatever_else_was_handed_in() -> None:
    rising = notebook(UNet=section("UNet", stream(one_line(LOSSES[::-1])), CURVE))
    assert reason("6.2", ("a2-code.ipynb", document(*rising)), ("a2-writeup.pdf", "%PDF")) == ""


def test_a_training_of_which_nothing_was_saved_waits_for_a_person() -> None:
    cleared = ("a2-code.ipynb", document(*NEVER_RUN))
    assert reason("6.2", cleared) == "cell 7 trains, and no output of it is saved"
    assert reason("4.2", ("a2.py", "train(PoolUpsampleNet)")) == "a2.py is a script, which keeps no results"
    with pytest.raises(Unsaved):
        list(GRADERS["6.2"].judge(_Seen(read(submission(cleared[1]))), _Seen(Evidence({}))))
    failed = [*NEVER_RUN[:6], code(NEVER_RUN[6]["source"], error())]
    assert reason("6.2", ("a2-code.ipynb", document(*failed))) == ""
    assert reason("6.2", ("a2-code.ipynb", document(*NEVER_RUN[:6]))) == ""  # no cell trains it


def test_criteria_are_those_of_the_rubric() -> None:
    assignment = load_rubric("colourization")
    for item, names in CRITERIA.items():
        assert {criterion.name for criterion in assignment.item(item).criteria} == names
        assert assignment.item(item).tier == "record"


# Program traces ------------------------------------------------------------------------------------------------------


def traced(*cells: Any, files: tuple[str, ...] = ()) -> set[str]:
    written = document(GIVEN, *cells)
    papers = [SourceFile(name, "", 1) for name in files]
    evidence = read(Submission("s", "s", (SourceFile("a2-code.ipynb", "", len(written), written), *papers)))
    outcomes = GRADERS["traces"].judge(_Seen(evidence), _Seen(Evidence({})))
    return {one.name for one in outcomes if one.passed}


def test_a_write_up_may_hold_the_traces() -> None:
    assert traced(files=("sub/a2-writeup.PDF",)) == {"write_up", "traces"}
    assert traced(files=("trace.png",)) == {"traces"}


@pytest.mark.parametrize(
    "words",
    ["![trace](attachment:image.png)", "<img src='trace.png'>", "**Prompt**: complete", "Text of ChatGPT (2023)"],
)
def test_a_notebook_may_show_a_trace(words: str) -> None:
    assert traced(text(words)) == {"traces"}


def test_where_nothing_shows_a_trace_none_is_found() -> None:
    assert traced(text("The network was promptly trained."), code("# prompt of ChatGPT")) == set()
    outcomes = GRADERS["traces"].judge(_Seen(Evidence({})), _Seen(Evidence({})))
    assert not any(one.passed for one in outcomes)
