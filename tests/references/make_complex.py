"""Writes complex.npz: what PyTorch gives for the expressions of complex.py.

This needs PyTorch 2.13, installed in an environment of its own.  The test suite only reads the file that this script
wrote: ``python tests/references/make_complex.py``.

The archive holds all numbers in one complex vector, ``numbers``, and as ``index`` the JSON (its bytes) of a dict of
expressions, in the order of the numbers: of each result, by name, the kind of dtype and the shape.
"""

import functools
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import torch
from complex import EXPRESSIONS, Framework, run


def mixed(function):
    """A function of PyTorch that takes operands of one dtype only, for real and complex operands together."""

    def call(*operands):
        floats = [x.dtype for x in operands if torch.is_tensor(x) and x.dtype != torch.bool]
        dtype = functools.reduce(torch.promote_types, floats)
        return function(*(x.to(dtype) if torch.is_tensor(x) and x.dtype != torch.bool else x for x in operands))

    return call


# Functions under the Array API's names, where PyTorch's are others or do less.
NAMES = {
    **vars(torch),
    **{name: mixed(getattr(torch, name)) for name in ("einsum", "matmul", "where")},
    "linalg": SimpleNamespace(**{**vars(torch.linalg), "solve": mixed(torch.linalg.solve)}),
    "vecdot": mixed(torch.linalg.vecdot),
    "permute_dims": torch.permute,
    "flip": lambda x, axis: torch.flip(x, (axis,)),
    "sign": torch.sgn,
    "cumulative_sum": torch.cumsum,
    "cumulative_prod": torch.cumprod,
}


def main():
    """Compute the expressions and write the archive."""
    torch.set_num_threads(1)
    framework = Framework(
        NAMES,
        leaf=lambda array: torch.tensor(array, requires_grad=True),
        array=lambda x: x.numpy(force=True),  # also if PyTorch has yet to conjugate it
    )
    numbers, index = [], {}
    for expression in EXPRESSIONS:
        try:
            results = run(expression, framework)
        except Exception as error:
            error.add_note(f"in the expression {expression!r}")
            raise
        index[expression] = {name: [x.dtype.kind, list(x.shape)] for name, x in results.items()}
        numbers.extend(x.ravel().astype(np.complex128) for x in results.values())
    vector = np.concatenate(numbers)
    path = Path(__file__).with_name("complex.npz")
    np.savez_compressed(path, numbers=vector, index=np.frombuffer(json.dumps(index).encode(), np.uint8))
    print(f"{len(index)} expressions, {vector.size} numbers, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
