"""Writes training.npz: what PyTorch gives for the cases of training.py.

This needs PyTorch 2.13, installed in an environment of its own.  The test suite only reads the file that this script
wrote: ``python tests/references/make_training.py``.

The archive holds the ``numbers`` of all results in float64, as a single array, which takes less room than one for each;
and, each as the JSON of a dict, the ``shapes`` of the results, which are called ``<case>/<result>``, and the ``names``
of the entries in each optimizer's state.
"""

import json
import types
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import torch
from training import CASES, START, OptimizerCase, Parameters


def orthogonalize(gradient, coefficients, steps, eps):
    """Muon's Newton-Schulz iteration in the gradient's own dtype.

    PyTorch's torch.optim._muon._zeropower_via_newtonschulz does the same in bfloat16, whose 8 bits no other
    implementation can match to 1e-9.
    """
    a, b, c = coefficients
    X = gradient.T.clone() if gradient.size(0) > gradient.size(1) else gradient.clone()
    X /= X.norm().clamp(min=eps)
    for _ in range(steps):
        A = X @ X.T
        X = a * X + (b * A + c * (A @ A)) @ X
    return X.T if gradient.size(0) > gradient.size(1) else X


class Lion(torch.optim.Optimizer):
    """Lion, which PyTorch has not: X. Chen et al., "Symbolic discovery of optimization algorithms", NeurIPS 2023."""

    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        """The program of the paper's algorithm 2."""
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for w in group["params"]:
                if w.grad is None:
                    continue
                m = self.state[w].setdefault("exp_avg", torch.zeros_like(w))
                update = torch.sign(beta1 * m + (1 - beta1) * w.grad)
                w -= group["lr"] * (update + group["weight_decay"] * w)
                self.state[w]["exp_avg"] = beta2 * m + (1 - beta2) * w.grad


def agree(case, one, other, rtol, atol):
    """Complain if two runs of a case differ."""
    for key, value in one.items():
        if key != "names":
            np.testing.assert_allclose(other[key], value, rtol=rtol, atol=atol, err_msg=f"{case}: {key}")


def main():
    """Run all cases."""
    # PyTorch keeps steps and products of momenta in the default dtype.
    torch.set_default_dtype(torch.float64)
    warnings.simplefilter("error")
    optim = types.SimpleNamespace(**vars(torch.optim), Lion=Lion)
    archive, names = {}, {}
    for name, case in CASES.items():
        result = case.run(torch, optim)
        if isinstance(case, OptimizerCase):
            # A path that magnifies roundings is no reference for another implementation.
            near = Parameters(*(array * (1 + 2e-15) for array in START))
            agree(name, result, case.run(torch, optim, start=near), 1e-10, 1e-13)
            agree(name, result, case.run(torch, optim, resumed=True), 1e-12, 1e-14)
            names[name] = result.pop("names")
        archive.update({f"{name}/{key}": value for key, value in result.items()})
    np.savez_compressed(
        Path(__file__).with_name("training.npz"),
        numbers=np.concatenate([array.ravel() for array in archive.values()]),
        shapes=json.dumps({key: array.shape for key, array in archive.items()}),
        names=json.dumps(names),
    )


if __name__ == "__main__":
    with mock.patch("torch.optim._muon._zeropower_via_newtonschulz", orthogonalize):
        main()
