"""What modules say of inputs, of parts that cannot be found, and of states that do not fit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.errors import DTypeError, IndexingError, MinigradError, Part, ShapeError, StateDictError
from minigrad.errors.words import nearest, warn

# Where in a model


def note_module(error: MinigradError, module: Any) -> None:
    """Note on an exception which module it came out of: called for one after another, from the innermost."""
    before = error.part
    if before is None:
        words = f"{type(module).__name__}({module.extra_repr()})"
        error.part = Part(id(module), "", words, f"in {words}")
    else:
        path = next((path for path, part in module.named_modules() if id(part) == before.module), "")
        if not path:
            return
        path = f"{path}.{before.path}" if before.path else path
        note = f"in {before.innermost}, which is {path!r} of {type(module).__name__}"
        error.__notes__.remove(before.note)
        error.part = Part(id(module), path, before.innermost, note)
    error.add_note(error.part.note)


# Parts


def no_init(module: Any) -> AttributeError:
    """For a module whose class has its own __init__ and does not call that of Module."""
    name = type(module).__name__
    return AttributeError(
        f"{name} has no place for parameters and modules yet: call super().__init__() in {name}.__init__ before parts "
        "are assigned"
    )


def no_forward(module: Any) -> NotImplementedError:
    """For a call of a module that does not say what it computes."""
    name = type(module).__name__
    own = [key for key, value in vars(type(module)).items() if callable(value) and not key.startswith("__")]
    near = nearest("forward", own, cutoff=0.6)
    meant = f" (is {near} meant to be it?)" if near else ""
    return NotImplementedError(
        f"{name} defines no forward(), which says what a call of it computes: write `def forward(self, x)`{meant}"
    )


def not_a_module(name: str, number: int, given: Any) -> DTypeError:
    """For something else in a list of modules."""
    what, instead = f"a {type(given).__name__}", "give a Module, or write one whose forward() does what you want"
    if isinstance(given, type):
        what, instead = f"the class {given.__name__}", f"make a layer of it, as in nn.{given.__name__}()"
    elif isinstance(given, (list, tuple)):
        instead = f"write nn.{name}(*layers)" if name == "Sequential" else f"write nn.{name}([*first, *second])"
    return DTypeError(f"item {number} of {name} must be a Module, and this is {what}: {instead}")


def mode_assigned(module: Any, name: str, value: bool) -> AttributeError:
    """For train and eval, which are methods, written over."""
    training = value if name == "train" else not value
    return AttributeError(
        f"{type(module).__name__}.{name} is a method, and to assign {value} to it would change no mode: write "
        f"model.{'train' if training else 'eval'}()"
    )


def warn_of_hidden_parts(module: Any, name: str, value: Any, kind: str) -> None:
    """For modules in a plain list or dict, and leaves that are no Parameters: `parameters` does not find them."""
    where = f"{type(module).__name__}.{name}"
    if kind == "Tensor":
        warn(
            f"{where} is a Tensor that requires grad and no Parameter, so that parameters() does not find it, and it "
            "will be neither trained nor saved: write nn.Parameter(...), or register_buffer for what is not trained"
        )
    else:
        of = type(value).__name__
        warn(
            f"{where} is a plain {of} of {kind}s, which parameters() does not look into, so that they will be neither "
            f"trained nor saved: write nn.{kind}{of.capitalize()}(...); if that is meant, keep them in a tuple"
        )


# Inputs


def other_features(given: tuple[int, ...], weight: tuple[int, ...], bias: Any) -> ShapeError:
    """For a linear map of vectors of another length."""
    what = f"linear: an input of shape {given} does not fit a weight of shape {weight}"
    if bias is not None:
        what += f" and a bias of shape {np.shape(bias)}"
    remedy = "reshape the input"
    if given and given[-1] != weight[-1]:
        remedy = f"make the layer with in_features={given[-1]}, or reshape the input"
        if np.prod(given[1:], dtype=int) == weight[-1]:
            remedy = "flatten the input, with nn.Flatten() or x.reshape(len(x), -1)"
    elif given:
        remedy = f"a bias for this weight has the shape {weight[:-1]}"
    return ShapeError(f"{what}: the input's last axis must be as long as the weight's; {remedy}")


def other_channels(name: str, weight: tuple[int, ...], groups: int, given: tuple[int, ...], axes: str) -> ShapeError:
    """For a convolution of an input with another number of channels; `axes` are the weight's, in words."""
    return ShapeError(
        f"{name}: a weight of shape {weight} in {groups} group(s) does not fit an input of shape {given}: a weight has "
        f"the axes ({axes}, kernel ...), and the input has {given[1]} channels, on axis 1. Make the layer with "
        f"in_channels={given[1]}, or bring the channels to axis 1, as in moveaxis(x, -1, 1)"
    )


def other_axes(name: str, given: tuple[int, ...], axes: int) -> ShapeError:
    """For an input of a layer for images and the like that has too few or too many axes."""
    lengths = ", ".join(["d1", "d2", "d3"][:axes])
    remedy = "add the axis of the channels, as in x[:, None]" if len(given) <= axes + 1 else "reshape it"
    if len(given) == axes:
        remedy = "add the axis of the channels, as in x[None]"
    return ShapeError(f"{name}: the input must have shape (N, C, {lengths}) or (C, {lengths}), not {given}: {remedy}")


def no_window(
    name: str, lengths: Sequence[int], padded: Sequence[int], kernel: Sequence[int], dilation: Sequence[int]
) -> ShapeError:
    """For an input that is smaller than the kernel."""
    spans = tuple(d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True))
    return ShapeError(
        f"{name}: not one window fits: a kernel of size {tuple(kernel)} with dilation {tuple(dilation)} is {spans} "
        f"elements wide, and axes of lengths {tuple(lengths)} have {tuple(padded)} with their padding: make the kernel "
        "smaller, pad the input, or take out a pooling before"
    )


def one_value(name: str, given: tuple[int, ...]) -> ShapeError:
    """For statistics of a single value for each channel."""
    return ShapeError(
        f"{name}: in training each channel needs more than one value, not shape {given}: give it larger batches (a "
        "DataLoader leaves out a last one of a single sample with drop_last=True), or call eval() on the model to use "
        "the running statistics"
    )


def indices_not_integers(name: str, dtype: Any) -> DTypeError:
    """For rows of a table that are chosen by floating-point numbers."""
    return DTypeError(f"{name}: indices must be integers, not {dtype}: convert them, as in indices.astype(int)")


def no_such_row(name: str, index: Any, rows: int) -> IndexingError:
    """For a row that a table does not have."""
    return IndexingError(
        f"{name}: index {index} is not one of the rows 0 to {rows - 1}: count from 0, or make the table longer "
        "(num_embeddings)"
    )


# States


def not_a_state(module: Any, given: Any) -> DTypeError:
    """For something else than a dict in the place of a state_dict."""
    instead = "its state_dict()" if hasattr(given, "state_dict") else "minigrad.load(path)"
    return DTypeError(
        f"{type(module).__name__}.load_state_dict takes a dict of arrays by their paths, and this is a "
        f"{type(given).__name__}: give it {instead}"
    )


def state_does_not_fit(
    module: Any, missing: Iterable[str], unexpected: Iterable[str], others: Sequence[str]
) -> StateDictError:
    """For a state_dict with other keys, shapes or dtypes: all of them, and what may have happened."""
    missing, unexpected = list(missing), list(unexpected)
    lines = [f"the state_dict does not fit {type(module).__name__}:"]
    lines += [f"missing: {', '.join(missing)}"] if missing else []
    lines += [f"unexpected: {', '.join(unexpected)}"] if unexpected else []
    return StateDictError("\n  ".join([*lines, *others, _likely(missing, unexpected, others)]))


def _likely(missing: Sequence[str], unexpected: Sequence[str], others: Sequence[str]) -> str:
    """What the differences between two sets of keys come from, and what to do."""
    for name in missing[:1]:
        for other in unexpected:
            if other.endswith(f".{name}"):
                return f"Some keys begin with {other.removesuffix(name)!r}: take that off with str.removeprefix"
            if name.endswith(f".{other}"):
                return f"Some keys lack {name.removesuffix(other)!r}: load the state into that part of the model"
    if others:
        return "Nothing was loaded. Build the model with the sizes with which it was saved"
    return "Nothing was loaded. Build the model as it was saved, or load what fits with strict=False"


def no_such_path(module: Any, path: str, paths: Mapping[str, Any]) -> StateDictError:
    """For a parameter of `functional_call` that the module does not have."""
    near = nearest(path, paths)
    return StateDictError(
        f"functional_call: {type(module).__name__} has no parameter or buffer {path!r}"
        + (f"; did you mean {near!r}?" if near else "; it has " + ", ".join(paths))
    )
