"""What the made-up students of handout B hand in; see `demo.make_class`.

The results below their cells are made up too, in the form in which TensorFlow, tqdm and matplotlib leave them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import nbformat
import numpy as np
from nbformat.v4 import new_output

from demo.make_class import broken_cell, changed, colab, edited, notebook, shown, written, zipped
from graders.audit import load_edits
from graders.home import home, reference_path

REFERENCE = reference_path("jem").read_text(encoding="utf-8")
EDITS = load_edits("jem")
TEMPLATE = home() / "student_template" / "jem" / "joint_energy_model.ipynb"
CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
# When some of them handed in, for `graders grade --times`: in time, in the second hour, a week after the deadline.
TIMES = {
    "adams": "2025-04-11T23:58:12+08:00",
    "chan": "2025-04-12T01:23:34+08:00",
    "quinn": "2025-04-18T12:00:00+08:00",
}
_MARK = re.compile(r"# \[([QB]\d+)\]")


def code(*edits: str) -> str:
    """Return the reference's text with mutants and variants, by name, one after the other."""
    return edited(REFERENCE, EDITS, *edits)


# What running a notebook leaves below its cells -----------------------------------------------------------------------


@dataclass(frozen=True)
class Results:
    """How the experiments of one student went."""

    seed: int
    epochs: int = 20
    parameters: str = "2,747,082"
    accuracy: float = 0.7312
    tells_accuracy: bool = True
    generated: int = 32
    lowest_first: bool = True
    bonus: bool = True


def with_results(text: str, results: Results) -> str:
    """Return a notebook as if it had been run once from top to bottom."""
    document = notebook(text)
    made = _outputs(results)
    for cell in document.cells:
        if "load_data()" in cell.source:
            cell.outputs = [_printed("50000 images for training, 10000 for the test\n")]
        match = _MARK.match(cell.source) if cell.cell_type == "code" else None
        if match and (results.bonus or match[1][0] == "Q"):
            cell.outputs = made[match[1]]
        elif match:
            cell.source, cell.execution_count = f"{match[0]}\n# your code here", None
    return written(document)


def _outputs(results: Results) -> dict[str, list[Any]]:
    """Return the outputs by the mark of the cell."""
    chance = np.random.default_rng(results.seed)
    said = results.tells_accuracy
    first, second, joint = (_losses(chance, *each) for each in ((results.epochs, 0.3), (results.epochs, 0.6), (2, 2.1)))

    def grid(number: int) -> Any:
        return shown(_grid(chance, number))

    return {
        "Q1": [grid(30)],
        "Q2": [_printed(f"trainable parameters: {results.parameters}\n")],
        "Q4": [*_log(first), _printed(f"loss {first[0]:.4f} in the first epoch, {first[-1]:.4f} in the last\n")],
        "Q5": [*_accuracy(said, f"test accuracy {results.accuracy:.4f}\n"), grid(8)],
        "Q6": [*_log(second), *_accuracy(said, _both(results.accuracy))],
        "Q7": [shown(chance.integers(0, 256, (3, 11, 3)).repeat(60, 0).repeat(60, 1))],
        "Q8": [grid(16)],
        "Q9": [*_log(joint), _printed("loss by epoch: " + ", ".join(f"{loss:.4f}" for loss in joint) + "\n")],
        "Q10": _accuracy(said, f"test accuracy of the joint model {results.accuracy / 2:.4f}\n"),
        "B1": [grid(16)],
        "B2": [grid(16), _printed("88% right before the steps, 25% after them\n")],
        "B3": [grid(results.generated)],
        "B4": list(_rankings(chance, results.lowest_first)),
        "B5": [output for name in ("no label", "right label") for output in (_printed(f"{name}\n"), grid(20))],
    }


def _both(accuracy: float) -> str:
    return f"test accuracy {accuracy:.4f} without regularisation\ntest accuracy {accuracy + 0.03:.4f} with it\n"


def _accuracy(said: bool, text: str) -> list[Any]:
    return [_printed(text)] if said else []


def _rankings(chance: Any, lowest_first: bool) -> Iterator[Any]:
    for name in (*CLASSES, "all"):
        energies = np.sort(chance.normal(-12, 1, 16)).round(2)
        yield _printed(f"the best samples of {name}\n{energies if lowest_first else energies[::-1]}\n")
        yield shown(_grid(chance, 16))


def _losses(chance: Any, epochs: int, end: float) -> Sequence[float]:
    values = end + (2.2 - end) * 0.85 ** np.arange(epochs) + chance.normal(0, 0.004, epochs)
    return [float(value) for value in values]


def _log(losses: Sequence[float]) -> list[Any]:
    """Return what the skeleton's training loop leaves: lines that it prints, and tqdm's bars."""
    total = len(losses)
    bars = "".join(
        f"Epoch {at}/{total}: 100%|{'█' * 10}| 782/782 [01:10<00:00, 11.12it/s, loss={loss:.4f}]\n"
        for at, loss in enumerate(losses, start=1)
    )
    lines = "".join(f"Epoch {at}: loss {loss:.4f}\n" for at, loss in enumerate(losses, start=1))
    return [new_output("stream", name="stderr", text=bars), _printed(lines)]


def _printed(text: str) -> Any:
    return new_output("stream", name="stdout", text=text)


def _grid(chance: Any, number: int, columns: int = 8) -> Any:
    """Return images (32, 32, 3) of coarse colours, twice as large, in a grid on white."""
    side, gap = 64, 12
    rows = -(-number // columns)
    page = np.full((rows * (side + gap) + gap, columns * (side + gap) + gap, 3), 255)
    for at in range(number):
        top, left = gap + at // columns * (side + gap), gap + at % columns * (side + gap)
        page[top : top + side, left : left + side] = chance.integers(0, 200, (8, 8, 3)).repeat(8, 0).repeat(8, 1)
    return page


# Who hands in what ----------------------------------------------------------------------------------------------------


def half_done() -> str:
    """Return the template with C1, C3 and C4 filled in, the last cells that were reached before the deadline."""
    document = nbformat.read(TEMPLATE, as_version=4)
    solved = {
        match[0]: cell.source for cell in notebook(REFERENCE).cells if (match := re.match(r"# \[C[134]\]", cell.source))
    }
    for cell in document.cells:
        if match := re.match(r"# \[C[134]\]", cell.source):
            cell.source = solved[match[0]]
    return written(document)


_STEP = "    data = data - step_size * gradient + noise\n"
_ADD = "        self.buffer.extend(zip("
_NOISY = """    noisy = data + tf.random.normal(tf.shape(data), stddev=sigma)  # (B, 32, 32, 3)
    with tf.GradientTape() as tape:
        logits = model(noisy, training=True)  # (B, num_classes)
        loss ="""


def submissions() -> dict[str, Callable[[], str | bytes | dict[str, str | bytes]]]:
    """Return what each student hands in: the entry's name and its contents, a dict for a folder."""
    hang = changed(code(), (_STEP, "    while True:\n        pass\n" + _STEP))
    leave = changed(
        code(), (_ADD, "        os._exit(0)\n" + _ADD), ("import numpy as np\n", "import os\n\nimport numpy as np\n")
    )
    grow = "    hoard = []\n    while True:\n        hoard.append(np.ones((64, 1024, 1024)))\n"
    hog = changed(code(), (_NOISY, grow + _NOISY))
    poor = Results(17, epochs=8, tells_accuracy=False, generated=16, lowest_first=False)
    plain = {"bonus": False}
    return {
        "adams": lambda: {
            "code.zip": zipped({"joint_energy_model.ipynb": with_results(code(), Results(1))}),
            "report.pdf": "%PDF-1.4",
        },
        "baker.ipynb": lambda: written(colab(code())),
        "chan.py": lambda: code("C1-mixed-slopes", "C3-sparse", "C6-one-hot-sum", "C8-deque", "C9-helper"),
        "dimitrov.zip": lambda: zipped(
            {"pa2/jem.ipynb": with_results(code("C5-batch-norm", "C8-arrays", "C9-one-batch"), Results(2, **plain))}
        ),
        "evans.ipynb": lambda: with_results(code("C1-strides-first"), Results(3, **plain)),
        "fischer.ipynb": lambda: with_results(code("C3-softmax-twice", "C4-mean-of-batches"), Results(4, **plain)),
        "garcia.zip": lambda: zipped({"garcia/code.ipynb": with_results(code("C6-sign"), Results(5, **plain))}),
        "haddad.ipynb": lambda: with_results(code("C7-mean", "C9-sum"), Results(6, **plain)),
        "ito.ipynb": lambda: with_results(code("C5-not-in-training", "C8-one-coin"), Results(7, **plain)),
        "jensen.ipynb": lambda: TEMPLATE.read_bytes(),
        "kim.ipynb": lambda: "PK\x03\x04 this was meant to be a notebook",
        "lopez.ipynb": lambda: with_results(hang, Results(8, **plain)),
        "mueller.ipynb": lambda: with_results(leave, Results(9, **plain)),
        "novak.ipynb": lambda: with_results(hog, Results(10, **plain)),
        "okafor.ipynb": lambda: written(
            broken_cell(
                code(),
                "class SampleBuffer",
                "def add_to_buffer(self, samples, ids):",
                "def add_to_buffer(self, samples",
            )
        ),
        "patel": lambda: {"joint_energy_model.ipynb": half_done()},
        "quinn.ipynb": lambda: with_results(code("C3-no-noise", "C9-sign"), Results(11, **plain)),
        "rossi.ipynb": lambda: with_results(code(), poor),
        "silva.ipynb": lambda: with_results(code("C2-softmax"), Results(12, parameters="686,000", **plain)),
    }
