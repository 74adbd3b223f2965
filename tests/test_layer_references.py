"""Every layer, activation, loss and function of nn against PyTorch: references/layers.py has the cases."""

import json
from pathlib import Path

import numpy as np

import minigrad as mg
from tests.references.layers import CASES, Framework, run
from tests.rows import each, first_name

with np.load(Path(__file__).parent / "references" / "layers.npz") as _archive:
    NUMBERS, INDEX = _archive["numbers"], json.loads(_archive["index"].tobytes())

MINIGRAD = Framework(
    mg.nn,
    leaf=lambda array: mg.tensor(array, requires_grad=True),
    constant=mg.tensor,
    load=lambda module, values: module.load_state_dict(values, strict=False),
)


def tolerance(name):
    """1e-9, but where PyTorch computes with a constant of single precision: 1 / 6, or 1e-12 where a logarithm ends."""
    single = name.lower().startswith("hardsigmoid") or (name.startswith(("BCELoss", "binary")) and "f5 5c" in name)
    return 1e-7 if single else 1e-9


@each("name", CASES, row=first_name)
def test_agrees_with_pytorch(name):
    expected = INDEX[name]
    results, state, parameters = run(CASES[name], MINIGRAD)
    assert state == expected["state"]
    assert parameters == expected["parameters"]
    assert results.keys() == expected["results"].keys()
    for key, (kind, shape, start) in expected["results"].items():
        assert (results[key].dtype.kind, list(results[key].shape)) == (kind, shape), key
        assert kind != "f" or results[key].dtype == np.float64, key
        wanted = NUMBERS[start : start + int(np.prod(shape, dtype=int))].reshape(shape)
        np.testing.assert_allclose(results[key], wanted, rtol=tolerance(name), atol=1e-11, err_msg=key)


def test_every_case_is_compared():
    assert set(INDEX) == set(CASES)
    assert len(INDEX) > 2000
