"""Writing to what was read from a Tensor: in NumPy it reaches the array; here it does not, and a warning says so."""

import gc
import operator
import weakref

import numpy as np
import pytest

import minigrad as mg
from tests.rows import each

# Writes that NumPy would carry through to `y`, of shape (3, 4).  Each is a function of arrays and of Tensors.


def slice_added_to(y):
    v = y[1:]
    v += 1.0


def slice_of_a_slice(y):
    v = y[1:][:, ::2]
    v *= 2.0


def row_written(y):
    row = y[0]
    row[:] = 5.0


def rows_in_a_loop(y):
    for row in y:
        row[...] = 1.0


def rows_added_to_in_a_loop(y):
    for row in y:
        row += 1.0


def index_after_index(y):
    y[0][1] = 0.0


def index_after_index_added_to(y):
    y[0][1] += 3.0


def transposed(y):
    y.T[0] = 0.0


def transposed_by_numpy(y):
    np.transpose(y)[1, 1] = 0.0


def swapped(y):
    v = np.swapaxes(y, 0, 1)
    v -= 1.0


def moved(y):
    np.moveaxis(y, 0, 1)[0, 0] = 7.0


def reshaped(y):
    y.reshape(-1)[3] = 1.0


def raveled(y):
    np.ravel(y)[0] = 9.0


def flipped(y):
    np.flip(y, axis=0)[0] = 4.0


def new_axis(y):
    v = y[None]
    v /= 2.0


def squeezed(y):
    np.squeeze(y[:1])[0] = 3.0


def expanded(y):
    np.expand_dims(y, 0)[0, 0, 0] = 3.0


def split(y):
    np.split(y, 3)[1][0, 0] = 3.0


def ellipsis_only(y):
    v = y[...]
    v += 1.0


def by_a_function(y):
    operator.iadd(y[1:], 1.0)


def in_an_attribute(y):
    class Holder:
        pass

    holder = Holder()
    holder.rows = y[:2]
    holder.rows += 1.0


def in_a_comprehension(y):
    [operator.setitem(row, 0, 1.0) for row in y]


def under_no_grad(y):
    with mg.no_grad():
        v = y[1:]
        v += 1.0


LOST = [
    slice_added_to, slice_of_a_slice, row_written, rows_in_a_loop, rows_added_to_in_a_loop, index_after_index,
    index_after_index_added_to, transposed, transposed_by_numpy, swapped, moved, reshaped, raveled, flipped, new_axis,
    squeezed, expanded, split, ellipsis_only, by_a_function, in_an_attribute, in_a_comprehension, under_no_grad,
]  # fmt: skip


def kinds():
    """The kinds of Tensors that a function may write to."""
    value = np.arange(12.0).reshape(3, 4)
    x = mg.tensor(value, requires_grad=True)
    return {"constant": mg.tensor(value), "result": x * 1.0, "like": np.zeros_like(x) + value}


@each("write", LOST)
@each("kind", kinds())
def test_a_write_that_would_reach_a_numpy_array_is_warned_of(write, kind):
    array, y = np.arange(12.0).reshape(3, 4), kinds()[kind]
    write(array)
    assert array.tolist() != np.arange(12.0).reshape(3, 4).tolist()
    with pytest.warns(UserWarning, match="which is still there and does not change") as caught:
        write(y)
    assert y.tolist() == np.arange(12.0).reshape(3, 4).tolist()
    assert {w.filename for w in caught} == {__file__}


def test_the_fault_that_this_is_about():
    def f(x):
        y = np.zeros_like(x)
        v = y[1:-1]
        v += x[1:-1] ** 2
        return y.sum()

    with pytest.warns(UserWarning, match=r"y\[1:-1\] \+= v"):
        mg.value_and_grad(f)(np.arange(5.0))

    def right(x):
        y = np.zeros_like(x)
        y[1:-1] += x[1:-1] ** 2
        return y.sum()

    value, gradient = mg.value_and_grad(right)(np.arange(5.0))
    assert value == right(np.arange(5.0)) == 14.0
    assert gradient.tolist() == [0.0, 2.0, 4.0, 6.0, 0.0]


def test_a_write_to_a_slice_of_an_argument_is_warned_of():
    def f(x):
        head = x[:2]
        head *= 10.0
        return (x * x).sum()

    with pytest.warns(UserWarning, match="does not change"):
        mg.grad(f)(np.ones(3))


# Writes that mean the same in NumPy


def by_one_index(y):
    y[1:] += 1.0
    y[0, 1] = 3.0
    y[0][np.newaxis]  # read only
    y[:, ::2] *= 2.0
    return y


def copied(y):
    v = y[[0, 1]]
    v += 1.0
    mask = y > 3.0
    chosen = y[mask]
    chosen *= 0.0
    return y


def single_numbers(y):
    v = y[0, 0]
    v += 1.0
    return y


def a_new_value(y):
    v = y[1:]
    v = v + 1.0
    v += 1.0  # v is no slice any more
    return y


def the_name_moved_on(y):
    y = y * 1.0
    y = y[1:]
    y += 1.0
    y[0] = 3.0
    return y


def in_a_container(y):
    parts = [np.array(y[0]) if isinstance(y, np.ndarray) else y[0] + 0.0]
    parts[0] += 1.0
    return parts[0]


SAME = [by_one_index, copied, single_numbers, a_new_value, the_name_moved_on, in_a_container]


@each("write", SAME)
@each("kind", kinds())
def test_writes_that_mean_the_same_in_numpy_are_not_warned_of(write, kind):
    tensors, array = kinds(), np.arange(12.0).reshape(3, 4)
    tensor = tensors.pop(kind)
    del tensors
    expected = write(array.copy())
    with np.errstate(all="raise"):
        assert write(tensor).tolist() == expected.tolist()


def test_what_has_died_or_moved_on_is_not_written_to():
    y = mg.tensor(np.ones((2, 2)))
    v = y[0]
    y = y + 1.0
    v += 1.0
    w = y[0]
    y += 1.0  # the name y moves on, and w is the first row of the value before
    w += 1.0
    assert (v.tolist(), w.tolist(), y.tolist()) == ([2.0, 2.0], [3.0, 3.0], [[3.0, 3.0], [3.0, 3.0]])


# Weak references


def test_tensors_can_be_weakly_referenced():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x * 2.0
    seen = []
    references = [weakref.ref(t, seen.append) for t in (x, y)]
    assert [r() is t for r, t in zip(references, (x, y), strict=True)] == [True, True]
    assert weakref.WeakValueDictionary({"x": x})["x"] is x
    enabled = gc.isenabled()
    gc.disable()
    try:
        del y
        assert references[1]() is None
        assert seen == [references[1]]
    finally:
        if enabled:
            gc.enable()
