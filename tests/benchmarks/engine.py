"""What the engine costs: minigrad against NumPy doing the same arithmetic by hand, in one run.

    python tests/benchmarks/engine.py            # the table
    python tests/benchmarks/engine.py --rounds 31

Each workload runs in turn by hand and with minigrad, round after round, so that noise on a shared machine
hits both; what counts is the ratio of the medians.  One process, one thread, BLAS included.
"""

import argparse
import gc
import os
import statistics
import subprocess
import sys
import time
from functools import partial

# Some machines force a slow BLAS kernel on older OpenBLAS builds by these; for a benchmark they are unset.
SLOW = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
if any(name in os.environ for name in SLOW) or any(os.environ.get(k) != v for k, v in ONE_THREAD.items()):
    environment = {k: v for k, v in os.environ.items() if k not in SLOW} | ONE_THREAD
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)

import numpy as np  # noqa: E402  # NumPy reads these variables when it is imported

import minigrad as mg  # noqa: E402

A, B = np.arange(4.0), np.full(4, 1e-3)
OPS = 1000


def add_numpy():
    y = A
    for _ in range(OPS):
        y = y + B
    return y


def add_minigrad():
    y, b = mg.asarray(A), mg.tensor(B, requires_grad=True)
    for _ in range(OPS):
        y = y + b
    return y.detach().numpy()


def add_backward_numpy():
    y = A
    for _ in range(OPS):
        y = y + B
    g, total = np.ones_like(y), np.zeros_like(B)
    for _ in range(OPS):
        total += g
    return total


def add_backward_minigrad():
    y, b = mg.asarray(A), mg.tensor(B, requires_grad=True)
    for _ in range(OPS):
        y = y + b
    y.sum().backward()
    return b.grad.numpy()


STEPS, RATE, CLIP = 500, 0.001, 10.0


def rosenbrock_numpy():
    w, g = np.array([-1.5, 2.0]), np.empty(2)
    for _ in range(STEPS):
        x, y = w[0], w[1]
        r = y - x * x
        g[0] = -2 * (1 - x) - 400 * x * r
        g[1] = 200 * r
        w -= RATE * np.clip(g, -CLIP, CLIP)
    return w


POINT = mg.tensor([-1.5, 2.0], requires_grad=True)


def rosenbrock_step():
    global POINT
    POINT.grad = None
    x, y = POINT[0], POINT[1]
    loss = (1 - x) ** 2 + 100 * (y - x**2) ** 2
    loss.backward()
    with mg.no_grad():
        POINT -= RATE * POINT.grad.clip(-CLIP, CLIP)
    return loss


def rosenbrock_minigrad(step=rosenbrock_step):
    with mg.no_grad():
        POINT[...] = [-1.5, 2.0]
    for _ in range(STEPS):
        step()
    return POINT.detach().numpy().copy()


# Twelve operations on many numbers

X = np.random.default_rng(0).standard_normal(1_000_000).astype(np.float32)


def elementwise_numpy():
    a = np.sin(X)
    d = np.tanh(a * X + np.float32(0.5))
    f = np.exp(d) * np.float32(0.3)
    g = np.log1p(f)
    h = g * d + a
    j = np.cos(h)
    gh = -2 * j * np.sin(h)
    gg = 1 + gh * d
    gc = (gh * g + gg / (1 + f) * f) * (1 - d * d)
    return (gh + gc * X) * np.cos(X) + gc * a


def elementwise(x):
    a = mg.sin(x)
    d = mg.tanh(a * x + 0.5)
    g = mg.log1p(mg.exp(d) * 0.3)
    j = mg.cos(g * d + a)
    return mg.sum(j * j + g)


def elementwise_minigrad(slope=mg.grad(elementwise)):  # noqa: B008  # made once, as it would be
    return slope(X)


CHAIN, FACTOR = 100_000, 1.00001


def chain_numpy():
    y = A
    for _ in range(CHAIN):
        y = y * FACTOR
    g = np.ones_like(y)
    for _ in range(CHAIN):
        g = g * FACTOR
    return g


def chain_minigrad():
    a = mg.tensor(A, requires_grad=True)
    y = a
    for _ in range(CHAIN):
        y = y * FACTOR
    y.sum().backward()
    return a.grad.numpy()


WORKLOADS = {
    "one recorded (4,) add, forward": (add_numpy, add_minigrad, 10, 3.0),
    "one recorded (4,) add, forward + backward": (add_backward_numpy, add_backward_minigrad, 10, 4.5),
    "Rosenbrock gradient descent": (rosenbrock_numpy, rosenbrock_minigrad, 4, 6.0),
    "the same, by a compiled step": (rosenbrock_numpy, partial(rosenbrock_minigrad, mg.jit(rosenbrock_step)), 4, 0.5),
    "12 elementwise operations on 10^6 numbers": (elementwise_numpy, elementwise_minigrad, 1, None),
    "the same, compiled": (elementwise_numpy, partial(elementwise_minigrad, mg.jit(mg.grad(elementwise))), 1, 0.8),
    "chain of 100,000, forward + backward": (chain_numpy, chain_minigrad, 1, 4.5),
}


def seconds(function, repeats):
    gc.collect()
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats


def import_milliseconds(rounds):
    """Time that ``import minigrad`` takes beyond ``import numpy``, from whole processes in turn.

    With compiled files, as an installation has them; the first round may write them, and does not count.
    """
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    times = {"import numpy": [], "import numpy, minigrad": []}
    for i in range(rounds + 1):
        for statement, found in times.items():
            start = time.perf_counter()
            subprocess.run([sys.executable, "-c", statement], check=True, env=environment)
            if i:
                found.append(time.perf_counter() - start)
    with_it, without = statistics.median(times["import numpy, minigrad"]), statistics.median(times["import numpy"])
    return 1e3 * (with_it - without)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"{'workload':44} {'NumPy':>10} {'minigrad':>10} {'ratio':>7} {'asked':>7}")
    for name, (by_hand, ours, repeats, asked) in WORKLOADS.items():
        value = by_hand()
        tolerance = {"rtol": 1e-9} if value.dtype == np.float64 else {"rtol": 1e-3, "atol": 1e-4}
        np.testing.assert_allclose(value, ours(), **tolerance)
        times = {by_hand: [], ours: []}
        for i in range(rounds):
            for function in (by_hand, ours) if i % 2 else (ours, by_hand):
                times[function].append(seconds(function, repeats))
        hand, mine = (statistics.median(found) for found in times.values())
        print(f"{name:44} {1e3 * hand:7.2f} ms {1e3 * mine:7.2f} ms {mine / hand:7.2f} {asked or '':>7}")
    print(f"{'import minigrad beyond import numpy':44} {'':10} {import_milliseconds(rounds):7.0f} ms {'':7} {50:4} ms")


if __name__ == "__main__":
    main()
