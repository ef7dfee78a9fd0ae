"""Made notebooks with saved outputs, as Keras prints them and matplotlib draws them. The same every time."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from graders.model import Evidence, SourceFile, Submission
from graders.record import read

HERE = Path(__file__).parent
LOSSES = (0.2101, 0.2043, 0.2012, 0.1993, 0.1979, 0.1968, 0.1959, 0.1952, 0.1946, 0.1941)
VALIDATION = (0.2072, 0.2033, 0.2009, 0.1994, 0.1983, 0.1975, 0.1969, 0.1964, 0.1961, 0.1958)
Cell = dict[str, Any]

# Cells ----------------------------------------------------------------------------------------------------------------


def stream(text: str, name: str = "stdout") -> Cell:
    return {"output_type": "stream", "name": name, "text": text.splitlines(keepends=True)}


def result(text: str) -> Cell:
    return {"output_type": "execute_result", "metadata": {}, "data": {"text/plain": [text]}, "execution_count": 1}


def error(name: str = "NameError", message: str = "name 'x' is not defined") -> Cell:
    return {"output_type": "error", "ename": name, "evalue": message, "traceback": []}


def png(pixels: Any, kind: str = "PNG") -> str:
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(buffer, kind)
    return base64.b64encode(buffer.getvalue()).decode()


def picture(pixels: Any, kind: str = "png") -> Cell:
    data = {f"image/{kind}": png(pixels, kind.upper()), "text/plain": "<Figure size 640x480 with 1 Axes>"}
    return {"output_type": "display_data", "metadata": {}, "data": data}


def code(source: str, *outputs: Cell, count: int | None = None) -> Cell:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": list(outputs), "execution_count": count}


def text(source: str) -> Cell:
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def document(*cells: Cell, counted: bool = True) -> str:
    """A notebook; its cells of code were run from top to bottom unless they have counts of their own."""
    made, number = [], 0
    for cell in cells:
        number += cell["cell_type"] == "code"
        numbered = counted and cell.get("execution_count", 0) is None
        made.append({**cell, "execution_count": number} if numbered else cell)
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": made})


def submission(*texts: str) -> Submission:
    files = [SourceFile(f"hw{number or ''}.ipynb", "", len(one), one) for number, one in enumerate(texts)]
    return Submission("s", "s", tuple(files))


def record(*cells: Cell) -> Evidence:
    return read(submission(document(*cells)))


def real(name: str) -> Evidence:
    """The record of a notebook that was really run: keras2 is TensorFlow's legacy Keras, keras3 is Keras 3.15."""
    return read(submission((HERE / f"{name}.ipynb").read_text(encoding="utf-8")))


# Logs -----------------------------------------------------------------------------------------------------------------


def bar2(loss: float, val: float | None = None, steps: int = 1313, took: int = 95) -> str:
    begun = f"\r   1/{steps} [..............................] - ETA: 5:12 - loss: 0.9999"
    done = f"\r{steps}/{steps} [==============================] - {took}s 72ms/step - loss: {loss:.4f}"
    return begun + "\b" * len(begun) + done + (f" - val_loss: {val:.4f}" if val is not None else "") + "\n"


def bar3(loss: float, val: float | None = None, steps: int = 1313, took: int = 95) -> str:
    full = "\x1b[32m" + "━" * 20 + "\x1b[0m\x1b[37m\x1b[0m"
    begun = f"\r\x1b[1m   1/{steps}\x1b[0m \x1b[37m{'━' * 20}\x1b[0m \x1b[1m5:12\x1b[0m 240ms/step - loss: 0.9999"
    done = f"\r\x1b[1m{steps}/{steps}\x1b[0m {full} \x1b[1m{took}s\x1b[0m 72ms/step - loss: {loss:.4f}"
    return begun + "\b" * 60 + done + (f" - val_loss: {val:.4f}" if val is not None else "") + "\n"


def log(losses: Sequence[float] = LOSSES, validation: Sequence[float] | None = VALIDATION, bar: Any = bar2) -> str:
    rows = zip(losses, validation or [None] * len(losses), strict=False)
    return "".join(f"Epoch {at}/{len(losses)}\n{bar(*row)}" for at, row in enumerate(rows, start=1))


# Pictures -------------------------------------------------------------------------------------------------------------


def strokes(seed: int) -> Any:
    """A picture (32, 32) of zeros and ones: a white stroke on black and some noise."""
    chance = np.random.default_rng(seed)
    pixels = chance.random((32, 32)) < 0.03
    at = 4 + seed % 20
    pixels[4:28, at : at + 4] = True
    pixels[at : at + 3, 6:26] = True
    return pixels.astype(np.uint8)


def figure(pictures: Sequence[Any], rows: int = 2, scale: int = 2, gap: int = 12) -> Any:
    """Pictures side by side with white around them, as matplotlib puts them."""
    columns = -(-len(pictures) // rows)
    side = 32 * scale + gap
    page = np.full((rows * side + gap, columns * side + gap), 255, np.uint8)
    for at, one in enumerate(pictures):
        top, left = gap + at // columns * side, gap + at % columns * side
        page[top : top + 32 * scale, left : left + 32 * scale] = np.kron(one, np.ones((scale, scale))) * 255
    return page


def lines() -> Any:
    """A drawing like a loss curve: an axis and a blue line."""
    page = np.full((200, 300, 3), 255, np.uint8)
    page[20:180, 30] = page[180, 30:280] = 0
    for x in range(30, 280):
        page[40 + (x - 30) // 3 : 44 + (x - 30) // 3, x] = (31, 119, 180)
    return page


TEN = [strokes(seed) for seed in range(10)]

# The honest notebook --------------------------------------------------------------------------------------------------

DATA = code("plt.imshow(train_data[0][0])\nplt.show()", picture(figure([strokes(s) for s in range(90, 98)], 1)))
MODEL = code("pixel_cnn = keras.Model(inputs, outputs)\npixel_cnn.compile('adam', 'binary_crossentropy')")
LOAD = code(
    "print('before', pixel_cnn.evaluate(test))\npixel_cnn.load_weights('pixel_cnn_e5.h5')\npixel_cnn.evaluate(test)",
    stream(bar2(0.6931, steps=329) + "before 0.6931\n" + bar2(0.2412, steps=329)),
    result("0.24120001"),
)
FIT = "history = pixel_cnn.fit(train, epochs=10, validation_data=validation)"
TRAIN = code(FIT, stream(log()))
GENERATE = code(
    "for row in range(32):\n    for column in range(32):\n        p = pixel_cnn.predict(pixels, verbose=0)\n"
    "        pixels[:, row, column, 0] = tf.random.uniform([10]) < p[:, row, column, 0]"
)
SHOW = code(
    "for i in range(10):\n    plt.subplot(2, 5, i + 1)\n    plt.imshow(pixels[i])\nplt.show()", picture(figure(TEN))
)
TEST = code("pixel_cnn.evaluate(test)", stream(bar2(0.1949, steps=329)), result("0.19491234"))


def honest(
    data: Cell = DATA,
    model: Cell = MODEL,
    load: Cell = LOAD,
    train: Cell | Sequence[Cell] = TRAIN,
    generate: Cell | Sequence[Cell] = GENERATE,
    show: Cell | Sequence[Cell] = SHOW,
    test: Cell | Sequence[Cell] = TEST,
) -> list[Cell]:
    parts = [data, model, load, train, generate, show, test]
    return [cell for part in parts for cell in ([part] if isinstance(part, dict) else part)]
