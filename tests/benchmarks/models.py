"""What training costs: minigrad, eager and compiled, against the same model written by hand in NumPy, in one run.

    python tests/benchmarks/models.py               # the table; needs scikit-learn for its digits
    python tests/benchmarks/models.py --rounds 31

All start from the same parameters and must end at the same ones.  They run in turn, each in a process of its own,
round after round, one thread each; what counts is the ratio of the medians.
"""

import argparse
import functools
import os
import statistics
import subprocess
import sys
import time
from itertools import pairwise

SLOW = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")  # they force a slow BLAS kernel on some machines
ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
if any(name in os.environ for name in SLOW) or any(os.environ.get(k) != v for k, v in ONE_THREAD.items()):
    environment = {k: v for k, v in os.environ.items() if k not in SLOW} | ONE_THREAD
    os.execve(sys.executable, [sys.executable, *sys.argv], environment)

import numpy as np  # noqa: E402  # NumPy reads these variables when it is imported

F32 = np.float32


def drawn(rng, scale, *shape):
    return (scale * rng.standard_normal(shape)).astype(F32)


@functools.cache
def digit_batches(size=64):
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = (images[order] / 16).astype(F32), labels[order]
    return [(images[i : i + size], labels[i : i + size]) for i in range(0, len(images) - size + 1, size)]


# What all of them end with: the mean cross-entropy of logits, and its gradient


def cross_entropy(logits, labels):
    rows = np.arange(len(labels))
    logits -= logits.max(axis=1, keepdims=True)
    own = logits[rows, labels]
    np.exp(logits, out=logits)
    total = logits.sum(axis=1, keepdims=True)
    loss = (np.log(total).sum() - own.sum()) / len(labels)
    logits /= total
    logits[rows, labels] -= 1
    logits /= F32(len(labels))
    return loss, logits


def descend(parameters, gradients, rate):
    for p, g in zip(parameters, gradients, strict=True):
        g *= F32(rate)
        p -= g


# Softmax regression on digits: 20 epochs of gradient descent


def softmax_start():
    return [np.zeros((64, 10), F32), np.zeros(10, F32)]


def softmax_by_hand(parameters):
    weight, bias = parameters
    for images, labels in digit_batches() * 20:
        _, d = cross_entropy(images @ weight + bias, labels)
        descend(parameters, [images.T @ d, d.sum(axis=0)], 0.1)


def softmax_minigrad(parameters, wrap):
    from minigrad import optim
    from minigrad.nn import functional as F  # noqa: N812

    weight, bias = parameters
    optimizer = optim.SGD(parameters, lr=0.1)

    @wrap
    def step(images, labels):
        optimizer.zero_grad()
        loss = F.cross_entropy(images @ weight + bias, labels)
        loss.backward()
        optimizer.step()
        return loss

    def run():
        for images, labels in digit_batches() * 20:
            step(images, labels)

    return run, optimizer


# Two hidden layers on digits: 10 epochs of Adam


def mlp_start():
    rng, sizes = np.random.default_rng(1), [64, 128, 64, 10]
    layers = [(drawn(rng, (2 / a) ** 0.5, a, b), np.zeros(b, F32)) for a, b in pairwise(sizes)]
    return [p for layer in layers for p in layer]


def mlp_by_hand(parameters):
    w1, b1, w2, b2, w3, b3 = parameters
    means, squares = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    for step, (images, labels) in enumerate(digit_batches() * 10, start=1):
        h1 = np.maximum(images @ w1 + b1, 0)
        h2 = np.maximum(h1 @ w2 + b2, 0)
        _, d3 = cross_entropy(h2 @ w3 + b3, labels)
        d2 = (d3 @ w3.T) * (h2 > 0)
        d1 = (d2 @ w2.T) * (h1 > 0)
        gradients = [images.T @ d1, d1.sum(axis=0), h1.T @ d2, d2.sum(axis=0), h2.T @ d3, d3.sum(axis=0)]
        for p, g, m, v in zip(parameters, gradients, means, squares, strict=True):
            m *= 0.9
            m += 0.1 * g
            v *= 0.999
            g *= g
            v += 0.001 * g
            root = np.sqrt(v)
            root /= (1 - 0.999**step) ** 0.5
            root += 1e-8
            p -= (1e-3 / (1 - 0.9**step)) * m / root


def mlp_minigrad(parameters, wrap):
    from minigrad import optim
    from minigrad.nn import functional as F  # noqa: N812

    w1, b1, w2, b2, w3, b3 = parameters
    optimizer = optim.Adam(parameters, lr=1e-3)

    @wrap
    def step(images, labels):
        optimizer.zero_grad()
        h = F.relu(images @ w1 + b1)
        h = F.relu(h @ w2 + b2)
        loss = F.cross_entropy(h @ w3 + b3, labels)
        loss.backward()
        optimizer.step()
        return loss

    def run():
        for images, labels in digit_batches() * 10:
            step(images, labels)

    return run, optimizer


# Two convolutions with pooling on random images of 28 x 28: 10 steps of gradient descent, by hand with im2col

IMAGES = 64


@functools.cache
def cnn_data():
    rng = np.random.default_rng(2)
    return drawn(rng, 1, IMAGES, 1, 28, 28), rng.integers(0, 10, IMAGES)


def cnn_start():
    rng = np.random.default_rng(3)
    return [
        drawn(rng, 0.47, 8, 1, 3, 3), np.zeros(8, F32), drawn(rng, 0.17, 16, 8, 3, 3), np.zeros(16, F32),
        drawn(rng, 0.05, 784, 10), np.zeros(10, F32),
    ]  # fmt: skip


def columns(x):
    """Windows of 3 x 3 pixels of padded images, channels last, as the rows of a matrix."""
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(-1, 9 * x.shape[3])


def images_of(rows, shape):
    """The transpose of `columns`."""
    count, height, width, channels = shape
    rows = rows.reshape(count, height, width, 3, 3, channels)
    padded = np.zeros((count, height + 2, width + 2, channels), F32)
    for i in range(3):
        for j in range(3):
            padded[:, i : i + height, j : j + width] += rows[:, :, :, i, j]
    return padded[:, 1:-1, 1:-1]


def pool(x):
    """ReLU and the maximum of 2 x 2 pixels, channels last; and what takes a gradient back."""
    count, height, width, channels = x.shape
    np.maximum(x, 0, out=x)
    v = x.reshape(count, height // 2, 2, width // 2, 2, channels)
    top = np.maximum(np.maximum(v[:, :, 0, :, 0], v[:, :, 0, :, 1]), np.maximum(v[:, :, 1, :, 0], v[:, :, 1, :, 1]))

    def back(g):
        out, left = np.zeros_like(v), g * (top > 0)
        for i in range(2):
            for j in range(2):
                here = v[:, :, i, :, j] == top
                out[:, :, i, :, j] = left * here
                left = left * ~here
        return out.reshape(x.shape)

    return top, back


def matrix(kernel):
    return kernel.transpose(2, 3, 1, 0).reshape(-1, len(kernel))


def kernel_of(rows, like):
    out, channels = like.shape[:2]
    return np.ascontiguousarray(rows.reshape(3, 3, channels, out).transpose(3, 2, 0, 1))


def cnn_by_hand(parameters):
    k1, b1, k2, b2, w, b = parameters
    images, labels = cnn_data()
    images = np.ascontiguousarray(images.transpose(0, 2, 3, 1))
    for _ in range(10):
        c1 = columns(images)
        h1, back1 = pool((c1 @ matrix(k1) + b1).reshape(IMAGES, 28, 28, 8))
        c2 = columns(h1)
        h2, back2 = pool((c2 @ matrix(k2) + b2).reshape(IMAGES, 14, 14, 16))
        flat = h2.transpose(0, 3, 1, 2).reshape(IMAGES, -1)
        _, d = cross_entropy(flat @ w + b, labels)
        d2 = back2((d @ w.T).reshape(IMAGES, 16, 7, 7).transpose(0, 2, 3, 1)).reshape(-1, 16)
        d1 = back1(images_of(d2 @ matrix(k2).T, h1.shape)).reshape(-1, 8)
        gradients = [kernel_of(c1.T @ d1, k1), d1.sum(axis=0), kernel_of(c2.T @ d2, k2), d2.sum(axis=0)]
        descend(parameters, [*gradients, flat.T @ d, d.sum(axis=0)], 0.05)


def cnn_minigrad(parameters, wrap):
    from minigrad import optim
    from minigrad.nn import functional as F  # noqa: N812

    k1, b1, k2, b2, w, b = parameters
    images, labels = cnn_data()
    optimizer = optim.SGD(parameters, lr=0.05)

    @wrap
    def step(images, labels):
        optimizer.zero_grad()
        h = F.max_pool2d(F.relu(F.conv2d(images, k1, b1, padding=1)), 2)
        h = F.max_pool2d(F.relu(F.conv2d(h, k2, b2, padding=1)), 2)
        loss = F.cross_entropy(h.flatten(1) @ w + b, labels)
        loss.backward()
        optimizer.step()
        return loss

    def run():
        for _ in range(10):
            step(images, labels)

    return run, optimizer


# One causal transformer block, 16 sequences of 64 tokens, width 128, 4 heads: 5 steps of gradient descent

BATCH, TIME, WIDTH, HEADS, WORDS = 16, 64, 128, 4, 64


@functools.cache
def block_data():
    tokens = np.random.default_rng(4).integers(0, WORDS, (BATCH, TIME + 1))
    return tokens[:, :-1], tokens[:, 1:].reshape(-1)


def block_start():
    rng, d = np.random.default_rng(5), WIDTH
    norm = lambda: [np.ones(d, F32), np.zeros(d, F32)]  # noqa: E731
    return [
        drawn(rng, 0.5, WORDS, d), drawn(rng, 0.1, TIME, d), *norm(), drawn(rng, 0.06, d, 3 * d),
        drawn(rng, 0.06, d, d), *norm(), drawn(rng, 0.06, d, 4 * d), np.zeros(4 * d, F32),
        drawn(rng, 0.04, 4 * d, d), np.zeros(d, F32), *norm(), drawn(rng, 0.08, d, WORDS),
    ]  # fmt: skip


def norm(x, weight, bias):
    centred = x - x.mean(axis=1, keepdims=True)
    scale = 1 / np.sqrt((centred * centred).mean(axis=1, keepdims=True) + F32(1e-5))
    centred *= scale
    return centred * weight + bias, (centred, scale)


def norm_back(g, weight, kept):
    y, scale = kept
    own = (g * y).sum(axis=0), g.sum(axis=0)
    g = g * weight
    g -= g.mean(axis=1, keepdims=True) + y * (g * y).mean(axis=1, keepdims=True)
    g *= scale
    return g, *own


def by_heads(x):
    return x.reshape(BATCH, TIME, HEADS, WIDTH // HEADS).transpose(0, 2, 1, 3)


def merged(x):
    return x.transpose(0, 2, 1, 3).reshape(BATCH * TIME, WIDTH)


def block_by_hand(parameters):
    table, places, n1w, n1b, w_qkv, w_out, n2w, n2b, w1, b1, w2, b2, n3w, n3b, head = parameters
    tokens, labels = block_data()
    mask = np.where(np.tri(TIME, dtype=bool), 0, -np.inf).astype(F32)
    scale, slope, cubic = F32((WIDTH // HEADS) ** -0.5), F32((2 / np.pi) ** 0.5), F32(0.044715)
    for _ in range(5):
        x0 = (table[tokens] + places).reshape(-1, WIDTH)
        y1, kept1 = norm(x0, n1w, n1b)
        q, k, v = map(by_heads, np.split(y1 @ w_qkv, 3, axis=1))
        weights = q @ k.swapaxes(2, 3)
        weights *= scale
        weights += mask
        weights -= weights.max(axis=3, keepdims=True)
        np.exp(weights, out=weights)
        weights /= weights.sum(axis=3, keepdims=True)
        seen = merged(weights @ v)
        x1 = x0 + seen @ w_out
        y2, kept2 = norm(x1, n2w, n2b)
        u = y2 @ w1 + b1
        t = np.tanh(slope * u * (1 + cubic * u * u))
        h = 0.5 * u * (1 + t)
        x2 = h @ w2 + b2 + x1
        y3, kept3 = norm(x2, n3w, n3b)
        _, d = cross_entropy(y3 @ head, labels)

        g_head = y3.T @ d
        dx, g_n3w, g_n3b = norm_back(d @ head.T, n3w, kept3)
        g_w2, g_b2 = h.T @ dx, dx.sum(axis=0)
        du = dx @ w2.T
        du *= 0.5 * (1 + t) + 0.5 * u * (1 - t * t) * slope * (1 + 3 * cubic * u * u)
        g_w1, g_b1 = y2.T @ du, du.sum(axis=0)
        part, g_n2w, g_n2b = norm_back(du @ w1.T, n2w, kept2)
        dx = dx + part
        g_out = seen.T @ dx
        do = by_heads(dx @ w_out.T)
        dw = do @ v.swapaxes(2, 3)
        dw -= (dw * weights).sum(axis=3, keepdims=True)
        dw *= weights
        dw *= scale
        d_qkv = np.concatenate([merged(dw @ k), merged(dw.swapaxes(2, 3) @ q), merged(weights.swapaxes(2, 3) @ do)], 1)
        g_qkv = y1.T @ d_qkv
        part, g_n1w, g_n1b = norm_back(d_qkv @ w_qkv.T, n1w, kept1)
        dx = dx + part
        g_table = np.zeros_like(table)
        np.add.at(g_table, tokens.reshape(-1), dx)
        g_places = dx.reshape(BATCH, TIME, WIDTH).sum(axis=0)
        gradients = [
            g_table, g_places, g_n1w, g_n1b, g_qkv, g_out, g_n2w, g_n2b, g_w1, g_b1, g_w2, g_b2, g_n3w, g_n3b, g_head
        ]  # fmt: skip
        descend(parameters, gradients, 0.1)


def block_minigrad(parameters, wrap):
    from minigrad import optim
    from minigrad.nn import functional as F  # noqa: N812

    table, places, n1w, n1b, w_qkv, w_out, n2w, n2b, w1, b1, w2, b2, n3w, n3b, head = parameters
    tokens, labels = block_data()
    optimizer = optim.SGD(parameters, lr=0.1)

    @wrap
    def step(tokens, labels):
        optimizer.zero_grad()
        x = F.embedding(tokens, table) + places
        qkv = F.layer_norm(x, WIDTH, n1w, n1b) @ w_qkv
        q, k, v = qkv.reshape(BATCH, TIME, 3, HEADS, WIDTH // HEADS).transpose(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + seen.transpose(0, 2, 1, 3).reshape(BATCH, TIME, WIDTH) @ w_out
        x = x + F.gelu(F.layer_norm(x, WIDTH, n2w, n2b) @ w1 + b1, approximate="tanh") @ w2 + b2
        logits = F.layer_norm(x, WIDTH, n3w, n3b) @ head
        loss = F.cross_entropy(logits.reshape(-1, WORDS), labels)
        loss.backward()
        optimizer.step()
        return loss

    def run():
        for _ in range(5):
            step(tokens, labels)

    return run, optimizer


WORKLOADS = {
    "softmax_digits": (softmax_start, softmax_by_hand, softmax_minigrad, (2.0, 0.55)),
    "mlp_digits": (mlp_start, mlp_by_hand, mlp_minigrad, (1.8, 0.85)),
    "cnn_small": (cnn_start, cnn_by_hand, cnn_minigrad, (1.0, 0.6)),
    "transformer_small": (block_start, block_by_hand, block_minigrad, (1.2, 0.7)),
}


def serve(name, kind):
    """Run a workload for each line that comes in; answer with its time and with what its parameters have become."""
    start, by_hand, ours, *_ = WORKLOADS[name]
    if kind != "hand":
        import minigrad as mg

        parameters = [mg.tensor(p, requires_grad=True) for p in start()]
        run, optimizer = ours(parameters, mg.jit if kind == "compiled" else lambda step: step)
    for _ in sys.stdin:
        if kind == "hand":
            values = start()
            run = functools.partial(by_hand, values)
        else:
            begin_again(parameters, start(), optimizer)
        begun = time.perf_counter()
        run()
        seconds = time.perf_counter() - begun
        values = values if kind == "hand" else [p.detach().numpy() for p in parameters]
        print(seconds, *(float(np.linalg.norm(v)) for v in values), flush=True)


def begin_again(parameters, values, optimizer):
    """Parameters and the state of an optimizer as they were at first, in the same memory."""
    import minigrad as mg

    with mg.no_grad():
        for p, value in zip(parameters, values, strict=True):
            p[...] = value
    for state in optimizer.state.values():
        for name, value in state.items():
            if isinstance(value, np.ndarray):
                value[...] = 0
            else:
                state[name] = 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    if options.serve:
        serve(*options.serve)
        return
    print(f"{'workload':20} {'by hand':>10} {'eager':>7} {'asked':>7} {'jit':>7} {'asked':>7}")
    for name, (*_, asked) in WORKLOADS.items():
        servers = {
            kind: subprocess.Popen(
                [sys.executable, __file__, "--serve", name, kind],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for kind in ("hand", "eager", "compiled")
        }
        times = {kind: [] for kind in servers}
        for i in range(options.rounds + 1):
            ends = {}
            for kind, server in servers.items():
                server.stdin.write("\n")
                server.stdin.flush()
                seconds, *ends[kind] = map(float, server.stdout.readline().split())
                if i:  # the first round is to warm up
                    times[kind].append(seconds)
            np.testing.assert_allclose(ends["hand"], ends["eager"], rtol=2e-3, atol=1e-4)
            assert ends["eager"] == ends["compiled"]
        for server in servers.values():
            server.communicate()
        hand, eager, compiled = (statistics.median(found) for found in times.values())
        print(
            f"{name:20} {1e3 * hand:7.1f} ms {eager / hand:7.2f} {asked[0]:7.2f} {compiled / hand:7.2f} {asked[1]:7.2f}"
        )


if __name__ == "__main__":
    main()
