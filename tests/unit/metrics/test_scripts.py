from __future__ import annotations

from graders.home import reference_path
from graders.metrics.scripts import archives, calls_of, constants, folders, trains, with_settings
from graders.release import handed_out, scripts_of


def test_only_the_top_level_is_set_and_every_line_stays_where_it_was() -> None:
    source = (
        "é = 'ü'; conditional = (False,\n  1)  # flag\nconditional: bool = False\ndef f():\n    conditional = False\n"
    )
    ((_, text),), lacking = with_settings([("a.py", source)], {"conditional": True, "epochs": 1})
    expected = "é = 'ü'; conditional = True  # flag\n\nconditional: bool = True\ndef f():\n    conditional = False\n"
    assert text == expected
    assert lacking == ["epochs"]


def test_what_does_not_parse_stays_as_it_is() -> None:
    assert with_settings([("a.py", "x = (")], {"x": 1}) == ([("a.py", "x = (")], ["x"])


def test_the_handed_out_script_tells_its_data_its_classes_and_its_constants() -> None:
    cells = [("A9_vae.py", scripts_of(reference_path("vae").read_text(encoding="utf-8"))["A9_vae.py"])]
    assert archives(cells) == ["./data/cifar10.npz"]
    assert calls_of(cells, "VAE") == ["VAE(latent_dim)"]
    assert constants(cells)["latent_dim"] == 128
    ((_, text),), lacking = with_settings(cells, {"conditional": True})
    assert "\nconditional = True  # True trains the CVAE\n" in text
    assert not lacking


def test_no_data_is_laid_outside_of_the_working_folder() -> None:
    assert archives([("a.py", "np.load('../../x.npz'); np.load('/content/d/cifar10.npz')")]) == [
        "/content/d/cifar10.npz"
    ]


def test_the_handed_out_training_tells_its_folder_and_how_it_builds_the_models() -> None:
    cells = [("asgn6.py", handed_out("denoising")["asgn6.py"])]
    assert folders(cells) == ["./data"]
    assert calls_of(cells, "Encoder") == ["Encoder(LATENT, SIZE)"]
    assert (constants(cells)["LATENT"], constants(cells)["SIZE"]) == (128, 64)
    assert trains(cells)
    assert not trains([("models.py", scripts_of(reference_path("denoising").read_text(encoding="utf-8"))["models.py"])])


def test_folders_of_images_are_found_and_other_options_are_not() -> None:
    source = (
        "p.add_argument('-r', '--image-root', type=str, default='pokemon/all')\np.add_argument('--out', default='r')\n"
        "p.add_argument('--data-size', default=3)\nset = torchvision.datasets.ImageFolder('imgs', transform=t)\n"
        "p.add_argument('--data', default='../outside')\n"
    )
    assert folders([("a.py", source)]) == ["pokemon/all", "imgs"]
