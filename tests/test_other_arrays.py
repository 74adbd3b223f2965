"""Arrays that are more than numbers: matrices, masked arrays and other subclasses of ndarray, objects, texts, dates."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest

import minigrad as mg
from minigrad import curvature, errors
from tests.rows import each, named

F = mg.nn.functional
X = np.array([[1.0, 2.0], [3.0, 4.0]])


class Scaled(np.ndarray):
    """Multiplies in its own way."""

    def __mul__(self, other):
        return np.multiply(np.asarray(self), 2 * np.asarray(other))


class Units(np.ndarray):
    """Answers to ufuncs, as arrays with units do."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return getattr(ufunc, method)(*[np.asarray(x) * 10 for x in inputs], **kwargs)


class Labelled(np.ndarray):
    """An ndarray with a method more."""

    def label(self):
        return "label"


with_mask = np.ma.array(X, mask=[[False, True], [False, False]])
OWN_ARITHMETIC = {
    "matrix": (X.view(np.matrix), r"a matrix, whose \* is the product of matrices: write np.asarray\(m\).* @ "),
    "masked": (
        with_mask,
        r"a MaskedArray, whose mask would be lost: write a.filled\(value\), or .*where\(mask, 0, x\)",
    ),
    "nothing masked": (np.ma.array(X), "a MaskedArray, whose mask would be lost"),
    "operators": (X.view(Scaled), r"a Scaled, a kind of array whose arithmetic is its own.*np.asarray\(a\)"),
    "ufuncs": (X.view(Units), "a Units, a kind of array whose arithmetic is its own"),
}


@each(("array", "words"), named(OWN_ARITHMETIC))
@each("use", [
    lambda a, t: mg.value_and_grad(lambda m: (m * m).sum())(a), lambda a, t: mg.jvp(np.sin, (a,), (X,)),
    lambda a, t: mg.jvp(np.sin, (X,), (a,)), lambda a, t: mg.vjp(np.sin, X)[1](a), lambda a, t: mg.jacobian(np.sin)(a),
    lambda a, t: t * a, lambda a, t: t + a, lambda a, t: t @ a, lambda a, t: t > a, lambda a, t: np.multiply(t, a),
    lambda a, t: np.where(t > 1, t, a), lambda a, t: np.concatenate([t, a]), lambda a, t: mg.tensor(a),
    lambda a, t: mg.asarray(a), lambda a, t: mg.asarray(a, copy=False),
    lambda a, t: mg.Tensor(a, requires_grad=True), lambda a, t: mg.nn.Parameter(a),
    lambda a, t: F.mse_loss(t, a), lambda a, t: F.l1_loss(a, X), lambda a, t: (t * 1).__setitem__(0, a),
    lambda a, t: (t * 1).backward(a), lambda a, t: mg.data.TensorDataset(a)[0],
    lambda a, t: mg.data.default_collate([a, a]), lambda a, t: mg.optim.minimize(lambda x: (x * x).sum(), a),
    lambda a, t: mg.optim.minimize(lambda x, d: ((x - d) ** 2).sum(), np.zeros(2), data=(a,)),
    lambda a, t: curvature.spectrum(lambda x: (x * x).sum(), a),
])  # fmt: skip
def test_arrays_with_arithmetic_of_their_own_are_refused_by_name(array, words, use):
    with pytest.raises(errors.DTypeError, match=words):
        use(array, mg.tensor(X, requires_grad=True))


def test_so_are_lists_of_them():
    rows, t = [with_mask[0], with_mask[1]], mg.tensor(X, requires_grad=True)
    for use in (lambda: t * rows, lambda: mg.tensor(rows), lambda: mg.asarray(rows), lambda: np.add(t, rows)):
        with pytest.raises(errors.DTypeError, match="a MaskedArray, whose mask would be lost"):
            use()


def test_a_matrix_on_the_left_is_refused_and_a_masked_array_there_does_not_cut_the_graph():
    t = mg.tensor(X, requires_grad=True)
    with pytest.raises(errors.DTypeError, match="a matrix"):
        X.view(np.matrix) * t
    with pytest.raises(errors.CutError):
        with_mask * t


@pytest.mark.parametrize("kind", ["labelled", "memmap", "recarray"])
def test_arrays_without_arithmetic_of_their_own_are_arrays(kind, tmp_path):
    if kind == "memmap":
        array = np.memmap(tmp_path / "numbers", dtype=float, mode="w+", shape=(2, 2))
        array[:] = X
    else:
        array = X.view(Labelled if kind == "labelled" else np.recarray)
    value, gradient = mg.value_and_grad(lambda m: (m * m).sum())(array)
    assert value == 30
    np.testing.assert_array_equal(gradient, 2 * X, strict=True)
    t = mg.tensor(X, requires_grad=True)
    (array * t + t * array).sum().backward()
    np.testing.assert_array_equal(t.grad.numpy(), 2 * X)
    assert type(mg.tensor(array).numpy()) is type(mg.asarray(array).numpy()) is np.ndarray


def test_asarray_shares_the_memory_of_a_memmap(tmp_path):
    array = np.memmap(tmp_path / "numbers", dtype=float, mode="w+", shape=3)
    t = mg.asarray(array)
    array[0] = 7
    assert t[0] == 7


NO_NUMBERS = {
    "objects": np.array([1.0, 2.0], dtype=object), "texts": np.array(["1", "2"]), "bytes": np.array([b"1", b"2"]),
    "dates": np.array(["2020-01-01"] * 2, "M8[D]"), "durations": np.array([1, 2], "m8[s]"), "void": np.zeros(2, "V8"),
    "records": np.zeros(2, [("a", float)]), "recarray": np.rec.array([(1.0,), (2.0,)], dtype=[("a", float)]),
    "characters": np.char.array(["1", "2"]), "a text": np.str_("1"), "a date": np.datetime64("2020-01-01"),
    "a duration": np.timedelta64(1, "s"), "Decimal": Decimal(2), "Fraction": Fraction(1, 2),
    "Decimals": [Decimal(1), Decimal(2)], "a dict": {"a": 1.0},
}  # fmt: skip


@each("value", named(NO_NUMBERS))
def test_what_holds_no_numbers_is_refused(value):
    t = mg.tensor([1.0, 2.0], requires_grad=True)
    uses = [
        lambda: mg.tensor(value), lambda: mg.asarray(value), lambda: t.backward(value),
        lambda: (t * 1).__setitem__(slice(None), value),
    ]  # fmt: skip
    if not isinstance(value, list | dict):
        uses += [lambda: mg.grad(np.sum)(value), lambda: mg.jacobian(lambda x: value)(1.0)]
        uses += [lambda: mg.vjp(np.sin, t)[1](value), lambda: mg.jvp(np.sin, (t,), (value,))]
    for use in uses:
        with pytest.raises(errors.DTypeError, match="number"):
            use()
    assert t.grad is None


@pytest.mark.parametrize("kind", [np.longdouble, np.clongdouble])
def test_wide_numbers_are_numbers(kind):
    third = np.ones(2, kind) / 3
    t = mg.tensor(third, requires_grad=True)
    mg.real(t * third).sum().backward()
    np.testing.assert_array_equal(t.grad.numpy(), np.conj(third), strict=True)
    gradient = mg.grad(lambda x: mg.real(x * x).sum())(third)
    np.testing.assert_array_equal(gradient, 2 * np.conj(third), strict=True)


def test_arrays_of_objects_texts_and_times_are_no_operands():
    x = np.array([1.0, 2.0])
    t, numbers = mg.tensor(x, requires_grad=True), np.array([1.0, 2.0], dtype=object)
    constant = mg.tensor(x)
    for compute in (
        lambda: t * numbers,
        lambda: numbers * t,
        lambda: constant + numbers,
        lambda: np.multiply(numbers, t),
        lambda: t @ numbers,
        lambda: np.where(True, t, numbers),
        lambda: np.concatenate([t, numbers]),
        lambda: np.timedelta64(1, "s") * t,
        lambda: t * np.array([1, 2], "m8[s]"),
        lambda: np.array([1, 2], "m8[s]") * constant,
        lambda: np.where(True, t, np.array(["1", "2"])),
        lambda: t + np.array(["1", "2"]),
    ):
        with pytest.raises(mg.errors.DTypeError):
            compute()


@pytest.mark.parametrize("kind", [np.longdouble, np.clongdouble, np.float16, np.bool_, np.int8, np.uint64])
def test_all_numbers_are_operands(kind):
    t = mg.tensor([1.0, 2.0], requires_grad=True)
    product = t * np.array([1, 1], kind)
    mg.real(product).sum().backward()
    assert t.grad.tolist() == [1.0, 1.0]
