"""The cases that are compared with PyTorch once more: with plain arrays, and in single precision."""

import numpy as np

import minigrad as mg
from minigrad import nn
from tests.references.layers import CASES, Framework, run
from tests.rows import each, first_name
from tests.test_layer_references import INDEX, NUMBERS, tolerance

NAMES = nn.functional.__all__
FUNCTIONS = [name for name, case in CASES.items() if case.kind == "expression" and name.partition("(")[0] in NAMES]


class Watched(np.ndarray):
    """An array with the attribute that the cases ask for."""

    grad = None


class Plain:
    """The functions; they must give arrays for arrays."""

    def __getattr__(self, name):
        def call(*args, **options):
            result = getattr(nn.functional, name)(*args, **options)
            parts = result if isinstance(result, tuple) else (result,)
            assert all(isinstance(x, (np.ndarray, np.generic)) for x in parts), f"{name}: {list(map(type, parts))}"
            return result

        return call


class Functions:
    functional = Plain()


ARRAYS = Framework(Functions, leaf=lambda x: x.view(Watched), constant=np.array, load=None)


@each("name", FUNCTIONS, row=first_name)
def test_arrays_give_arrays(name):
    results, _, _ = run(CASES[name], ARRAYS)
    for key, (_, shape, start) in INDEX[name]["results"].items():
        if key.startswith("output"):
            wanted = NUMBERS[start : start + int(np.prod(shape, dtype=int))].reshape(shape)
            np.testing.assert_allclose(results[key], wanted, rtol=tolerance(name), atol=1e-11, err_msg=key)


SINGLE = Framework(
    mg.nn,
    leaf=lambda array: mg.tensor(array, dtype=np.float32, requires_grad=True),
    constant=lambda array: mg.tensor(array, dtype=np.float32 if array.dtype == float else None),
    load=lambda module, values: module.astype(np.float32).load_state_dict(values, strict=False),
)
# Of the cases that differ in shapes and numbers alone, one.
KINDS = {}
for _name, _case in CASES.items():
    if _case.kind in ("module", "expression") and _case.inputs:
        KINDS.setdefault("".join(c for c in _name.partition(") ")[0] if not c.isdigit()), _name)


@each("name", KINDS.values(), row=first_name)
def test_single_precision_stays_single(name):
    results, _, _ = run(CASES[name], SINGLE)
    # Where there is no gradient, zeros stand for it.
    wrong = [key for key, x in results.items() if x.dtype == np.float64 and (x.any() or "gradient" not in key)]
    assert not wrong
