"""Complex numbers against PyTorch's: references/complex.py has the expressions, and complex.npz what PyTorch gave."""

import json
import re
from pathlib import Path

import numpy as np

import minigrad as mg
from tests.references.complex import EXPRESSIONS, Framework, run
from tests.rows import each

with np.load(Path(__file__).parent / "references" / "complex.npz") as _archive:
    NUMBERS, INDEX = _archive["numbers"], json.loads(_archive["index"].tobytes())


def _kept():
    """The arrays that the archive holds, by expression and name."""
    start, found = 0, {}
    for expression, results in INDEX.items():
        found[expression] = {}
        for name, (kind, shape) in results.items():
            part = NUMBERS[start : start + int(np.prod(shape, dtype=int))].reshape(shape)
            found[expression][name] = part if kind == "c" else part.real
            start += part.size
    return found


KEPT = _kept()
MINIGRAD = Framework(
    {name: getattr(mg, name) for name in mg.__all__},
    leaf=lambda array: mg.tensor(array, requires_grad=True),
    array=lambda x: x.numpy(),
)


# Where a length is 0 its second derivative is infinite: PyTorch has 0 for absolute values of complex numbers (and NaN
# for norms), and NaN is right, as the square's would be 0 as well.
UNDEFINED = {("abs(e)", "second gradient of e"): [0]}


def first_function(expression):
    called = re.search(r"(\w+)\(", expression)
    return called[1] if called else "operators"


@each("expression", EXPRESSIONS, row=first_function)
def test_agrees_with_pytorch(expression):
    results = run(expression, MINIGRAD)
    assert results.keys() == KEPT[expression].keys()
    for name, wanted in KEPT[expression].items():
        assert (results[name].dtype, results[name].shape) == (wanted.dtype, wanted.shape), name
        undefined = np.isin(np.arange(wanted.size), UNDEFINED.get((expression, name), [])).reshape(wanted.shape)
        np.testing.assert_array_equal(~np.isfinite(results[name]), undefined, err_msg=name)
        known = np.isfinite(wanted) & ~undefined  # some of PyTorch's second derivatives are NaN at a kink
        scale = np.abs(wanted[known]).max(initial=0)
        np.testing.assert_allclose(results[name][known], wanted[known], rtol=1e-12, atol=1e-12 * scale, err_msg=name)


def test_every_expression_is_compared():
    assert list(INDEX) == EXPRESSIONS
    assert len(EXPRESSIONS) == len(set(EXPRESSIONS)) > 150
    unknown = {expression for expression, results in KEPT.items() if not all(map(_finite, results.values()))}
    assert unknown == {"sign(e) * 2", "linalg.vector_norm(0 * e)"}


def _finite(x):
    return np.isfinite(x).all()
