"""Samples put together to a batch."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.errors import DTypeError, ShapeError
from minigrad.errors.files import no_batch
from minigrad.ops import shaping
from minigrad.tensor import Tensor


def default_collate(batch: Sequence[Any]) -> Any:
    """Samples of one form as one sample of that form, with a new first axis.

    Tensors, arrays and numbers become Tensors; texts become lists; dicts stay dicts, and tuples and lists become lists
    of what their entries become, as in PyTorch.

    Raises
    ------
    ShapeError
        If Tensors differ in shape, or lists in length: pad them, or give the loader a `collate_fn` that does.
    DTypeError
        If there is something else in a sample.

    Examples
    --------
    >>> import minigrad as mg
    >>> mg.data.default_collate([{"x": 1.5, "name": "a"}, {"x": 2.5, "name": "b"}])
    {'x': tensor([1.5, 2.5]), 'name': ['a', 'b']}
    """
    first = batch[0]
    if isinstance(first, (str, bytes)):  # NumPy's too
        return list(batch)
    if isinstance(first, (Tensor, np.ndarray, np.generic)):
        shapes = {np.shape(x) for x in batch}
        if len(shapes) > 1:
            raise no_batch(shapes)
        return shaping.stack([x if isinstance(x, Tensor) else Tensor(x) for x in batch])
    if isinstance(first, (bool, int, float, complex)):
        return Tensor(list(batch))
    if isinstance(first, Mapping):
        return {key: default_collate([sample[key] for sample in batch]) for key in first}
    if isinstance(first, Sequence):
        if len({len(sample) for sample in batch}) > 1:
            raise ShapeError("samples that are lists of different lengths do not make a batch: give a collate_fn")
        columns = [default_collate(column) for column in zip(*batch, strict=True)]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise DTypeError(
        f"samples of type {type(first).__name__} do not make a batch: they must consist of Tensors, arrays, numbers, "
        "texts, dicts, lists and tuples, or the DataLoader needs a collate_fn"
    )


def default_convert(sample: Any) -> Any:
    """A sample with its arrays as Tensors, for loaders that make no batches.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.data.default_convert({"x": np.ones(2), "n": 3})
    {'x': tensor([1., 1.]), 'n': 3}
    """
    if isinstance(sample, (np.ndarray, np.generic)) and not isinstance(sample, (str, bytes)):
        return Tensor(sample)
    if isinstance(sample, Mapping):
        return {key: default_convert(value) for key, value in sample.items()}
    if isinstance(sample, (tuple, list)):
        parts = [default_convert(value) for value in sample]
        return type(sample)(*parts) if hasattr(sample, "_fields") else type(sample)(parts)
    return sample
