"""Notebooks of handout B: what a person is told of each question and of the bonus. No point depends on any of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from graders.assignments.jem import GRADERS
from graders.judge import UNSEEN, judge_item
from graders.model import Evidence, Tier, Verdict
from graders.record import flags
from graders.rubric import load_rubric

from .build import code, document, error, figure, picture, record, result, stream, submission, text

RUBRIC = load_rubric("jem")
ITEMS = [item.id for item in RUBRIC.items if item.tier is Tier.RECORD and item.id not in ("Q2", "claim")]
GIVEN = code("def train_loop_1(model):\n    for epoch in range(20):\n        run_epoch(model)")


def note(item: str, evidence: Evidence) -> str:
    """What a person is told, after the opening words."""
    judged = judge_item(RUBRIC.item(item), GRADERS[item], evidence, None)
    assert (judged.verdict, judged.points) == (Verdict.MANUAL, 0)
    assert judged.note.startswith(f"{UNSEEN}: ")
    return judged.note.removeprefix(f"{UNSEEN}: ")


def told(item: str, *cells: Any) -> str:
    return note(item, record(*cells))


def log(losses: Any) -> str:
    return "".join(f"Epoch {at}: loss {loss:.4f}\n" for at, loss in enumerate(losses, start=1))


def bars(losses: Any) -> str:
    return "".join(
        f"\rEpoch {at}/{len(losses)}:   0%|          | 0/782 [00:00<?, ?it/s]"
        f"\rEpoch {at}/{len(losses)}: 100%|██████████| 782/782 [00:10<00:00, 78.2it/s, loss={loss:.4f}]\n"
        for at, loss in enumerate(losses, start=1)
    )


def images(number: int, seed: int = 0) -> Any:
    pixels = [np.random.default_rng(seed + at).integers(0, 200, (32, 32)) / 255 for at in range(number)]
    return picture(figure(pixels, rows=-(-number // 8)))


LOSSES = [2.2 * 0.9**at for at in range(20)]


def test_every_question_and_every_bonus_is_told_of() -> None:
    assert ["Q1", *(f"Q{at}" for at in range(3, 11)), *(f"B{at}" for at in range(1, 6))] == ITEMS
    assert all(RUBRIC.item(item).criteria for item in ITEMS)


@pytest.mark.parametrize("item", ITEMS)
def test_what_is_not_there_is_said_and_costs_nothing(item: str) -> None:
    nothing = {"Q3": "no text on it was found in the notebook"}.get(item, "nothing of it was found in the notebook")
    assert told(item, code("x = 1", stream("1\n"))) == nothing
    assert item == "Q3" or note(item, Evidence({})) == "no notebook with results was handed in"
    left = told(item, text(f"`[{item}]` Show it."), {**code(f"# [{item}]\n# your code here"), "execution_count": 0})
    assert left in ("cell 2 of hw.ipynb: as it was handed out", "cell 1 of hw.ipynb: 3 words")


def test_a_training_is_told_by_its_epochs_and_losses() -> None:
    run = "history = train_loop_1(model)"
    said = "cell 2 of hw.ipynb: 20 epochs logged, loss 2.2 at first and 0.2972 at last"
    assert told("Q4", GIVEN, code(f"# [Q4]\n{run}", stream(log(LOSSES)))) == said
    assert told("Q4", GIVEN, code(f"# [Q4]\n{run}", stream(bars(LOSSES), "stderr"))) == said
    assert told("Q4", GIVEN, code(run, stream(log(LOSSES)))) == said  # known by what it calls
    both = code(f"# [Q4]\n{run}", stream(bars(LOSSES), "stderr"), stream(log(LOSSES)))
    assert told("Q4", GIVEN, both) == said
    summary = stream(log(LOSSES) + "loss 2.2000 in the first epoch, 0.2972 in the last\n")
    assert told("Q4", GIVEN, code(f"# [Q4]\n{run}", summary)) == said
    assert told("Q4", GIVEN, code(f"# [Q4]\n{run}", stream(log(LOSSES[:8])))) == (
        "cell 2 of hw.ipynb: 8 epochs of at least 20 logged, loss 2.2 at first and 1.0523 at last"
    )
    assert told("Q4", code("# [Q4]\ntrain()", stream("done\n"))) == "cell 1 of hw.ipynb: no training log"


def test_a_log_that_is_typed_and_a_loss_that_is_not_finite_are_told() -> None:
    typed = 'print("""Epoch 1: loss 2.1234\nEpoch 2: loss 1.9876\nEpoch 3: loss 1.7654""")'
    shown = stream("Epoch 1: loss 2.1234\nEpoch 2: loss 1.9876\nEpoch 3: loss 1.7654\n")
    assert told("Q9", code(f"# [Q9]\n{typed}", shown)).endswith("1.7654 at last, numbers that stand in the code")
    diverged = stream("Epoch 1: loss 2.1\nEpoch 2: loss nan\n")
    assert told("Q9", code("# [Q9]\ntrain()", diverged)) == (
        "cell 1 of hw.ipynb: 2 epochs logged, loss 2.1 at first and not finite at last"
    )


def test_losses_of_part_2_may_be_negative_without_a_doubt() -> None:
    from graders.notebook import read_program

    handed_in = submission(document(code("# [Q9]\ntrain_loop_2(jem)", stream(log([2.1, -35.5, -80.2])))))
    evidence = record(code("# [Q9]\ntrain_loop_2(jem)", stream(log([2.1, -35.5, -80.2]))))
    program = read_program(handed_in, set(), ())
    assert flags(evidence, None, program, GRADERS.least_loss) == ()
    assert len(flags(evidence, None, program, 0.0)) == 1


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        (code("# [Q10]\nprint(a)", stream("test accuracy of the joint model 0.4123\n")), "accuracy 0.4123"),
        (code("# [Q10]\nprint(a)", stream("Test Accuracy: 41.23%\n")), "accuracy 0.4123"),
        (code("# [Q10]\nevaluate_accuracy(jem, test)", result("0.4123")), "accuracy 0.4123"),
        (code("# [Q10]\nevaluate_accuracy(jem, test)", stream("0.4123\n")), "accuracy 0.4123"),
        (code("# [Q10]\nprint(f'accuracy {0.9312}')", stream("accuracy 0.9312\n")), "0.9312, which stands in the code"),
        (code("# [Q10]\nplt.show()", images(4)), "no accuracy"),
        (code("# [Q10]\nevaluate_accuracy(jem, test)"), "was run, and its result is not saved; no accuracy"),
        ({**code("# [Q10]\nevaluate_accuracy(jem)"), "execution_count": 0}, "cell 1 was not run; no accuracy"),
        (code("# [Q10]\nevaluate_accuracy(jem)", error("NameError", "jem")), "cell 1 ended in NameError; no accuracy"),
    ],
)
def test_an_accuracy_is_told_as_it_is_shown(cell: Any, said: str) -> None:
    assert told("Q10", cell).endswith(said)


def test_an_accuracy_in_a_text_is_told_as_such() -> None:
    shown, said = code("# [Q5]\nshow()", images(8)), text("The **test accuracy** is 0.87.")
    assert told("Q5", shown, said) == "cell 1 of hw.ipynb: accuracy 0.87 in a text; 1 picture with 8 small images"
    printed = code("# [Q5]\nprint(a)", stream("test accuracy 0.87\n"))
    assert told("Q5", printed, said) == "cell 1 of hw.ipynb: accuracy 0.87; no pictures"
    assert "0.87" not in told("Q5", shown, text("[Q6]"), said)


def test_pictures_are_counted_with_the_images_that_they_hold() -> None:
    assert told("Q1", code("plt.show()", images(30)), code("train()")) == (
        "cell 1 of hw.ipynb: 1 picture with 30 small images"
    )
    assert told("B3", code("# [B3]\nshow()", images(16))).endswith("1 picture with 16 small images of at least 32")
    assert told("Q7", code("# [Q7]\nvisualize_energy(m)", images(33))) == "cell 1 of hw.ipynb: 1 picture"
    blank = picture(np.full((64, 64), 255))
    assert told("Q7", code("# [Q7]\nshow()", blank)).endswith("no pictures; 1 picture of one colour")
    again = [code("# [Q8]\nshow()", images(16)), code("# [B1]\nsampling_step(m)\nshow()", images(16))]
    assert told("B1", *again).endswith("; one is that of cell 1 again")


def test_experiments_are_known_by_the_steps_that_they_take() -> None:
    helper = code("def generate(model):\n    for _ in range(80):\n        x = sampling_step(model, x)")
    assert "no sampling step" not in told("B1", helper, code("# [B1]\ngenerate(m)", images(16)))
    assert "no sampling step is taken in it" in told("B1", code("# [B1]\nshow(x)", images(16)))
    assert told("B5", helper, code("generate(jem)\nshow()", images(20))) == (
        "cell 2 of hw.ipynb: 1 picture with 20 small images"
    )
    training = [code("def part2_train_step(m):\n    sampling_step(m)"), code("part2_train_step(jem)", images(2))]
    assert told("B1", *training) == "nothing of it was found in the notebook"


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("sampling_step(m, x, step_size=-1)", "a negative step_size"),
        ("alpha = -0.5\nsampling_step(m, x, alpha)", "a negative alpha"),
        ("def climb(x, step=-2):\n    return sampling_step(m, x, step_size=step)\nclimb(x)", "a negative step"),
        ("sampling_step(m, x, y[-1])\nnp.argmax(z, axis=-1)", "no negative step size was seen in the code"),
    ],
)
def test_a_negative_step_is_seen_in_the_code(source: str, said: str) -> None:
    assert f": {said}; no pictures" in told("B2", code(f"# [B2]\n{source}", stream("done\n")))


@pytest.mark.parametrize(
    ("printed", "said"),
    [
        ("bird [-14.5 -13.25\n -12.]\ncat [-9.1, -9.0, -8.5]\n", "2 of 2 printed rankings"),
        ("bird [-12. -13.25 -14.5]\ncat [-9.1, -9.0, -8.5]\n", "1 of 2 printed rankings"),
        ("bird [-12. nan -9.]\n", "0 of 1 printed rankings"),
        ("bird\n", "no energies are printed that would tell the order"),
    ],
)
def test_printed_rankings_are_recomputed(printed: str, said: str) -> None:
    assert f"; {said}" in told("B4", code("# [B4]\nnp.argsort(e)[:16]\nshow()", stream(printed), images(16)))


@pytest.mark.parametrize(
    "expression",
    [
        "np.argsort(energies(jem, pool, label))[:16]",
        "np.argsort(e)[::-1][:16]",
        "e.argsort().numpy()[-16:]",
        "tf.math.top_k(-e, k=16).indices",
        "sorted(zip(e, pool), key=lambda pair: pair[0], reverse=True)[:16]",
    ],
)
def test_the_expression_that_ranks_is_shown(expression: str) -> None:
    said = told("B4", code(f"# [B4]\ndef best(e):\n    return pool[{expression}]\nshow(best(e))", images(16)))
    assert said.endswith(f"; its code takes {expression}")


def test_a_ranking_that_sorts_nothing_is_told() -> None:
    assert told("B4", code("# [B4]\nshow(pool[:16])", images(16))).endswith("; its code sorts nothing")


def test_cells_below_a_mark_belong_to_it_until_the_next_one() -> None:
    cells = [code("# [Q4]\n# your code here"), code("train_loop_1(m)", stream(log(LOSSES))), text("**[Q5]**")]
    assert told("Q4", GIVEN, *cells, code("print(1)", stream(log(LOSSES[:3])))).startswith("cell 3 of hw.ipynb: 20 ")


def test_cells_of_another_question_are_not_taken_for_unmarked_ones() -> None:
    shown = code("# [Q8]\nbuffer.sample_from_buffer(16)\nshow()", images(16))
    assert told("B3", text("[Q1]"), code("show()"), text("[Q5]"), code("show()"), shown) == (
        "nothing of it was found in the notebook"
    )
    assert told("B3", shown).startswith("cell 1 of hw.ipynb: images from the buffer")  # the only mark of all


def test_a_text_on_noise_is_counted() -> None:
    assert told("Q3", text("**Q3** Noise makes it robust.")) == "cell 1 of hw.ipynb: 5 words"
