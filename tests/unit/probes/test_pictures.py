from __future__ import annotations

import io
import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from graders.probes import pictures
from graders.probes.student import Student


def decoded(data: bytes, mode: str = "L") -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(data)).convert(mode), int)


def of_class(definition: Any) -> Student:
    return Student({"Data": definition}, {"C1": "Data"}, {"C1": pictures.ARGUMENTS})


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


# Pictures ------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(st.integers(0, 255))
def test_a_grey_level_is_there_to_within_one(level: int) -> None:
    image = decoded(pictures.constant(level))
    assert image.shape == (64, 64)
    assert np.abs(image[24:] - level).max() <= 1


@pytest.mark.parametrize("colour", [(200, 200, 0), (0, 200, 200), (0, 0, 130), (130, 0, 0), (255, 255, 255)])
def test_a_colour_is_there_to_within_two(colour: tuple[int, int, int]) -> None:
    image = decoded(pictures.constant(colour), "RGB")
    assert np.abs(image[24:] - np.array(colour)).max() <= 2


@pytest.mark.parametrize("level", [0, 60, 120, 255, (0, 0, 130)])
def test_every_constant_picture_has_black_and_white_in_it(level: Any) -> None:
    image = decoded(pictures.constant(level))
    assert image.min() <= 1
    assert image.max() >= 254


def test_no_two_numbers_have_blocks_alike_even_at_half_the_size() -> None:
    images = [decoded(pictures.blocks(number)) > 127 for number in range(512)]
    assert len({image.tobytes() for image in images}) == 512
    small = np.array([image[::2, ::2].ravel() for image in images])
    assert min(np.count_nonzero(one != other) for one, other in itertools.pairwise(small)) >= 7 * 7


def test_strokes_are_soft_bright_on_black_and_follow_their_numbers() -> None:
    down, across = (pictures.stroke(np.array([ends])) for ends in ([0.1, 0.5, 0.9, 0.5, 1], [0.5, 0.1, 0.5, 0.9, 1]))
    image = decoded(down)
    assert image.min() <= 1
    assert image.max() >= 250
    assert np.abs(image.T - decoded(across)).max() <= 12
    assert image[32, 32] > 200 > 50 > image[32, 5]


def test_stripes_become_lines_of_one_pixel_when_they_are_halved() -> None:
    for upright in (False, True):
        image = decoded(pictures.stripes(0, upright))
        image = image.T if upright else image
        small = image[:32].reshape(16, 2, 32, 2).mean(axis=(1, 3))
        assert np.abs(small - np.where(np.arange(16) % 2, 0, 255)[:, None]).max() <= 16
        assert not np.array_equal(image, decoded(pictures.stripes(1, upright)))


def test_a_picture_in_colour_is_the_same_in_three_channels() -> None:
    grey = pictures.blocks(77)
    assert Image.open(io.BytesIO(pictures.in_colour(grey))).mode == "RGB"
    assert np.abs(decoded(pictures.in_colour(grey)) - decoded(grey)).max() <= 2


def test_a_picture_of_any_memory_layout_can_be_written() -> None:
    image = np.zeros((20, 30), np.uint8).T
    assert decoded(pictures.jpeg(image)).shape == (30, 20)


# Folders -------------------------------------------------------------------------------------------------------------


def test_a_folder_holds_the_pictures_in_their_order_and_nothing_of_before() -> None:
    pictures.folder("some", [b"1", b"2", b"3"])
    path = pictures.folder("some", [b"4", b"5"], ".png")
    assert [file.name for file in sorted(path.iterdir())] == ["00000.png", "00001.png"]
    assert [file.read_bytes() for file in sorted(path.iterdir())] == [b"4", b"5"]


def test_folders_that_notebooks_name_outright_lead_to_the_pictures_of_the_moment() -> None:
    for name in ("one", "two"):
        path = pictures.folder(name, [name.encode()])
        pictures.point_fixed_folders(path)
        assert Path("pa2/train/00000.jpg").read_bytes() == name.encode()
        assert Path("data/test/00000.jpg").read_bytes() == name.encode()


def test_a_folder_of_the_students_own_is_not_replaced() -> None:
    Path("train").mkdir()
    Path("train/mine").touch()
    pictures.point_fixed_folders(pictures.folder("one", [b"1"]))
    assert [file.name for file in Path("train").iterdir()] == ["mine"]


# Data set classes ----------------------------------------------------------------------------------------------------


class Base:
    def __len__(self) -> int:
        return len(self.files)


class ByName(Base):
    def __init__(self, batch, path) -> None:
        self.files, self.batch = sorted(Path(path).iterdir()), batch


class TextGlued(Base):
    def __init__(self, data_dir, batch_size) -> None:
        self.files = list(Path(".").glob(data_dir + "*.jpg"))


class Unnamed(Base):
    def __init__(self, a, b) -> None:
        self.files = list(Path(b).iterdir())
        self.size = a + 1


class OfPaths(Base):
    def __init__(self, image_paths, batch_size, target_size) -> None:
        self.files = [Path(path) for path in image_paths]
        assert target_size == (32, 32)


class Split(Base):
    def __init__(self, root, batch_size, subset, shuffle, whatever) -> None:
        self.files = list(Path(root).iterdir())
        self.told = (subset, shuffle, whatever)


class Fixed(Base):
    def __init__(self, batch_size) -> None:
        self.files = list(Path("pa2/train").iterdir())


class Defaults(Base):
    def __init__(self, path, batch_size=32, subset="validation", *args, **kwargs) -> None:
        self.files, self.told = list(Path(path).iterdir()), (batch_size, subset, args, kwargs)


@pytest.mark.parametrize("definition", [ByName, TextGlued, Unnamed, OfPaths, Split, Fixed, Defaults])
def test_a_data_set_class_is_built_on_the_folder_however_it_asks_for_it(definition: type) -> None:
    path = pictures.folder("some", [b"1"] * 5)
    pictures.point_fixed_folders(path)
    assert len(pictures.dataset(of_class(definition), "C1", path, 4)) == 5


def test_arguments_with_a_default_keep_it_and_those_without_get_something_plain() -> None:
    path = pictures.folder("some", [b"1"])
    assert pictures.dataset(of_class(Split), "C1", path, 4).told == ("train", False, False)
    assert pictures.dataset(of_class(Defaults), "C1", path, 4).told == (4, "validation", (), {})


class Empty(Base):
    def __init__(self, image_dir, batch_size) -> None:
        self.files: list[str] = []
        self.given = image_dir


def test_a_data_set_that_finds_nothing_in_any_way_is_the_one_of_the_first_way() -> None:
    path = pictures.folder("some", [b"1"])
    assert pictures.dataset(of_class(Empty), "C1", path, 4).given == str(path)


def test_a_class_that_cannot_be_built_raises_its_first_error() -> None:
    class Broken:
        def __init__(self, image_dir, batch_size) -> None:
            raise ValueError(f"first with {image_dir}")

    path = pictures.folder("some", [b"1"])
    with pytest.raises(ValueError, match=f"first with {path}$"):
        pictures.dataset(of_class(Broken), "C1", path, 4)


def test_the_caller_says_what_works() -> None:
    class OnlySlashed:
        def __init__(self, image_dir, batch_size) -> None:
            self.given = image_dir

    path = pictures.folder("some", [b"1"])
    made = pictures.dataset(of_class(OnlySlashed), "C1", path, 4, works=lambda one: one.given.endswith("/"))
    assert made.given == f"{path}/"


# What an object tells ------------------------------------------------------------------------------------------------


class Holder:
    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)


@pytest.mark.parametrize("value", [4, np.int64(4)])
def test_a_number_that_is_kept_is_found_under_any_name(value: Any) -> None:
    assert pictures.keeps(Holder(_bs=value), 4)
    assert not pictures.keeps(Holder(_bs=value), 5)


def test_true_is_not_the_number_one() -> None:
    assert not pictures.keeps(Holder(shuffle=True), 1)


def test_a_directory_is_kept_as_text_path_or_files_below_it() -> None:
    path = pictures.folder("some", [b"1"])
    for value in (str(path), f"{path}/", path, path.resolve(), [f"{path}/00000.jpg"], np.array([f"{path}/00000.jpg"])):
        assert pictures.keeps(Holder(where=value), path)


@pytest.mark.parametrize("value", ["elsewhere", "pictures/some-more", 4, None, [], ["pictures"]])
def test_another_directory_is_not_the_one(value: Any) -> None:
    assert not pictures.keeps(Holder(where=value), pictures.folder("some", [b"1"]))


def test_files_that_are_listed_are_counted() -> None:
    assert pictures.listed(Holder(files=["a", "b"], sizes=[1, 2, 3], more=(Path("c"),))) == [2, 1]
    assert pictures.listed(Holder(files=[], sizes=[1])) == []
    assert pictures.listed(object()) == []


def test_the_batch_size_is_found_by_its_name() -> None:
    assert pictures.kept_batch_size(Holder(_batch=3, other=5), 9) == 3
    assert pictures.kept_batch_size(Holder(batch_size=0), 9) == 9
    assert pictures.kept_batch_size(Holder(other=5), 9) == 9


def test_a_class_that_divides_the_pictures_itself_is_known_by_its_parameters() -> None:
    assert pictures.splits(of_class(Split), "C1")
    assert pictures.splits(of_class(lambda path, val_ratio: None), "C1")
    assert not pictures.splits(of_class(ByName), "C1")


def test_a_batch_is_a_pair_of_arrays() -> None:
    one, two = pictures.pair(([1, 2], (3, 4)))
    assert one.tolist() == [1, 2]
    assert two.tolist() == [3, 4]


@pytest.mark.parametrize("batch", [np.zeros((2, 4)), [1], (1, 2, 3), None, {"x": 1, "y": 2}])
def test_what_is_no_pair_is_called_so(batch: Any) -> None:
    with pytest.raises(TypeError, match="not two tensors"):
        pictures.pair(batch)


def test_a_number_that_equals_everything_is_the_number_that_it_is() -> None:
    class Everything(int):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = int.__hash__

    assert pictures.keeps(Holder(size=Everything(7)), 7)
    assert not pictures.keeps(Holder(size=Everything(7)), 4)
