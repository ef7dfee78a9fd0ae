from __future__ import annotations

import pytest

from graders.model import Evidence
from graders.notebook import read_program
from graders.record import fingerprint, flags, read
from tests.unit.notebook.build import submission as with_files

from .build import (
    FIT,
    HERE,
    LOSSES,
    TEN,
    VALIDATION,
    Cell,
    bar2,
    code,
    document,
    figure,
    honest,
    lines,
    log,
    picture,
    real,
    record,
    result,
    stream,
    submission,
    text,
)


def flagged(*cells: Cell, measured: Evidence | None = None, least: float = 0.15, **files: str) -> tuple[str, ...]:
    made = with_files(hw_ipynb=document(*cells), **files)
    return flags(read(made), measured, read_program(made), least)


def test_an_honest_notebook_has_no_flag() -> None:
    assert flagged(*honest()) == ()
    assert flagged(*honest(), text("The test loss is 0.195, the best validation loss 0.1958.")) == ()


@pytest.mark.parametrize("name", ["keras2", "keras3"])
def test_really_run_notebooks_have_no_false_flag(name: str) -> None:
    made = submission((HERE / f"{name}.ipynb").read_text(encoding="utf-8"))
    found = flags(read(made), None, read_program(made))
    loop = "cell 15 of hw.ipynb: shows a training log, and its code calls nothing that trains"  # a bar that waits
    assert found == ((loop,) if name == "keras3" else ())
    assert flags(real(name), None, read_program(made), 0.65)  # what is below the least is found


FLAGGED = {
    "shows a training log, and its code calls nothing that trains": [code("print(log)", stream(log()))],
    "logs 10 epochs, and its code asks for 3": [code("model.fit(x, epochs=3, validation_data=v)", stream(log()))],
    "logs 10 epochs, and its code asks for 5": [
        code("EPOCHS = 5"),
        code("model.fit(x, epochs=EPOCHS, validation_data=v)", stream(log())),
    ],
    "logs epoch 10, and its code asks for 4": [
        code("own.fit(x, epochs=4)", stream("".join(f"epoch {at + 1} loss {v}\n" for at, v in enumerate(LOSSES))))
    ],
    "logs a validation loss, and its code gives fit no validation data": [
        code("model.fit(x, epochs=10)", stream(log()))
    ],
    "is equal in all digits to that of cell 1 of hw.ipynb": [code(FIT, stream(log())), code(FIT, stream(log()))],
    "which no output of the notebook shows": [*honest(), text("We reach a test loss of 0.1712.")],
    "and evaluate gave 0.1949 there": [
        code("l = model.evaluate(t)\nprint(l)", stream(bar2(0.1949, steps=329) + "test loss: 0.1712\n"))
    ],
    "shows a loss of 0.09, lower than the task allows": [code("model.evaluate(t)", result("0.09"))],
    "has a loss of 0.0101, lower than the task allows": [code(FIT, stream(log((*LOSSES[:9], 0.0101), VALIDATION)))],
    "has outputs, and its execution count says that it was never run": [
        code("print(1)", stream("1\n"), count=1),
        {**code("print(2)", stream("2\n")), "execution_count": 0},
    ],
    "has the execution count 4 of cell 1: two runs are mixed": [code("x", count=4), code("y", count=4)],
    "the numbers of its training log stand in the code that prints them": [
        code(f"train()\nprint({LOSSES})", stream("".join(f"epoch {at} loss {v}\n" for at, v in enumerate(LOSSES))))
    ],
}


@pytest.mark.parametrize("sentence", FLAGGED)
def test_what_code_cannot_have_produced_is_named_with_its_cell(sentence: str) -> None:
    cells = FLAGGED[sentence]
    (line,) = flagged(*cells)
    assert line.endswith(sentence)
    assert line.startswith(f"cell {len(cells)} of hw.ipynb: ")


INNOCENT = {
    "a function trains": [
        code("def run():\n    model.fit(x, epochs=10, validation_data=v)"),
        code("run()", stream(log())),
    ],
    "the shell trains": [code("!python train.py", stream(log()))],
    "fit is in a loop": [code("for e in range(9):\n    model.fit(x, epochs=2, **more)", stream(log()))],
    "the epochs cannot be told": [code("model.fit(x, epochs=n, validation_split=0.1)", stream(log()))],
    "stopped early": [code("model.fit(x, epochs=20, validation_data=v)", stream(log().replace("/10\n", "/20\n")))],
    "rounded in words": [*honest(), text("Test loss: 0.19")],
}


@pytest.mark.parametrize("name", INNOCENT)
def test_what_is_in_doubt_is_not_flagged(name: str) -> None:
    assert flagged(*INNOCENT[name]) == ()


def test_a_module_of_the_students_may_train() -> None:
    cell = code("from trainer import go\ngo()", stream(log()))
    assert flagged(cell, trainer_py="def go():\n    model.fit(x)\n") == ()
    assert len(flagged(cell, trainer_py="def go():\n    pass\n")) == 1


@pytest.mark.parametrize(
    "source",
    ["losses = keras.losses.BinaryFocalCrossentropy()\n" + FIT, "model.compile('adam', loss='mae')\n" + FIT],
)
def test_the_losses_of_the_bonus_are_low_by_nature(source: str) -> None:
    def low(source: str) -> list[str]:
        found = flagged(code(source, stream(log((0.09, 0.08), (0.09, 0.08)))))
        return [line for line in found if line.endswith("lower than the task allows")]

    assert low(source) == []
    assert len(low(FIT)) == 1


def test_many_flags_are_cut() -> None:
    said = flagged(*[code("model.evaluate(t)", result("0.01")) for _ in range(60)])
    assert len(said) == 41
    assert said[-1] == "and 20 more such lines"


def test_equal_logs_and_pictures_have_equal_fingerprints() -> None:
    mine, theirs = fingerprint(record(*honest())), fingerprint(record(text("Mine."), *honest()))
    assert set(mine.values()) == set(theirs.values())
    assert set(mine) == {
        "the training log of cell 4 of hw.ipynb",
        "picture 1, in cell 1 of hw.ipynb",
        "picture 2, in cell 6 of hw.ipynb",
    }
    other = fingerprint(record(*honest(train=code(FIT, stream(log((*LOSSES[:9], 0.1940)))), show=code("x"))))
    assert len(set(mine.values()) & set(other.values())) == 1  # the picture of the data
    blank = record(code("x", picture(figure([TEN[0] * 0], 1, 1, 0))), code(FIT, stream(log(LOSSES[:2]))))
    assert fingerprint(blank) == {}
    assert len(fingerprint(record(code("x", picture(lines()))))) == 1
