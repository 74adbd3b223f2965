"""Programs in the idiom of HIPS autograd, with their import lines changed, give the figures that autograd gave."""

import json
from pathlib import Path

import numpy as np
import pytest

from minigrad import hips
from minigrad.errors import GradcheckError, UnsupportedError
from minigrad.hips.extend import defvjp, defvjp_argnum, primitive
from minigrad.hips.scipy import signal
from minigrad.hips.test_util import check_grads
from tests.references.hips_programs import PROGRAMS

STORED = json.loads((Path(__file__).parent / "references" / "hips.json").read_text(encoding="utf-8"))
WITH_SCIPY = ("minimised by SciPy", "densities", "a neural network")


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_of_autograd(name):
    if name in WITH_SCIPY:
        pytest.importorskip("scipy")
    scope = {}
    exec(compile(PROGRAMS[name].replace("ROOT", "minigrad.hips"), name, "exec"), scope)
    found = scope["result"]
    assert len(found) == len(STORED[name])
    for ours, theirs in zip(found, STORED[name], strict=True):
        np.testing.assert_allclose(np.asarray(ours), theirs, rtol=1e-9, atol=1e-12)


def test_an_operation_without_its_derivative():
    @primitive
    def half(x):
        return x / 2

    assert half(3.0) == 1.5
    with pytest.raises(UnsupportedError, match=r"half has no derivative by its argument 0: give it by defvjp\(half"):
        hips.grad(half)(3.0)
    defvjp(half, lambda ans, x: lambda g: g / 2)
    assert hips.grad(half)(3.0) == 0.5
    assert hips.grad(hips.grad(lambda x: half(x) ** 2))(3.0) == 0.5

    @primitive
    def product(x, y, names):
        return x * y * len(names)

    defvjp_argnum(product, lambda argnum, ans, args, kwargs: lambda g: g * args[1 - argnum] * len(args[2]))
    assert hips.grad(lambda x: product(x, x, ["a", "b"]))(3.0) == 12
    check_grads(lambda x, y: product(x, y, "abc"))(1.5, -2.0)


def test_gradients_may_be_arrays_that_belong_to_others():
    kept = np.array([1.0, 2.0])

    @primitive
    def weighed(x):
        return x @ kept

    defvjp(weighed, lambda ans, x: lambda g: kept)
    f = lambda x: weighed(x) + weighed(x) + weighed(x) + np.sum(x)  # noqa: E731
    for _ in range(2):
        assert hips.grad(f)(np.zeros(2)).tolist() == [4.0, 7.0]
    assert kept.tolist() == [1.0, 2.0]


def test_checks_find_wrong_derivatives():
    @primitive
    def wrong(x):
        return x**2

    defvjp(wrong, lambda ans, x: lambda g: g * x)
    with pytest.raises(GradcheckError):
        check_grads(wrong)(2.0)
    with pytest.raises(ValueError, match="orders 1 and 2"):
        check_grads(np.sin, order=3)


def test_convolutions_that_are_none():
    with pytest.raises(ValueError, match="neither is the larger one along all axes"):
        signal.convolve(np.ones((3, 2)), np.ones((2, 3)), mode="valid")
    with pytest.raises(ValueError, match="mode"):
        signal.convolve(np.ones(3), np.ones(2), mode="same")


def test_vectors_of_dicts_are_in_the_order_of_their_keys():
    vector, unflatten = hips.misc.flatten.flatten({"b": [1.0], "a": [0.0, np.ones(2)]})
    assert vector.tolist() == [0.0, 1.0, 1.0, 1.0]
    assert unflatten(vector * 2)["b"][0] == 2.0
    empty, back = hips.misc.flatten.flatten([])
    assert back(empty) == []
