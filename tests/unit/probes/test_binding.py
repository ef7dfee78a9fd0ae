from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.probes import binding

CONVOLUTION = ("num_filters", "filter_size", "strides", "padding", "activation")
MODEL = ("n_filters", "n_resnet", "n_block", "n_output")


def call(function: Any, order: tuple[str, ...] = CONVOLUTION, fallback: dict | None = None, **arguments: Any) -> Any:
    return binding.call(function, order, arguments, fallback)


# Names ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", ["num_filters", "numFilters", "NUM_FILTERS", "_num_filters", "NumFilters"])
def test_case_and_underscores_do_not_matter(spelling: str) -> None:
    assert binding.argument_of(spelling, CONVOLUTION) == "num_filters"


@pytest.mark.parametrize(
    ("argument", "alias"), [(argument, alias) for argument, names in binding.ALIASES.items() for alias in names]
)
def test_every_alias_stands_for_its_argument_where_the_handout_has_no_argument_of_that_name(
    argument: str, alias: str
) -> None:
    assert binding.argument_of(alias, [argument]) == argument


def test_a_name_that_is_one_of_the_handouts_own_stands_for_that_not_for_what_it_is_an_alias_of() -> None:
    assert binding.argument_of("n_filters", ["num_filters", "n_filters"]) == "n_filters"
    assert binding.names_for(["n_filters", "n_resnet"], MODEL) == {"n_filters": "n_filters", "n_resnet": "n_resnet"}


def test_a_name_that_says_nothing_stands_for_nothing_by_itself() -> None:
    assert binding.argument_of("foo", CONVOLUTION) is None


def test_parameters_without_a_known_name_take_the_argument_at_their_place() -> None:
    assert binding.names_for(["a", "b", "c"], CONVOLUTION) == {"num_filters": "a", "filter_size": "b", "strides": "c"}


def test_a_known_name_counts_more_than_the_place() -> None:
    assert binding.names_for(["kernel", "filters"], CONVOLUTION) == {"filter_size": "kernel", "num_filters": "filters"}


def test_a_place_whose_argument_another_parameter_takes_by_name_is_left_alone() -> None:
    assert binding.names_for(["foo", "filters"], CONVOLUTION) == {"num_filters": "filters"}


def test_of_two_parameters_of_one_meaning_the_first_takes_the_argument() -> None:
    assert binding.names_for(["filters", "channels"], CONVOLUTION)["num_filters"] == "filters"


@given(st.permutations(MODEL))
def test_the_order_of_parameters_with_known_names_does_not_matter(parameters: list[str]) -> None:
    assert binding.names_for(parameters, MODEL) == {name: name for name in MODEL}


known = [*CONVOLUTION, "filters", "kernel_size", "nonlinearity", "foo", "bar", "x1"]


@given(st.lists(st.sampled_from(known), unique=True, max_size=7))
def test_no_parameter_takes_two_arguments_and_no_argument_goes_twice(parameters: list[str]) -> None:
    taken = binding.names_for(parameters, CONVOLUTION)
    assert set(taken) <= set(CONVOLUTION)
    assert set(taken.values()) <= set(parameters)
    assert len(set(taken.values())) == len(taken)


# Calls ---------------------------------------------------------------------------------------------------------------


def test_a_class_is_called_by_the_names_of_its_own_parameters() -> None:
    class Layer:
        def __init__(self, kernel=None, filters=None, nonlinearity=None) -> None:
            self.seen = (filters, kernel, nonlinearity)

    made = call(Layer, num_filters=4, filter_size=[2, 3], activation="tanh")
    assert made.seen == (4, [2, 3], "tanh")


def test_a_function_is_called_as_a_class_is() -> None:
    assert call(lambda kernel, filters: (filters, kernel), num_filters=4, filter_size=3) == (4, 3)


def test_a_class_without_a_constructor_of_its_own_takes_its_parents() -> None:
    class Parent:
        def __init__(self, filters) -> None:
            self.filters = filters

    class Child(Parent):
        pass

    assert call(Child, num_filters=4).filters == 4


def test_arguments_that_are_not_passed_keep_their_defaults() -> None:
    assert call(lambda filters, strides=7: (filters, strides), num_filters=4) == (4, 7)


def test_positional_only_parameters_are_passed_by_position() -> None:
    def layer(filters, kernel, /, strides=1):
        return filters, kernel, strides

    assert call(layer, filter_size=3, num_filters=4, strides=2) == (4, 3, 2)


def test_keyword_only_parameters_are_passed_by_name() -> None:
    def layer(filters, *, act=None, kernel=None):
        return filters, kernel, act

    assert call(layer, num_filters=4, activation="relu", filter_size=3) == (4, 3, "relu")


def test_keywords_catch_what_has_no_parameter_under_the_handouts_name() -> None:
    def layer(filters, **kwargs):
        return filters, kwargs

    assert call(layer, num_filters=4, filter_size=3, strides=2) == (4, {"filter_size": 3, "strides": 2})


def test_starred_arguments_alone_take_all_in_the_order_of_the_handout() -> None:
    assert call(lambda *args: args, strides=2, filter_size=3, num_filters=4) == (4, 3, 2)


def test_starred_arguments_behind_positional_only_ones_follow_them() -> None:
    def layer(filters, /, *args):
        return filters, args

    assert call(layer, strides=2, filter_size=3, num_filters=4) == (4, (3, 2))


def test_keywords_count_more_than_starred_arguments() -> None:
    def layer(filters, *args, **kwargs):
        return filters, args, kwargs

    assert call(layer, filter_size=3, num_filters=4) == (4, (), {"filter_size": 3})


def test_starred_arguments_behind_a_parameter_of_a_known_name_follow_it() -> None:
    def layer(filters, *args):
        return filters, args

    assert call(layer, filter_size=3, num_filters=4) == (4, (3,))


def test_what_a_constructor_passes_on_is_looked_up_in_the_students_own_base_class() -> None:
    class Base:
        def __init__(self, filters, kernel=2, name="base") -> None:
            self.seen = (filters, kernel, name)

    class Layer(Base):
        def __init__(self, *args, **kwargs) -> None:
            super().__init__(*args, name="layer", **kwargs)

    assert call(Layer, num_filters=4, filter_size=3).seen == (4, 3, "layer")
    assert [p.name for p in binding.parameters_of(Layer)] == ["args", "kwargs", "filters", "kernel", "name"]


def test_what_is_wished_is_passed_where_a_parameter_takes_it_default_or_not() -> None:
    wished = {"activation": "tanh"}
    order = CONVOLUTION
    assert binding.call(lambda filters, act="elu": act, order, {"num_filters": 4}, None, wished) == "tanh"
    assert binding.call(lambda filters: filters, order, {"num_filters": 4}, None, wished) == 4
    assert (
        binding.call(lambda filters, act: act, order, {"num_filters": 4, "activation": "relu"}, None, wished) == "relu"
    )


def test_an_argument_that_nothing_takes_is_the_students_error() -> None:
    with pytest.raises(TypeError, match="strides"):
        call(lambda filters: filters, num_filters=4, strides=2)


def test_a_fallback_is_passed_where_the_student_gives_no_default_and_not_elsewhere() -> None:
    assert call(lambda filters, act: (filters, act), fallback={"activation": None}, num_filters=4) == (4, None)
    assert call(lambda filters, act="elu": act, fallback={"activation": None}, num_filters=4) == "elu"
    assert call(lambda filters: filters, fallback={"activation": None}, num_filters=4) == 4


def test_an_argument_that_is_passed_counts_more_than_a_fallback() -> None:
    assert call(lambda filters, act: act, fallback={"activation": None}, num_filters=4, activation="relu") == "relu"


def test_parameters_are_those_of_the_constructor_without_self() -> None:
    class Layer:
        def __init__(self, filters, *args, act=None, **kwargs) -> None: ...

    assert [p.name for p in binding.parameters_of(Layer)] == ["filters", "args", "act", "kwargs"]
    assert [p.name for p in binding.parameters_of(lambda a, b: a)] == ["a", "b"]


# Translation ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parameters", "args", "kwargs", "expected"),
    [
        (["filters", "kernel"], [4, 3], {}, {"num_filters": 4, "filter_size": 3}),
        (["kernel", "filters"], [3, 4], {}, {"num_filters": 4, "filter_size": 3}),
        (["filters", "kernel"], [4], {"kernel": 3}, {"num_filters": 4, "filter_size": 3}),
        (["a", "b"], [4], {"b": 3}, {"num_filters": 4, "filter_size": 3}),
        ([], [4, 3], {"strides": 2}, {"num_filters": 4, "filter_size": 3, "strides": 2}),
        (["*args", "**kwargs"], [4], {"kernel_size": 3}, {"num_filters": 4, "filter_size": 3}),
        (["filters", "**kwargs"], [4], {"name": "conv"}, {"num_filters": 4}),
        (["filters", "kernel", "dilation"], [4, 3, 9], {}, {"num_filters": 4, "filter_size": 3, "strides": 9}),
    ],
)
def test_a_students_call_becomes_the_handouts_arguments(
    parameters: list[str], args: list, kwargs: dict, expected: dict
) -> None:
    assert binding.translate(parameters, CONVOLUTION, args, kwargs) == expected


@given(st.permutations(CONVOLUTION), st.integers(0, 5))
def test_translation_undoes_a_call(parameters: list[str], positional: int) -> None:
    values = {name: f"the {name}" for name in CONVOLUTION}
    args = [values[name] for name in parameters[:positional]]
    kwargs = {name: values[name] for name in parameters[positional:]}
    assert binding.translate(parameters, CONVOLUTION, args, kwargs) == values


def test_whether_an_argument_is_taken() -> None:
    def named(n_classes: int = 10) -> None: ...

    def open_ended(*args: int, **kwargs: int) -> None: ...

    def by_position(k: int) -> None: ...

    def nothing() -> None: ...

    found = [binding.takes(each, "num_classes") for each in (named, open_ended, by_position, nothing)]
    assert found == [True, False, True, False]
