"""Which handed-in files of weights are loaded for which model, where one class is trained in two ways."""

from __future__ import annotations

from pathlib import Path

import pytest

from graders.data import calligraphy, cifar10
from graders.engine.studio import Studio, Wanted
from graders.metrics.held import held
from graders.model import SourceFile, Submission
from graders.notebook import cut_slice, read_program
from graders.rubric import load_rubric
from graders.store import Store

from .test_studio import Child, trained

SCRIPTS = {
    "jem": "from tensorflow import keras\n\n\nclass WRN(keras.Model):\n    pass\n\n\nclassifier = WRN()\n",
    "pixelcnn": "from tensorflow import keras\n\n\nclass AutoregressiveModel(keras.layers.Layer):\n    pass\n",
}


def loaded(slug: str, data: Path, tmp_path: Path, *names: str) -> dict[str, list[str]]:
    """Return which of the files a child is asked to load, by the item, of whatever was asked first."""
    rubric, store, found = load_rubric(slug), Store(tmp_path / "evidence.sqlite"), {}
    files = [SourceFile("code.py", "0", 9, SCRIPTS[slug]), *(SourceFile(name, name, 3) for name in names)]
    submission = Submission("adams", "adams", tuple(files))
    program = read_program(submission)
    items = [item for item in rubric.items if item.metric]
    named = {item.id: item.names for item in rubric.items if item.names}
    models = {item.metric.model for item in items if item.metric}
    slices = {name: cut_slice(program, named, name) for name in models}
    with held(slug, data, 1, 4) as kept:
        for item in items:
            child = Child(lambda say, fetch: trained(say, "failed"))
            studio = Studio(rubric, store, child, 1, {}, kept, budget=5.0)  # type: ignore[arg-type] # stands in for one
            studio.measure(Wanted(submission, program, slices, lambda names: dict.fromkeys(names, b"123")), item)
            found[item.id] = child.orders[0]["weights"] if child.orders else []
    store.close()
    return found


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cifar10")
    cifar10.draw(folder, 20, 20, seed=3)
    return folder


def test_the_name_tells_of_which_part_weights_are(images: Path, tmp_path: Path) -> None:
    names = ("w/Part_1_epoch20.weights.h5", "part2.h5", "my_JEM.keras", "final.h5", "classifier_jem.h5", "jem.pdf")
    assert loaded("jem", images, tmp_path, *names) == {
        "Q5-score": ["w/Part_1_epoch20.weights.h5"],
        "Q10-score": ["my_JEM.keras", "part2.h5"],
    }


def test_what_the_course_handed_out_is_nobodys_result(tmp_path: Path) -> None:
    calligraphy.draw(tmp_path / "pa2", 4, 20, seed=3)
    names = ("pixel_cnn_e5.h5", "pa2/pixel_cnn_e5 (1).h5", "pixel_cnn_e10.h5", "best.weights.h5")
    found = loaded("pixelcnn", tmp_path / "pa2", tmp_path, *names)
    assert found == {"C10-score": ["best.weights.h5", "pixel_cnn_e10.h5"]}
