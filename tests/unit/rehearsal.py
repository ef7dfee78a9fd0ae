"""Rehearses notebooks for tests: cells run one by one in forked children of a process that has imported TensorFlow."""

from __future__ import annotations

import contextlib
import importlib
import io
import linecache
import multiprocessing
import os
import re
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from graders.engine.rehearsals import RECORDER
from graders.home import reference_path
from graders.model import Evidence, Experiment

SHRINK = {"n_resnet": 2, "n_filters": 6, "n_block": 3, "n_output": 4}
SEED = 11
WEIGHTS = "pixel_cnn_e5.h5"
_CELL = re.compile(r"^# %%(.*)\n", re.MULTILINE)


def reference_text() -> str:
    """Return the reference of handout A, to be run without the self-check."""
    return reference_path("pixelcnn").read_text(encoding="utf-8").replace("import graders\n", "")


def cells_of(text: str) -> list[str]:
    """Return the code cells of a script in percent format, without those that check."""
    parts = _CELL.split(text)
    return [source for mark, source in zip(parts[1::2], parts[2::2], strict=True) if not mark.strip()] or [text]


def run_cells(
    cells: list[str], shrink: Mapping[str, int] | None = SHRINK, most: int | None = None, module: str = RECORDER
) -> dict[str, Any]:
    """Run cells one by one under a recorder; return experiments, the error of each cell and what was printed."""
    recorder = importlib.import_module(module)
    namespace: dict[str, Any] = {"__name__": "__main__"}
    experiments: dict[str, Experiment] = {}
    errors: list[str] = []
    printed = io.StringIO()
    recorder.install(namespace, shrink, experiments.__setitem__, SEED)
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        for number, source in enumerate(cells[:most]):
            try:
                name = f"cell {number + 1}"  # a graph is made from a function's source, so it must be found
                linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
                exec(compile(source, name, "exec"), namespace)
                errors.append("")
            except Exception:
                errors.append(traceback.format_exc(limit=-3))
            recorder.after_cell(number + 1)
        recorder.finish()
    recorder.uninstall()
    return {"experiments": experiments, "errors": errors, "printed": printed.getvalue()}


def make_weights(text: str, path: str) -> None:
    """Write the weights that a small model of the reference has after a short training, as Keras 2 did."""
    import h5py
    import keras
    from keras.src.legacy.saving import legacy_h5_format

    from graders.probes import recorder

    head = text[: text.index("# Compile the model for the rundown")]
    namespace: dict[str, Any] = {"__name__": "__main__"}
    keras.utils.set_random_seed(5)
    recorder.install(namespace, SHRINK, lambda name, experiment: None, SEED)
    for source in cells_of(head[: head.rindex("# %%")]):
        exec(source, namespace)
        recorder.after_cell(1)
    recorder.uninstall()
    model = namespace["pixel_cnn"]
    model.compile(keras.optimizers.Adam(0.003), "binary_crossentropy", jit_compile=False)
    model.fit(namespace["train_data"], epochs=8, verbose=0)
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def _serve(connection: Any) -> None:
    """Import the frameworks, then run each job in a fork of its own; jobs are (folder, function, arguments)."""
    os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", CUDA_VISIBLE_DEVICES="", MPLBACKEND="agg")
    import matplotlib.pyplot
    import tensorflow

    assert matplotlib.pyplot
    assert tensorflow
    fork = multiprocessing.get_context("fork")
    while (job := connection.recv()) is not None:
        near, far = fork.Pipe()
        child = fork.Process(target=_child, args=(far, *job))
        child.start()
        far.close()
        try:
            connection.send(near.recv())
        except EOFError:
            connection.send({"experiments": {}, "errors": ["the process died"], "printed": ""})
        child.join()


def _child(connection: Any, folder: str, function: Any, arguments: tuple[Any, ...]) -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    os.chdir(folder)
    try:
        connection.send(function(*arguments))
    except BaseException:
        connection.send({"experiments": {}, "errors": [traceback.format_exc()], "printed": ""})
    os._exit(0)


class Rehearsals:
    """A process with TensorFlow that rehearses texts in copies of one working folder; use it in a `with` statement."""

    def __init__(self, folder: Path, recorder: str = RECORDER) -> None:
        self.folder, self.recorder = folder, recorder
        spawn = multiprocessing.get_context("spawn")
        self._connection, far = spawn.Pipe()
        self._server = spawn.Process(target=_serve, args=(far,))

    def __enter__(self) -> Rehearsals:
        self._server.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._connection.send(None)
        self._server.join(20)
        self._server.terminate()

    def do(self, function: Any, *arguments: Any) -> Any:
        """Return what a function of this module returns in a child."""
        self._connection.send((str(self.folder), function, arguments))
        return self._connection.recv()

    def run(self, text: str, most: int | None = None, shrink: Mapping[str, int] | None = SHRINK) -> dict[str, Any]:
        """Rehearse a script in percent format."""
        return dict(self.do(run_cells, cells_of(text), shrink, most, self.recorder))


def evidence_of(run: Mapping[str, Any]) -> Evidence:
    """Return a run's experiments as evidence."""
    return Evidence(dict(run["experiments"]))
