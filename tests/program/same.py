"""Whether numbers are the same to the last bit."""

import numpy as np

import minigrad as mg


def values(tree):
    """The arrays and numbers in a tree of Tensors, arrays and numbers."""
    leaves = mg.tree.flatten(tree)[0]
    return [np.asarray(x.detach().numpy() if isinstance(x, mg.Tensor) else x) for x in leaves]


def assert_same_bits(found, expected):
    """Trees of one form, with the same dtypes, shapes and bits."""
    found, expected = values(found), values(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert (a.dtype, a.shape) == (b.dtype, b.shape)
        assert a.tobytes() == b.tobytes(), f"they differ by up to {np.max(np.abs(a - b))}"


def other_numbers(x, how):
    """Other numbers of the same shape and dtype: "smaller" ones, or the same ones "elsewhere"."""
    if how == "elsewhere":
        return np.roll(x.ravel(), 1).reshape(x.shape)
    return x * x.dtype.type(0.9375) if x.dtype.kind == "f" else x


def weights(x):
    """Numbers by which results are weighed, all different."""
    return np.cos(1 + np.arange(x.size)).reshape(x.shape).astype(x.dtype)
