"""Writes layers.npz: what PyTorch gives for the cases of layers.py.

This needs PyTorch 2.13, installed in an environment of its own.  The test suite only reads the file that this script
wrote: ``python tests/references/make_layers.py``.

Thousands of small arrays would take more room for their headers than for their numbers, so the archive holds all
numbers in one vector, ``numbers``, equal arrays only once; and as ``index`` the JSON (its bytes) of a dict of cases.
Each has its ``results`` by name, as the kind of dtype, the shape, and where in the vector they start; the shapes of
its ``state`` dict; and the names of its ``parameters``.
"""

import json
import warnings
from pathlib import Path

import numpy as np
import torch
from layers import CASES, Framework, run


class Numbers:
    """A vector that grows."""

    def __init__(self):
        self.arrays, self.places, self.size = [], {}, 0

    def place(self, array):
        """Where in the vector the array's elements start."""
        vector = array.ravel().astype(float)
        key = vector.tobytes()
        if key not in self.places:
            self.places[key] = self.size
            self.arrays.append(vector)
            self.size += vector.size
        return self.places[key]


def load(module, values):
    """Write arrays into parameters and buffers; load_state_dict has hooks of its own for spectral_norm."""
    tensors = dict(module.named_parameters()) | dict(module.named_buffers())
    with torch.no_grad():
        for name, value in values.items():
            tensors[name].copy_(torch.from_numpy(np.asarray(value)))


TORCH = Framework(
    torch.nn,
    leaf=lambda array: torch.tensor(array, requires_grad=True),
    constant=torch.tensor,
    load=load,
)


def main():
    """Run the cases and write the archive."""
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    numbers, index = Numbers(), {}
    # The other implementations of attention are less exact.
    with torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        for name, case in CASES.items():
            try:
                results, state, parameters = run(case, TORCH)
            except Exception as error:
                error.add_note(f"in the case {name!r}")
                raise
            index[name] = {
                "results": {k: [x.dtype.kind, list(x.shape), numbers.place(x)] for k, x in results.items()},
                "state": state,
                "parameters": parameters,
            }
    path = Path(__file__).with_name("layers.npz")
    np.savez_compressed(
        path, numbers=np.concatenate(numbers.arrays), index=np.frombuffer(json.dumps(index).encode(), np.uint8)
    )
    print(f"{len(index)} cases, {numbers.size} numbers, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
