"""Does the suite see mistakes?  Each of these is made in a copy of the package, and the tests must fail there.

``python tests/mutations.py`` tries all of them, two at a time, and says which test found each; with words, those of
which the file or the reason has one of the words: ``python tests/mutations.py fft kink``.  A copy is tested by the
tests of the operation first, then by all that are near, and by the whole suite only if those find nothing; ``--all``
takes the whole suite at once.  The exit status is 1 if a mistake was not found, or cannot be made since the text is no
longer there.
"""

import argparse
import os
import queue
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
COPIED = ("minigrad", "tests", "docs", "examples", "conftest.py", "pytest_minigrad.py", "pyproject.toml", "README.md")


class Mutation(NamedTuple):
    """A text that stands in a file once, what to write instead, and what is wrong then, after a word of its tests."""

    file: str
    old: str
    new: str
    why: str


MUTATIONS = [
    Mutation(f"minigrad/{file}", old, new, why)
    for file, *rows in (
        (
            "ops/elementwise.py",
            ("1 - np.square(y)", "1 + np.square(y)", "tanh: a sign"),
            ("y * _LOG_2", "y * (1.001 * _LOG_2)", "exp2: a factor of 1.001"),
            ("np.sqrt(x - 1), np.sqrt(x + 1)", "np.sqrt(x + 1), np.sqrt(x + 1)", "acosh: another function"),
            (
                '-g, kind="elementwise")\ndef lead',
                'g, kind="elementwise")\ndef lead',
                "logaddexp: the second derivative",
            ),
            ("np.conjugate(x), y)", "x, y)", "abs: no conjugate of a complex number"),
            ("g * -1j", "g * 1j", "imag: a conjugate too much"),
            ("np.sign(x))\n\n\n@", "np.where(x < 0, -1.0, 1.0))\n\n\n@", "abs: the kink at 0"),
            ("np.where(ties, g / 2, g)", "np.where(ties, g, g)", "maximum: a kink, all of the gradient to both"),
            ("np.isfinite(y), 1, a)", "np.isfinite(y), 0.5, a)", "pow: the exponent at the kink 0**0"),
            ("np.where(condition, 0, g)", "g", "where: the gradient of what was not chosen"),
            (
                "selected(g, (x == y) | (x != x))",
                "selected(g, (x == x) | (x != x))",
                "clip: the gradient beyond the bounds",
            ),
        ),
        (
            "ops/kept_zeros.py",
            ("np.where(length == 0, np.inf, length)", "np.where(length == 0, np.nan, length)", "norm: the kink at 0"),
            ("product.dtype.type(0), product)", "product, product)", "masked: NaN where nothing is selected"),
        ),
        (
            "ops/reductions.py",
            ("g) / _count(x.shape, axis), x", "g) / (_count(x.shape, axis) + 1), x", "mean: the number of elements"),
            ("2 / _degrees(", "2.002 / _degrees(", "var: a factor of 1.001"),
            (" / np.sum(attain, axis=axis, keepdims=True)", "", "max: equal elements do not share"),
            ("g - total", "g + total", "softmax: a sign"),
            (
                "np.flip(np.cumsum(np.flip(g, axis=axis), axis=axis), axis=axis)",
                "np.cumsum(g, axis=axis)",
                "cumulative_sum: from the wrong end",
            ),
        ),
        (
            "ops/indexing.py",
            ("            return True\n", "            return False\n", "getitem: repeated indices count once"),
            ("_setitem(g, 0, *places, index=index)", "g", "setitem: the gradient of what was overwritten"),
        ),
        ("ops/sorting.py", ("slice(k))]", "slice(1, k + 1))]", "topk: the elements next to those that are chosen")),
        (
            "ops/linalg.py",
            ("np.matmul(g, np.swapaxes(b, -1, -2))", "np.matmul(g, b)", "matmul: no transpose"),
            (
                "a.ndim == 1 and b.ndim == 1:\n        return g * a",
                "a.ndim == 1 and b.ndim == 1:\n        return a",
                "matmul: the gradient of a vector",
            ),
        ),
        (
            "ops/solving.py",
            ("-(gb @ T(y))", "gb @ T(y)", "solve: a sign"),
            ("T(inverse(x)), along", "inverse(x), along", "slogdet: no transpose"),
        ),
        (
            "ops/decompositions.py",
            ("half / 2, np.tril(half)", "half, np.tril(half)", "cholesky: the diagonal twice"),
            ("turned = conjugated(V)", "turned = V", "eigh: no conjugate of a complex matrix"),
        ),
        (
            "ops/fft.py",
            ("(k == 0) | (2 * k == n)", "(k == 0)", "rfft: the highest frequency twice"),
            ("half = np.conjugate(g)", "half = g", "rfft: no conjugate"),
        ),
        (
            "ops/windows.py",
            ("convolve_weight(x, g,", "1.001 * convolve_weight(x, g,", "convolve: a factor of 1.001"),
            ("convolve_weight(h, g,", "-convolve_weight(h, g,", "convolve: the second derivative"),
            ("g = selected(g, ~here)", "pass", "largest: a kink, equal elements share nothing"),
        ),
        (
            "nn/normalization.py",
            (" - y * _mean_product(g, y, axes)", "", "standardized: the derivative of the deviation"),
            ("axes, correction=1), momentum)", "axes), momentum)", "batch_norm: the running variance"),
            ("return narrowed(y, x)", "return y", "half_precision: the dtype of normalization"),
        ),
        ("nn/losses/regression.py", ("0.5 * slope)", "0.5005 * slope)", "huber_loss: a factor of 1.001")),
        (
            "nn/losses/classification.py",
            ("[places] -= 1", "[places] -= 1.001", "cross_entropy: what is taken from the label"),
            ("_bounded_log(1 - p) - _bounded_log(p)", "0 * p", "binary_cross_entropy: the rule of the target"),
        ),
        ("nn/activation.py", ("selected(g, y != 0)", "selected(g, x >= 0)", "relu: the kink at 0")),
        (
            "gradients.py",
            ("np.sum(part, axis=spread)", "np.mean(part, axis=spread)", "engine: no sum over what was broadcast"),
            ("possible.astype(value.dtype)", "possible", "engine: the dtype of a gradient"),
        ),
        (
            "core/backprop.py",
            ("made.ours and part is not g", "made.ours", "engine: gradients are added into an array that others have"),
            ("return g if alone and _is_own(g)", "return g if _is_own(g)", "engine: gradients share memory"),
            ("is None else answer", "is None else handle", "engine: what a hook returns is ignored"),
            (
                "                node.inputs = node.args = receipt\n            for",
                "                pass\n            for",
                "engine: a graph is not released",
            ),
        ),
        ("core/apply.py", ("node_a = node_b = None", "pass", "engine: operators record with no_grad")),
        ("writes.py", ("copies[i] = x.copy()", "copies[i] = x", "engine: constants are not copied")),
        ("settings.py", ("remaining = True, mode.outer", "remaining = False, mode", "engine: the end of no_grad")),
        ("autograd.py", ("iadd(g, notes.grad.array)", "g", "engine: a second backward pass does not add")),
        ("optim/optimizer.py", ('options["lr"] * decay', "decay", "AdamW: weight decay without the rate")),
        (
            "optim/adam.py",
            ('root(1 - beta2 ** state["step"])', "1.0", "Adam: no correction of the bias"),
        ),
        ("optim/sgd.py", ('1 - options["dampening"]', "1.0", "SGD: no dampening")),
        (
            "optim/lr_scheduler.py",
            ("step / self.T_max)) / 2", "step / self.T_max)) / 2.002", "CosineAnnealingLR: a factor of 1.001"),
            ("step / period", "(step + 1) / period", "CosineAnnealingWarmRestarts: one step ahead"),
        ),
    )
    for old, new, why in rows
]

# What is likely to find a mistake in a file or folder.
NEAR = {
    "minigrad/ops/": ["tests/test_ops.py", "tests/ops"],
    "minigrad/nn/": ["tests/test_ops.py", "tests/nn", "tests/test_layer_references.py"],
    "minigrad/optim/": ["tests/test_training_references.py", "tests/test_optim.py", "tests/test_schedules.py"],
    "minigrad/": ["tests/test_autograd.py", "tests/core", "tests/nn/test_hooks.py", "tests/test_tensor.py"],
}
NO_TESTS = 5  # the status of pytest when none was selected


def places(mutation):
    """How often the text stands in its file."""
    return (ROOT / mutation.file).read_text(encoding="utf-8").count(mutation.old)


def copy_to(folder):
    """A copy of all that the tests need."""
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def first_failure(folder, tests):
    """The first test that fails in a copy, or nothing."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if ran.returncode in (0, NO_TESTS):
        return ""
    found = [line for line in ran.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    return found[0] if found else f"pytest ended with status {ran.returncode}: {(ran.stdout + ran.stderr)[-300:]}"


def finding(mutation, folder, everything):
    """The first test that fails with a mistake; the copy is put right again."""
    file = folder / mutation.file
    right = file.read_text(encoding="utf-8")
    near = next(tests for start, tests in NEAR.items() if mutation.file.startswith(start))
    stages = [[*near, "-k", mutation.why.partition(":")[0]], near, ["-n", "2"]]
    file.write_text(right.replace(mutation.old, mutation.new), encoding="utf-8")
    try:
        found = (first_failure(folder, tests) for tests in stages[-1 if everything else 0 :])
        return next(filter(None, found), "")
    finally:
        file.write_text(right, encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("words", nargs="*", help="only mistakes whose file or reason has one of these words")
    parser.add_argument("--all", action="store_true", help="the whole suite for each mistake")
    given = parser.parse_args()
    chosen = [
        mutation
        for mutation in MUTATIONS
        if not given.words or any(word in f"{mutation.file} {mutation.why}" for word in given.words)
    ]
    caught = 0
    with tempfile.TemporaryDirectory() as work, ThreadPoolExecutor(2) as pool:
        free = queue.SimpleQueue()
        for number in range(2):
            (Path(work) / str(number)).mkdir()
            free.put(copy_to(Path(work) / str(number)))

        def attempt(mutation):
            if places(mutation) != 1:
                return False, f"its text is there {places(mutation)} times: {mutation.old!r}"
            folder = free.get()
            try:
                found = finding(mutation, folder, given.all)
            finally:
                free.put(folder)
            return bool(found), found

        for mutation, (is_caught, said) in zip(chosen, pool.map(attempt, chosen), strict=True):
            print(f"{'caught' if is_caught else 'NOT CAUGHT'}: {mutation.why} ({mutation.file}): {said}", flush=True)
            caught += is_caught
    print(f"{caught} of {len(chosen)} caught")
    return caught < len(chosen)


if __name__ == "__main__":
    sys.exit(main())
