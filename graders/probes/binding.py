"""Passing the handout's arguments to constructors whose parameters go by other names or stand in another order."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

# For each argument of a handout, the names that students and skeletons give it.
ALIASES: dict[str, tuple[str, ...]] = {
    "num_filters": (
        "filters", "n_filters", "nb_filters", "num_filter", "n_filter", "filter_num", "out_channels", "channels",
        "nf",
    ),
    "filter_size": ("kernel_size", "kernel", "size", "filters_size", "ksize", "k"),
    "strides": ("stride",),
    "padding": ("pad",),
    "activation": ("nonlinearity", "non_linearity", "act", "activation_fn", "activation_function", "nonlinear"),
    "num_units": ("units", "n_units", "num_unit", "out_features", "output_units", "num_outputs"),
    "n_resnet": ("num_resnet", "n_resnets", "num_resnets", "resnets", "n_gated_resnet"),
    "n_filters": ("num_filters", "filters", "n_filter", "nb_filters", "num_filter"),
    "n_block": ("n_blocks", "num_block", "num_blocks", "blocks"),
    "n_output": ("n_outputs", "num_output", "num_outputs", "n_out", "out_channels", "output_channels"),
    "kernel": ("kernel_size", "filter_size", "ksize", "k", "kernel_width"),
    "num_colours": (
        "num_colors", "n_colours", "n_colors", "colours", "colors", "num_color", "num_colour", "nc", "num_classes",
        "out_channels", "num_out_channels", "num_outputs",
    ),
    "num_in_channels": (
        "in_channels", "n_in_channels", "num_channels", "input_channels", "num_input_channels", "nic", "channels_in",
        "num_inputs",
    ),
    "dilation": ("dilation_rate",),
    "size": ("image_size", "side", "width", "height", "input_size", "img_size"),
    "latent_dim": (
        "z_dim", "nz", "latent_size", "noise_dim", "noise_size", "dim_z", "latent", "latents", "z_size", "latent_dims",
    ),
    "lambd": ("kl_weight", "beta", "lamda", "kl_scale", "scale", "scalar", "alpha", "kl_w", "kl_lambda", "weight"),
    "optimizer": ("optim", "opt", "optimiser"),
    "batch_size": ("batch", "bs", "batchsize", "size_of_batch", "n_batch"),
    "image_dir": (
        "directory", "dir", "img_dir", "data_dir", "image_directory", "path", "folder", "root", "root_dir", "dir_path",
        "data_path", "image_path", "img_path", "image_folder", "dataset_dir", "dataset_path", "directory_path",
        "data_directory", "input_dir", "source", "file_path", "filepath", "dataset_directory",
    ),
    "in_channels": ("input_channels", "in_ch", "in_c", "c_in", "n_in", "in_filters", "channels_in", "in_features"),
    "out_channels": (
        "output_channels", "out_ch", "out_c", "c_out", "n_out", "out_filters", "channels_out", "filters",
        "num_filters", "channels",
    ),
    "downsampling": ("downsample", "down", "down_sample", "is_downsampling", "use_downsampling", "downsamp", "ds"),
    "rate": ("dropout_rate", "drop_rate", "dropout", "drop_prob", "dropout_prob", "p", "prob", "drop"),
    "num_classes": (
        "n_classes", "num_class", "n_class", "classes", "nb_classes", "class_num", "number_of_classes", "n_labels",
    ),
    "optim": ("optimizer", "opt", "optimiser"),
    "model": ("net", "network", "classifier"),
    "dataset": ("data", "ds", "test_dataset", "test_ds", "data_set", "loader", "batches"),
    "data": ("x", "images", "image", "imgs", "img", "batch", "inputs", "x_t", "samples"),
    "label": ("labels", "y", "target", "targets", "class_label"),
    "sigma": ("std", "stddev", "noise_std", "noise_sigma", "noise"),
    "sb": ("buffer", "sample_buffer", "replay_buffer", "samplebuffer"),
    "step_size": ("alpha", "step", "lr", "eta", "stepsize"),
    "noise_amp": ("noise_map", "noise_amplitude", "noise", "noise_std", "sigma", "std", "noise_scale"),
    "sample_shape": ("shape", "image_shape", "img_shape", "input_shape"),
    "max_samples": ("max_size", "capacity", "buffer_size", "max_len", "maxlen", "size"),
    "samples": ("images", "imgs", "data", "x"),
    "ids": ("labels", "label", "y", "classes"),
    "n_samples": ("n", "num_samples", "batch_size", "n_sample", "size"),
    "p_new": ("p", "new_prob", "prob_new", "reinit_prob", "reinit_freq"),
}  # fmt: skip

_FRAMEWORKS = ("builtins", "keras", "tensorflow", "torch", "tf_keras")  # where a student's own base classes end
_OPEN = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def plain(name: str) -> str:
    """Return a name without case and underscores, so that numFilters equals num_filters."""
    return name.replace("_", "").lower()


def parameters_of(constructor: Any) -> list[inspect.Parameter]:
    """Return the parameters of a class's constructor or of a function, without self.

    What a constructor passes on by `*args` or `**kwargs` is looked up in the constructors of its own base classes.
    """
    if not inspect.isclass(constructor):
        return list(inspect.signature(constructor).parameters.values())
    found: dict[str, inspect.Parameter] = {}
    for base in constructor.__mro__:
        if base.__module__.partition(".")[0] in _FRAMEWORKS:
            break
        if "__init__" not in base.__dict__:
            continue
        own = list(inspect.signature(base.__dict__["__init__"]).parameters.values())[1:]
        for parameter in own:
            found.setdefault(parameter.name, parameter)
        if not any(p.kind in _OPEN for p in own):
            break
    return list(found.values())


def argument_of(parameter: str, arguments: Sequence[str]) -> str | None:
    """Return which of the handout's arguments a parameter stands for, or None.

    >>> argument_of("nonlinearity", ["num_filters", "activation"])
    'activation'
    """
    by_name = {plain(name): name for name in arguments}
    if plain(parameter) in by_name:
        return by_name[plain(parameter)]
    for name in arguments:
        if plain(parameter) in {plain(alias) for alias in ALIASES.get(name, ())}:
            return name
    return None


def names_for(parameters: Sequence[str], order: Sequence[str]) -> dict[str, str]:
    """Return which parameter takes which of the handout's arguments: by name or alias, else by position.

    `order` is the order of the arguments in the handout. A parameter whose name says nothing takes the argument at its
    position, unless another parameter already takes that by name.

    >>> names_for(["filters", "foo"], ["num_filters", "strides"])
    {'num_filters': 'filters', 'strides': 'foo'}
    """
    taken: dict[str, str] = {}
    for parameter in parameters:
        argument = argument_of(parameter, order)
        if argument is not None and argument not in taken:
            taken[argument] = parameter
    for parameter, argument in zip(parameters, order, strict=False):
        if argument not in taken and parameter not in taken.values() and argument_of(parameter, order) is None:
            taken[argument] = parameter
    return taken


def takes(constructor: Any, argument: str) -> bool:
    """Return whether a constructor or function has a parameter for an argument of the handout."""
    named = [parameter.name for parameter in parameters_of(constructor) if parameter.kind not in _OPEN]
    return argument in names_for(named, [argument])


def translate(
    parameters: Sequence[str], order: Sequence[str], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """Return a call of a student's constructor with these parameters as the handout's arguments by name.

    Arguments that the handout does not know are left out.

    >>> translate(["filters", "kernel"], ["num_filters", "filter_size"], [4], {"kernel": 3})
    {'num_filters': 4, 'filter_size': 3}
    """
    names = [name for name in parameters if not name.startswith("*")] or list(order)
    named = {**dict(zip(names, args, strict=False)), **kwargs}
    meaning = {parameter: argument for argument, parameter in names_for(names, order).items()}
    known = {name: meaning.get(name) or argument_of(name, order) for name in named}
    return {argument: named[name] for name, argument in known.items() if argument is not None}


def call(
    constructor: Callable[..., Any],
    order: Sequence[str],
    arguments: Mapping[str, Any],
    fallback: Mapping[str, Any] | None = None,
    wished: Mapping[str, Any] | None = None,
) -> Any:
    """Call a student's constructor with the handout's arguments, whatever it calls them.

    `fallback` are values for arguments that are not passed here but have no default there; `wished` are passed wherever
    a parameter takes them. Arguments that no parameter takes go to `**kwargs` under the handout's name, or by position
    where the constructor takes `*args` alone.
    """
    parameters = {parameter.name: parameter for parameter in parameters_of(constructor)}
    kinds = {parameter.kind for parameter in parameters.values()}
    named = [name for name, p in parameters.items() if p.kind not in _OPEN]
    taken = names_for(named, order)
    required = {name for name in named if parameters[name].default is inspect.Parameter.empty}
    values = {
        **{name: value for name, value in (fallback or {}).items() if taken.get(name) in required},
        **{name: value for name, value in (wished or {}).items() if name in taken},
        **arguments,
    }
    in_order = sorted(values, key=list(order).index)
    only_args = inspect.Parameter.VAR_POSITIONAL in kinds and inspect.Parameter.VAR_KEYWORD not in kinds
    if only_args and any(argument not in taken for argument in values):
        return constructor(*(values[argument] for argument in in_order))
    positional: list[Any] = []
    keywords: dict[str, Any] = {}
    for argument in in_order:
        parameter = taken.get(argument)
        if parameter is not None and parameters[parameter].kind is inspect.Parameter.POSITIONAL_ONLY:
            positional.append(values[argument])
        else:
            keywords[parameter or argument] = values[argument]
    return constructor(*positional, **keywords)
