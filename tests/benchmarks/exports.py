"""What leaves: how near C is to Python, how quick and how large it is.

Run it with ``python tests/benchmarks/exports.py``; it needs a C compiler.
"""

import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import minigrad as mg
from tests.export.programs import MODELS, adam_step, digits
from tests.export.test_c import Compiled

FLAGS = ("-O3", "-march=native")


def places_off(found, wanted):
    """The largest difference, in units in the last place of the largest value."""
    wanted = np.asarray(wanted)
    return float(np.max(np.abs(np.asarray(found) - wanted)) / np.spacing(np.max(np.abs(wanted))))


def seconds(f, times=7):
    """The least time of a call."""
    f()
    least = float("inf")
    for _ in range(times):
        start = time.perf_counter()
        for _ in range(20):
            f()
        least = min(least, (time.perf_counter() - start) / 20)
    return least


def main():
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        print(f"{'':28}{'units off':>10}{'time / jit':>12}{'bytes of C':>12}")
        for model_name, (make, shape) in MODELS.items():
            for dtype in (np.float64, np.float32):
                model, x = make(dtype), np.random.default_rng(0).normal(size=(16, *shape)).astype(dtype)
                name = f"{model_name}_{np.dtype(dtype)}"
                compiled, fast = Compiled(folder, model, x, name=name, flags=FLAGS), mg.jit(model)
                off = places_off(compiled(x)[0], model(x).detach())
                ratio = seconds(lambda c=compiled, x=x: c(x)) / seconds(lambda f=fast, x=x: f(x))
                size = compiled.path.stat().st_size
                print(f"{name:28}{off:>10.1f}{ratio:>12.2f}{size:>12,}")
        _, step = adam_step()
        x, y = digits(64)
        compiled, fast = Compiled(folder, step, x, y, flags=FLAGS), mg.jit(step)
        for i in range(100):
            off = places_off(compiled(x, y)[0], fast(x, y).detach())
            if i in (0, 99):
                print(f"{f'mlp with Adam, step {i + 1}':28}{off:>10.1f}")
        ratio = seconds(lambda: compiled(x, y)) / seconds(lambda: fast(x, y))
        print(f"{'a step':28}{'':>10}{ratio:>12.2f}{compiled.path.stat().st_size:>12,}")


if __name__ == "__main__":
    main()
