"""What it takes to map: gradients by sample against one gradient of a batch, and ensembles against one after another.

    python tests/benchmarks/mapping.py            # the table
    python tests/benchmarks/mapping.py --rounds 31

The ways of each workload run in turn, round after round, so that noise on a shared machine hits all of them; what
counts is the ratio of the medians to the first.  A wrong result ends the program.  One process, one thread, BLAS
included.  Hessians and their products with vectors are workloads of `compare.py`.
"""

import argparse
import gc
import itertools
import os
import statistics
import sys
import time

# Some machines force a slow BLAS kernel on older OpenBLAS builds by these; for a benchmark they are unset.
SLOW = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
if any(name in os.environ for name in SLOW) or any(os.environ.get(k) != v for k, v in ONE_THREAD.items()):
    environment = {k: v for k, v in os.environ.items() if k not in SLOW} | ONE_THREAD
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)

import numpy as np  # noqa: E402  # NumPy reads these variables when it is imported

import minigrad as mg  # noqa: E402
from minigrad import nn, optim  # noqa: E402

F = nn.functional
RNG = np.random.default_rng(0)
WIDTHS = (64, 128, 64, 10)  # the network for digits of `workloads.py`
X, LABELS = RNG.random((256, 64), np.float32), RNG.integers(0, 10, 256)
MEMBERS, STEPS = 64, 20


# Gradients by sample


def parameters():
    made = []
    for n, m in itertools.pairwise(WIDTHS):
        made += [(RNG.standard_normal((n, m)) * (2 / n) ** 0.5).astype(np.float32), np.zeros(m, np.float32)]
    return made


PARAMETERS = parameters()


def forward_and_errors(x, labels):
    """The activations before each layer, and the gradients of the sum of all losses behind each."""
    w1, b1, w2, b2, w3, b3 = PARAMETERS
    a1 = np.maximum(x @ w1 + b1, 0)
    a2 = np.maximum(a1 @ w2 + b2, 0)
    scores = a2 @ w3 + b3
    scores -= scores.max(axis=1, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=1, keepdims=True)
    scores[np.arange(len(x)), labels] -= 1
    d2 = (scores @ w3.T) * (a2 > 0)
    d1 = (d2 @ w2.T) * (a1 > 0)
    return (x, a1, a2), (d1, d2, scores)


def batch_by_hand():
    """The gradient of the sum of all losses: what the gradients by sample must add up to."""
    before, behind = forward_and_errors(X, LABELS)
    return [g for a, d in zip(before, behind, strict=True) for g in (a.T @ d, d.sum(axis=0))]


def samples_by_hand():
    before, behind = forward_and_errors(X, LABELS)
    return [g for a, d in zip(before, behind, strict=True) for g in (a[:, :, None] * d[:, None, :], d)]


def loss(params, x, label):
    w1, b1, w2, b2, w3, b3 = params
    hidden = F.relu(F.relu(x @ w1 + b1) @ w2 + b2)
    return F.cross_entropy(hidden @ w3 + b3, label)


by_sample = mg.vmap(mg.grad(loss), (None, 0, 0))
compiled_by_sample = mg.jit(by_sample)
slope = mg.grad(loss)


def samples_in_a_loop():
    rows = [slope(PARAMETERS, mg.asarray(x), label) for x, label in zip(X, LABELS, strict=True)]
    return [np.stack(column) for column in zip(*rows, strict=True)]


def check_samples(found, expected):
    for g, total in zip(found, expected, strict=True):
        total_found = np.asarray(g).sum(axis=0) if np.ndim(g) > np.ndim(total) else np.asarray(g)
        np.testing.assert_allclose(total_found, total, rtol=1e-3, atol=1e-3)


SAMPLES = {
    "one gradient of the batch, by hand": batch_by_hand,
    "gradients by sample, by hand": samples_by_hand,
    "gradients by sample, jit(vmap(grad))": lambda: compiled_by_sample(PARAMETERS, X, LABELS),
    "gradients by sample, vmap(grad)": lambda: by_sample(PARAMETERS, X, LABELS),
    "gradients by sample, a loop of backward passes": samples_in_a_loop,
}

# Ensembles


def nets():
    mg.manual_seed(0)
    return [nn.Sequential(nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2)) for _ in range(MEMBERS)]


DATA, CLASSES = RNG.standard_normal((32, 16)), RNG.integers(0, 2, 32)


def one_after_another():
    trained = nets()
    x = mg.asarray(DATA)
    for net in trained:
        optimizer = optim.Adam(net.parameters(), lr=0.01)
        for _ in range(STEPS):
            optimizer.zero_grad()
            F.cross_entropy(net(x), CLASSES).backward()
            optimizer.step()
    columns = zip(*(net.parameters() for net in trained), strict=True)
    return [np.stack([p.detach().numpy() for p in column]) for column in columns]


losses = mg.vmap(lambda net, x, y: F.cross_entropy(net(x), y), (0, None, None))


def all_at_once(wrap=lambda f: f):
    ensemble = mg.stack_modules(nets())
    x = mg.asarray(DATA)
    optimizer = optim.Adam(ensemble.parameters(), lr=0.01)

    @wrap
    def step(x, y):
        optimizer.zero_grad()
        total = mg.sum(losses(ensemble, x, y))
        total.backward()
        optimizer.step()
        return total

    def run():
        for _ in range(STEPS):
            step(x, CLASSES)
        return [p.detach().numpy() for p in ensemble.parameters()]

    return run


ENSEMBLES = {
    f"{MEMBERS} networks of their own": one_after_another,
    f"{MEMBERS} networks at once": lambda: all_at_once()(),
}


def check_ensembles(found, expected):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6, atol=1e-8)


def medians(ways, check, rounds):
    """The median times, in ms; each way is called once before, and its result compared with that of the first."""
    expected = next(iter(ways.values()))()
    for way in ways.values():
        for _ in range(3):  # a compiled function is compiled
            check(way(), expected)
    times = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            gc.collect()
            begun = time.perf_counter()
            way()
            times[name].append(time.perf_counter() - begun)
    return {name: 1e3 * statistics.median(own) for name, own in times.items()}


def report(title, found):
    first = next(iter(found.values()))
    print(f"\n{title}")
    for name, time_taken in found.items():
        print(
            f"    {name:48} {time_taken:9.3f} ms  {time_taken / first:8.2f} x  {first / time_taken:8.2f} times as quick"
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    report(f"Gradients by sample: the digits' network, {len(X)} samples", medians(SAMPLES, check_samples, rounds))
    found = medians(ENSEMBLES, check_ensembles, max(3, rounds // 4))
    compiled = all_at_once(mg.jit)
    compiled()  # and goes on from there: every run is as many further steps
    compiled()
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        compiled()
        times.append(time.perf_counter() - begun)
    report(
        f"Ensembles: {STEPS} steps of Adam, 16-16-2 networks, 32 samples",
        found | {f"{MEMBERS} networks at once, jit": 1e3 * statistics.median(times)},
    )


if __name__ == "__main__":
    main()
