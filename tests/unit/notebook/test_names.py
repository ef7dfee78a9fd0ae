from __future__ import annotations

import pytest

from graders.notebook import cut_slice
from tests.unit.notebook.build import program, sources

NAMES = {
    "C1": ["CalligraphyDataset", "DataGenerator"],
    "C2": ["CalligraphyDataset", "DataGenerator"],
    "C3": ["DownRightMovedConv2d"],
    "C4": ["DownMovedConv2d"],
    "C6": ["GatedResnet", "GatedBlock"],
}


def found(*cells: str, **how: list[str]) -> dict[str, str]:
    return dict(cut_slice(program(*cells), NAMES, "C3", **how).found)


def test_the_exact_name_goes_first() -> None:
    assert found("class gatedresnet: pass\nclass GatedResnet: pass\nclass GatedBlock: pass") == {"C6": "GatedResnet"}


def test_names_are_tried_in_the_order_of_the_rubric() -> None:
    assert found("class DataGenerator: pass\nclass CalligraphyDataset: pass")["C1"] == "CalligraphyDataset"


def test_case_and_underscores_do_not_count() -> None:
    assert found("class Gated_ResNet: pass") == {"C6": "Gated_ResNet"}


def test_a_close_name_is_taken_with_a_note() -> None:
    cut = cut_slice(program("class DownRigthMovedConv2d: pass"), NAMES, "C3")
    assert cut.found == {"C3": "DownRigthMovedConv2d"}
    assert cut.notes == ("taken as C3: DownRigthMovedConv2d",)


def test_a_close_name_is_never_another_items() -> None:
    assert found("class DownMovedConv2d: pass") == {"C4": "DownMovedConv2d"}
    assert found("class down_moved_conv_2d: pass") == {"C4": "down_moved_conv_2d"}


def test_a_close_name_goes_to_the_closest_item() -> None:
    cells = "class DownMovdConv2d: pass\nclass DownRightMovdConv2d: pass"
    assert found(cells) == {"C3": "DownRightMovdConv2d", "C4": "DownMovdConv2d"}


def test_items_that_share_their_names_share_a_close_one() -> None:
    assert found("class CalligraphyDataSets: pass") == {"C1": "CalligraphyDataSets", "C2": "CalligraphyDataSets"}


def test_a_given_function_is_no_close_name() -> None:
    assert found("class GatedResnets: pass", given=["GatedResnets"]) == {}


def test_a_class_goes_before_a_variable_of_like_name() -> None:
    assert found("class GatedResnets: pass", "gated_resnet = GatedResnets(3)") == {"C6": "GatedResnets"}


def test_a_variable_will_do() -> None:
    assert found("gated_resnet = 1") == {"C6": "gated_resnet"}


def test_the_note_is_left_out_where_the_item_plays_no_part() -> None:
    cut = cut_slice(program("class GatedResnets: pass\nclass DownRightMovedConv2d: pass"), NAMES, "C3")
    assert (cut.found["C6"], cut.notes) == ("GatedResnets", ())


@pytest.mark.parametrize("name", ["Conv2d", "X", "Dataset"])
def test_far_names_are_nothing(name: str) -> None:
    assert found(f"class {name}: pass") == {}


# Answers in a file of their own --------------------------------------------------------------------------------------


def test_a_variable_of_a_file_that_nothing_imports_is_found_by_its_exact_name() -> None:
    made = program("class Net: pass", answers_py="Q1A = 2\nq1a = 1\nNet = 3", other_py="from os import sep as q1b")
    found = cut_slice(made, {"1": ("q1a",), "2": ("q1b",), "3": ("Net",)}, "1")
    assert found.found == {"1": "q1a", "3": "Net"}
    assert sources(found) == ["from answers import q1a"]
    assert found.notes == ()
    assert [one.source for one in found.modules["answers"]] == ["Q1A = 2", "q1a = 1", "Net = 3"]
