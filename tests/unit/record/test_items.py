"""Wrong and right notebooks for the prediction items: what each of them must lose, and that the right lose nothing."""

from __future__ import annotations

import numpy as np
import pytest

from graders.assignments.pixelcnn import GRADERS
from graders.judge import _Seen
from graders.model import Evidence
from graders.record import read
from graders.rubric import load_rubric

from .build import (
    DATA,
    FIT,
    GENERATE,
    LOSSES,
    TEN,
    TEST,
    TRAIN,
    VALIDATION,
    bar2,
    bar3,
    code,
    document,
    error,
    figure,
    honest,
    lines,
    log,
    picture,
    record,
    result,
    stream,
    strokes,
    submission,
    text,
)

IMAGES = {"images", "ten", "content", "distinct"}
LOG = {"log", "epochs", "falling", "validation"}
BLACK = np.zeros((32, 32))
RISING = LOSSES[::-1]
WHITE = [1 - one for one in TEN]
NOTHING = [code("pass")]

WRONG = {
    "no pictures": (honest(show=NOTHING), IMAGES),
    "pictures of the data only": (honest(generate=NOTHING, show=NOTHING), IMAGES),
    "a chart in their place": (honest(show=code("plt.plot(a)", picture(lines()))), IMAGES),
    "a picture cut short": (
        honest(show=code("show()", {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo="}})),
        IMAGES,
    ),
    "five pictures": (honest(show=code("show()", picture(figure(TEN[:5])))), {"ten"}),
    "one picture": (honest(show=code("show()", picture(TEN[0] * 255))), {"ten", "distinct"}),
    "one picture ten times": (
        honest(show=code("show()", *[picture(TEN[0] * 255) for _ in range(10)])),
        {"distinct"},
    ),
    "one picture ten times in a figure": (honest(show=code("show()", picture(figure([TEN[3]] * 10)))), {"distinct"}),
    "ten black panels": (honest(show=code("show()", picture(figure([BLACK] * 10)))), {"content", "distinct"}),
    "a white page": (
        honest(show=code("show()", picture(np.full((300, 400), 255)))),
        {"ten", "content", "distinct"},
    ),
    "a drawing that is not drawn": (
        honest(show=code("show()", {"output_type": "display_data", "data": {"image/svg+xml": "<svg/>"}})),
        IMAGES,
    ),
    "outputs cleared": ([{**cell, "outputs": []} for cell in honest()], {*IMAGES, *LOG, "test"}),
    "no log": (honest(train=code(FIT)), LOG),
    "five epochs": (honest(train=code(FIT, stream(log(LOSSES[:5])))), {"epochs"}),
    "interrupted": (
        honest(train=code(FIT, stream(log()[: log().index("Epoch 8/10") + 60]), error("KeyboardInterrupt", ""))),
        {"epochs"},
    ),
    "a loss that rises": (honest(train=code(FIT, stream(log(RISING)))), {"falling"}),
    "not a number from the third epoch on": (
        honest(train=code(FIT, stream(log((*LOSSES[:2], *[float("nan")] * 8))))),
        {"log", "epochs", "falling"},
    ),
    "no validation loss": (honest(train=code(FIT, stream(log(validation=None)))), {"validation"}),
    "tested before the training only": (honest(test=NOTHING), {"test"}),
    "as good as a coin": (honest(test=code("model.evaluate(test)", result("0.69314718"))), {"test"}),
    "not a number": (honest(test=code("model.evaluate(test)", result("nan"))), {"test"}),
    "a test loss that is only claimed": (honest(test=text("Our test loss is 0.1936.")), {"test"}),
    "a log written by hand": (
        honest(train=code("\n".join(f"print('Epoch {i}/10 loss: {v}')" for i, v in enumerate(LOSSES)),
                          stream("".join(f"Epoch {i}/10 loss: {v}\n" for i, v in enumerate(LOSSES))))),
        {*LOG, "test"},
    ),
    "a log as a text": (honest(train=text("```\n" + log() + "```")), {*LOG, "test"}),
    "bars of predict": (
        honest(train=code(FIT, stream("".join("1313/1313 [====] - 95s 72ms/step\n" for _ in range(10))))),
        LOG,
    ),
}  # fmt: skip

LOOP = "for epoch in range(10):\n    train_step(batch)\n    print(...)"
CUSTOM = "".join(
    f"Epoch [{at}/10], Step [1300/1313], Loss: 0.9\nEpoch [{at}/10], Train Loss: {a}, Val Loss: {b}, Time: 95.1s\n"
    for at, (a, b) in enumerate(zip(LOSSES, VALIDATION, strict=True), start=1)
)
SMALL = "".join(f"epoch {at}: train {a} val {b}\n" for at, (a, b) in enumerate(zip(LOSSES, VALIDATION, strict=True)))
BLOCK = "".join(
    f"Epoch {at}/9\n----------\ntrain Loss: {a} Acc: 0.91\nval Loss: {b} Acc: 0.91\n\n"
    for at, (a, b) in enumerate(zip(LOSSES, VALIDATION, strict=True))
)
SAVING = "".join(
    f"Epoch {at}/10\n{bar3(a)}\nEpoch {at}: val_loss improved from inf to {b:.5f}, saving model to b.h5\n{bar3(a, b)}"
    for at, (a, b) in enumerate(zip(LOSSES, VALIDATION, strict=True), start=1)
)

RIGHT = {
    "as Keras 2 prints it": honest(),
    "as Keras 3 prints it": honest(train=code(FIT, stream(log(bar=bar3)))),
    "one line for each epoch": honest(
        train=code(FIT, stream("".join(
            f"Epoch {at}/10\n1313/1313 - 95s - loss: {a:.4f} - val_loss: {b:.4f} - 95s/epoch - 72ms/step\n"
            for at, (a, b) in enumerate(zip(LOSSES, VALIDATION, strict=True), start=1))))
    ),
    "an own loop with steps": honest(train=code(LOOP, stream(CUSTOM))),
    "an own loop in short": honest(train=code(LOOP, stream(SMALL))),
    "an own loop in blocks": honest(train=code(LOOP, stream(BLOCK))),
    "with checkpoints that speak": honest(train=code(FIT, stream(SAVING))),
    "fit in a loop": honest(
        train=code("for e in range(10):\n    model.fit(x, validation_data=v)",
                   stream("".join(bar2(a, b) for a, b in zip(LOSSES, VALIDATION, strict=True))))
    ),
    "the history alone": honest(
        train=code("h = model.fit(x, epochs=10, verbose=0)\nh.history",
                   result(f"{{'loss': {list(LOSSES)},\n 'val_loss': {list(VALIDATION)}}}"))
    ),
    "in two sittings": honest(
        train=[code(FIT, stream(log(LOSSES[:5], VALIDATION[:5]))), code(FIT, stream(log(LOSSES[5:], VALIDATION[5:])))]
    ),
    "progress on stderr": honest(
        train=code(LOOP, stream("".join(
            f"\rEpoch {at}/10: 0%| | 0/1313\rEpoch {at}/10: 100%|█| 1313/1313 [01:35<00:00, loss={a}, val_loss={b}]\n"
            for at, (a, b) in enumerate(zip(LOSSES, VALIDATION, strict=True), start=1)), "stderr"))
    ),
    "the test set in place of a validation set": honest(
        train=code(LOOP, stream("".join(
            f"Epoch {at} train loss {a} test loss {b}\n"
            for at, (a, b) in enumerate(zip(LOSSES, VALIDATION, strict=True), start=1))))
    ),
    "the test loss beside each epoch alone": honest(
        train=code(LOOP, stream("".join(
            f"Epoch {at}: train loss {a}, test loss {b}\n"
            for at, (a, b) in enumerate(zip(LOSSES, VALIDATION, strict=True), start=1)))),
        test=NOTHING,
    ),
    "the losses copied for a plot": honest(
        show=[*honest()[5:6], code(f"losses = {list(LOSSES)}\nplt.plot(losses)", picture(lines()))]
    ),
    "ten figures": honest(show=code("show()", *[picture(figure([one], 1, 6)) for one in TEN])),
    "ten raw pictures": honest(show=code("show()", *[picture(one * 255) for one in TEN])),
    "a strip": honest(show=code("show()", picture(np.concatenate(TEN, axis=1) * 255))),
    "a block of two rows": honest(show=code("show()", picture(np.block([TEN[:5], TEN[5:]]) * 255))),
    "black on white": honest(show=code("show()", picture(figure(WHITE)))),
    "JPEG": honest(show=code("show()", picture(figure(TEN), "jpeg"))),
    "generated without predict": honest(
        generate=code("for row in range(32):\n    for column in range(32):\n        p = pixel_cnn(pixels)")
    ),
    "generated by a function": honest(generate=[code("def generate_images(n):\n    ..."), code("generate_images(10)")]),
    "twelve pictures, one of them black": honest(
        show=code("show()", picture(figure([*TEN, strokes(11), BLACK], 3)))
    ),
    "test loss printed": honest(test=code("print('Test loss:', loss)", stream("Test loss: 0.19490000605583\n"))),
    "test loss in words": honest(
        test=code("print(bce(y, p))", stream("The binary cross-entropy on the 10522 images is 0.1949\n"))
    ),
    "evaluate printed": honest(test=code("print(model.evaluate(test, verbose=0))", stream("0.1949123442173\n"))),
    "evaluate with metrics": honest(test=code("model.evaluate(test)", result("[0.1949123442173, 0.91]"))),
    "tested in a cell above that ran later": [
        {**TEST, "execution_count": 90},
        *[{**cell, "execution_count": at} for at, cell in enumerate(honest(test=NOTHING), start=1)],
    ],
}  # fmt: skip


def lost(evidence: Evidence) -> set[str]:
    outcomes = [one for item in ("P9", "P11") for one in GRADERS[item].judge(_Seen(evidence), _Seen(Evidence({})))]
    assert {one.name for one in outcomes} == {*IMAGES, *LOG, "test"}
    return {one.name for one in outcomes if not one.passed}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_notebooks_lose_what_they_lack(name: str) -> None:
    cells, criteria = WRONG[name]
    assert lost(record(*cells)) == criteria


@pytest.mark.parametrize("name", RIGHT)
def test_right_notebooks_lose_nothing(name: str) -> None:
    assert lost(record(*RIGHT[name])) == set()


def test_the_results_may_be_in_two_notebooks() -> None:
    training = document(*honest(show=NOTHING, generate=NOTHING))
    assert lost(read(submission(training, document(DATA, GENERATE, *honest()[5:6])))) == set()


def test_nothing_handed_in_earns_nothing() -> None:
    for evidence in (Evidence({}), read(submission()), read(submission("{}", "no notebook"))):
        assert lost(evidence) == {*IMAGES, *LOG, "test"}


def test_criteria_are_those_of_the_rubric() -> None:
    assignment = load_rubric("pixelcnn")
    for item, names in (("P9", IMAGES), ("P11", {*LOG, "test"})):
        assert {criterion.name for criterion in assignment.item(item).criteria} == names
        assert assignment.item(item).tier == "record"


def test_a_best_training_is_judged_whatever_else_was_trained() -> None:
    study = code("other.fit(x, epochs=2)", stream(log((0.7, 0.9))))
    assert lost(record(*honest(train=[study, TRAIN, study]))) == set()
    assert lost(record(*honest(train=[study] * 5))) >= {"epochs"}
