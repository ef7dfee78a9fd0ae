import pytest

from graders.execute import expected_paths, links
from tests.unit.execute.notebooks import notebook

TARGETS = {"train": "pa2/train", "test": "pa2/test", "data": "pa2", "weights": "pa2/pixel_cnn_e5.h5"}


def found(*codes: str) -> dict[str, str]:
    return {one.path: one.kind for one in expected_paths(notebook(*codes))}


@pytest.mark.parametrize(
    ("code", "path", "kind"),
    [
        ("os.listdir('./pa2/train')", "./pa2/train", "train"),
        ("data = CalligraphyDataset('/content/pa2/train/', 32)", "/content/pa2/train/", "train"),
        ("x = f'/content/{\"pa2\"}/test'", "/content/pa2/test", "test"),
        (
            "root = '/content/drive/MyDrive/pa2'\nx = os.path.join(root, 'test')",
            "/content/drive/MyDrive/pa2/test",
            "test",
        ),
        ("ROOT = '../data'\nx = f'{ROOT}/train_half'", "../data/train_half", "train"),
        ("d = pathlib.Path('data')\nx = d / 'validation'", "data/validation", "validation"),
        ("d = 'my/' + 'pa2'\nx = Path(d, 'train')", "my/pa2/train", "train"),
        ("d = Path('pa2')\nx = d.joinpath('train')", "pa2/train", "train"),
        ("glob.glob('/kaggle/input/pa2/train/*.jpg')", "/kaggle/input/pa2/train", "train"),
        ("glob.glob(os.path.join('pa2_data', 'train', '*.jpg'))", "pa2_data/train", "train"),
        ("def f(folder='./pa2/test'):\n    pass", "./pa2/test", "test"),
        (
            "class A:\n  def __init__(self):\n    self.r = 'pa2'\n  def f(self):\n    return self.r + '/train'",
            "pa2/train",
            "train",
        ),
        ("data_dir = '/content/drive/MyDrive/COMP4211/hw'", "/content/drive/MyDrive/COMP4211/hw", "data"),
        ("build(data_root='stuff/hw')", "stuff/hw", "data"),
        ("x = 'C:\\\\Users\\\\me\\\\pa2\\\\train'", "C:\\Users\\me\\pa2\\train", "train"),
        ("model.load_weights('/content/w.h5')", "/content/w.h5", "weights"),
        ("w = 'model.keras'\nload_model(w)", "model.keras", "weights"),
        ("path = os.path.join('..', 'pixel_cnn_e5.h5')", "../pixel_cnn_e5.h5", "weights"),
        ("zipfile.ZipFile('/content/drive/MyDrive/pa2.zip').extractall()", "/content/drive/MyDrive/pa2.zip", "archive"),
        ("!unzip -q /content/drive/MyDrive/pa2.zip -d /content/data", "/content/data", "data"),
        ("%cd /content/drive/MyDrive/COMP4211", "/content/drive/MyDrive/COMP4211", "folder"),
        ("os.chdir('/content/here')", "/content/here", "folder"),
        ("base = '/a/pa2'\nbase = '/b/pa2'\nx = base + '/train'", "/a/pa2/train", "train"),
        ("base = '/a/pa2' if COLAB else './pa2'\nx = base + '/train'", "./pa2/train", "train"),
    ],
)
def test_finds_the_ways_in_which_paths_are_written(code: str, path: str, kind: str) -> None:
    assert found(code).get(path) == kind


@pytest.mark.parametrize(
    "code",
    [
        "x = 'relu'",
        "x = 'https://example.org/data'",
        "x = 'we train the model'",
        "x = 'training'.join(['a', 'b'])\nmodel.save_weights('out.h5')",
        "os.makedirs('./checkpoints')",
        "save_dir = '/content/out'",
        "this is no Python",
        "import os\nos.mkdir('pa2/train_half')",
        "!mkdir -p data/train_half",
        "Path('data/validation').mkdir()",
        "shutil.copytree(source, 'pa2/train_small')",
        "model.save_weights('best.h5')\nmodel.load_weights('best.h5')",
    ],
)
def test_leaves_alone_what_is_no_data_or_what_the_notebook_makes_itself(code: str) -> None:
    assert {path for path, kind in found(code).items() if "/" in path or kind == "weights"} == set()


def test_names_go_from_cell_to_cell() -> None:
    assert found("ROOT = '/content/pa2'", "%%time\nx = load(ROOT + '/train')")["/content/pa2/train"] == "train"
    assert found("ROOT = 'a/pa2'", "%time x = load(ROOT + '/test')")["a/pa2/test"] == "test"


def test_relative_paths_are_also_those_of_the_folder_that_the_notebook_goes_to() -> None:
    assert (
        found("%cd /content/drive/MyDrive/hw", "x = './pa2/train'")["/content/drive/MyDrive/hw/./pa2/train"] == "train"
    )


def test_links_lead_to_the_stage_and_only_to_what_it_has() -> None:
    wanted = links(notebook("a = '/x/pa2'\nb = a + '/train'\nc = 'val/validation'\n%cd /y\nz = 'q.zip'"), TARGETS)
    assert wanted["/x/pa2"] == "pa2"
    assert wanted["/x/pa2/train"] == "pa2/train"
    assert wanted["/y"] == "."
    assert wanted["q.zip"] == "pa2"
    assert "val/validation" not in wanted


def test_expressions_that_multiply_stay_bounded() -> None:
    many = "\n".join(f"a = '/pa2/{number}'" for number in range(200)) + "\n" + "x = " + " + ".join(["a"] * 60)
    assert len(found(many)) <= 200
