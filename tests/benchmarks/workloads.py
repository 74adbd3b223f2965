"""The workloads of compare.py: what each of them computes, its data, its sizes, and how far an answer may be off.

A function makes one spec.  A peer turns a spec into `run()`, which does the whole of the work from the same start, and
returns arrays: what has become of `spec.params` and the last loss, or a value and its gradient.  A spec that has
`iters` does the same thing over that many times; a slow peer may lower it, and its time is scaled.
"""

from itertools import pairwise
from types import SimpleNamespace as Spec

import numpy as np

F32 = np.float32

# What is mostly overhead, and what is mostly arithmetic
SMALL = [
    "rosenbrock", "scalar_expr", "linreg_minibatch", "softmax_digits", "mlp_digits",
    "hessian", "hvp", "op_forward", "op_fwdbwd", "deep_graph",
]  # fmt: skip
LARGE = [
    "mlp_large", "elementwise_chain", "cnn_small", "transformer_small",
    "lstm", "batchnorm_cnn", "vae", "gaussian_process", "adam_large",
]  # fmt: skip
NAMES = SMALL + LARGE


def fingerprint(spec, results):
    """How far each parameter has moved, and how large everything else is: a few numbers that must agree."""
    starts = getattr(spec, "params", [])
    numbers = []
    for i, result in enumerate(results):
        result = np.asarray(result, np.float64)
        if i < len(starts):
            result = result.reshape(starts[i].shape) - starts[i]
        numbers.append(float(result) if result.ndim == 0 else float(np.linalg.norm(result)))
    return numbers


def agree(numbers, reference, rtol):
    return len(numbers) == len(reference) and all(
        abs(a - b) <= rtol * abs(b) + 1e-9 for a, b in zip(numbers, reference, strict=True)
    )


def drawn(rng, scale, *shape):
    return (scale * rng.standard_normal(shape)).astype(F32)


def ones(n):
    return np.ones(n, F32)


def zeros(n):
    return np.zeros(n, F32)


def one_hot(labels, classes):
    return np.eye(classes, dtype=F32)[labels]


def digits(size):
    """Batches of images, one-hot labels and labels; the last, shorter one is left out."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = (images[order] / 16).astype(F32), labels[order].astype(np.int64)
    starts = range(0, len(images) - size + 1, size)
    return [(images[i : i + size], one_hot(labels[i : i + size], 10), labels[i : i + size]) for i in starts]


def layers(rng, sizes):
    """Weights and biases of a perceptron, weights with one row for each input."""
    return [p for a, b in pairwise(sizes) for p in (drawn(rng, np.sqrt(2 / a), a, b), zeros(b))]


def rosenbrock():
    """5000 steps of clipped gradient descent on Rosenbrock's function of two numbers."""
    return Spec(steps=5000, lr=0.001, clip=10.0, start=np.array([-1.5, 2.0]), rtol=1e-9)


def scalar_expr():
    """25 rounds of h = tanh(h * x_i + x_j), s += h; every fifth has a relu and an addition: 110 scalar operations."""
    return Spec(leaves=[0.5, -0.3, 0.8, -1.2], rounds=25, iters=100, rtol=1e-6)


def linreg_minibatch():
    """Linear regression, five features, float64: 100 epochs of 31 batches of 32, gradient descent."""
    rng = np.random.default_rng(1)
    X = rng.standard_normal((1000, 5))
    y = X @ np.array([1.0, -2.0, 0.5, 3.0, -1.5]) + 0.7 + 0.1 * rng.standard_normal(1000)
    batches = [(X[i : i + 32].copy(), y[i : i + 32].copy()) for i in range(0, 1000 - 31, 32)]
    return Spec(batches=batches, epochs=100, lr=0.01, params=[np.zeros(5), np.zeros(())], rtol=1e-8)


def softmax_digits():
    """Softmax regression on digits of 8 x 8, batches of 64: 20 epochs of gradient descent."""
    return Spec(batches=digits(64), epochs=20, lr=0.1, params=[np.zeros((64, 10), F32), zeros(10)], rtol=1e-3)


def mlp_digits():
    """Two hidden layers, 64-128-64-10, on digits: 10 epochs of Adam."""
    params = layers(np.random.default_rng(2), [64, 128, 64, 10])
    return Spec(batches=digits(64), epochs=10, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, params=params, rtol=2e-2)


def hessian():
    """The Hessian of Rosenbrock's function of 100 numbers."""
    return Spec(x=np.random.default_rng(7).standard_normal(100), rtol=1e-8)


def hvp():
    """20 products of that Hessian with a vector."""
    rng = np.random.default_rng(7)
    return Spec(x=rng.standard_normal(100), vs=rng.standard_normal((20, 100)), rtol=1e-8)


def op_forward():
    """A chain of 1000 times y = y + b on four numbers, recorded for a gradient by b."""
    return Spec(a=np.arange(4.0), b=np.full(4, 1e-3), n_ops=1000, iters=10, rtol=1e-9)


def op_fwdbwd():
    """The same chain, its sum, and the gradient by b."""
    return op_forward()


def deep_graph():
    """100,000 times y = y * c on four numbers, the sum, and the gradient by the start."""
    return Spec(a=np.arange(1.0, 5.0), c=1.00001, n_ops=100_000, iters=1, rtol=1e-6)


def mlp_large():
    """Two hidden layers, 784-1024-1024-10, one batch of 512: 20 steps of gradient descent."""
    rng = np.random.default_rng(3)
    y = rng.integers(0, 10, 512)
    X = drawn(rng, 1, 512, 784)
    return Spec(X=X, Y=one_hot(y, 10), y=y, steps=20, lr=0.05, params=layers(rng, [784, 1024, 1024, 10]), rtol=1e-3)


def elementwise_chain():
    """Twelve elementwise operations on 10^6 numbers of float32, their sum, and its gradient.

    a = sin x, d = tanh(a x + 0.5), g = log1p(0.3 exp d), j = cos(g d + a), and the sum of j^2 + g.
    """
    return Spec(x=drawn(np.random.default_rng(4), 1, 1_000_000), iters=3, rtol=1e-3)


def cnn_small():
    """Two convolutions 3 x 3 with relu and pooling (1-8-16 channels), a linear layer: 10 steps, 64 images of 28 x 28.

    Images have their channels first; kernels are (out, in, 3, 3).
    """
    rng = np.random.default_rng(5)
    y = rng.integers(0, 10, 64)
    params = [
        drawn(rng, 0.47, 8, 1, 3, 3), zeros(8), drawn(rng, 0.17, 16, 8, 3, 3), zeros(16),
        drawn(rng, 0.05, 784, 10), zeros(10),
    ]  # fmt: skip
    X = drawn(rng, 1, 64, 1, 28, 28)
    return Spec(X=X, Y=one_hot(y, 10), y=y, steps=10, lr=0.05, params=params, rtol=2e-3)


def transformer_small():
    """One causal block with the norms first: width 128, 4 heads, 16 texts of 64 out of 64 words; 5 steps."""
    rng = np.random.default_rng(6)
    d, heads, T, B, V = 128, 4, 64, 16, 64
    params = [
        drawn(rng, 0.5, V, d), drawn(rng, 0.1, T, d), ones(d), zeros(d),
        drawn(rng, 0.06, d, 3 * d), drawn(rng, 0.06, d, d), ones(d), zeros(d),
        drawn(rng, 0.06, d, 4 * d), zeros(4 * d), drawn(rng, 0.04, 4 * d, d), zeros(d),
        ones(d), zeros(d), drawn(rng, 0.08, d, V),
    ]  # fmt: skip
    text = rng.integers(0, V, (B, T + 1))
    y = text[:, 1:].reshape(-1).copy()
    mask = np.where(np.tri(T, dtype=bool), 0, -1e9).astype(F32)
    sizes = {"d": d, "heads": heads, "T": T, "B": B, "V": V}
    return Spec(
        tokens=text[:, :-1].copy(), y=y, Y=one_hot(y, V), mask=mask, **sizes, steps=5, lr=0.1, params=params, rtol=2e-3
    )


def lstm():
    """An LSTM layer, 50 steps, batch 32, 32 features to 64: the sum of squares of its outputs, and all gradients.

    `weights` are PyTorch's: for the input, for the state, and a bias of each, with the gates in the order input,
    forget, candidate, output.
    """
    rng = np.random.default_rng(8)
    T, B, features, hidden = 50, 32, 32, 64
    bound = hidden**-0.5
    shapes = (4 * hidden, features), (4 * hidden, hidden), (4 * hidden,), (4 * hidden,)
    weights = [rng.uniform(-bound, bound, shape).astype(F32) for shape in shapes]
    x = drawn(rng, 1, T, B, features)
    return Spec(x=x, weights=weights, features=features, hidden=hidden, iters=3, rtol=1e-3)


def batchnorm_cnn():
    """A convolution 3 x 3 (1-8 channels), BatchNorm, relu, pooling, and a linear layer: 10 steps, 64 images of 28 x 28.

    BatchNorm takes the mean and the variance of the batch; the convolution has no bias, which that would cancel.
    """
    rng = np.random.default_rng(9)
    y = rng.integers(0, 10, 64)
    params = [drawn(rng, 0.47, 8, 1, 3, 3), ones(8), zeros(8), drawn(rng, 0.03, 1568, 10), zeros(10)]
    X = drawn(rng, 1, 64, 1, 28, 28)
    return Spec(X=X, Y=one_hot(y, 10), y=y, steps=10, lr=0.05, eps=1e-5, params=params, rtol=2e-3)


def vae():
    """A variational autoencoder, 784-256-(16 means, 16 log-variances)-256-784, batch 128: 10 steps of Adam.

    The loss is the negative ELBO of black and white pixels, by logits, as a mean over images.  The noise is given.
    """
    rng = np.random.default_rng(10)
    steps, B, pixels, hidden, latent = 10, 128, 784, 256, 16
    X = (rng.random((B, pixels)) < rng.random(pixels) ** 2).astype(F32)
    noise = drawn(rng, 1, steps, B, latent)
    params = layers(rng, [pixels, hidden, 2 * latent]) + layers(rng, [latent, hidden, pixels])
    batches = [(X, noise[i]) for i in range(steps)]
    return Spec(batches=batches, latent=latent, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, params=params, rtol=5e-3)


def gaussian_process():
    """The negative log marginal likelihood of 200 points under a Gaussian process: 10 steps of gradient descent.

    The kernel is s^2 exp(-r^2 / 2 l^2) with noise of variance n^2; the parameters are log l, log s and log n.
    """
    rng = np.random.default_rng(11)
    x = np.sort(rng.uniform(0, 10, 200))
    y = np.sin(2 * x) + 0.1 * rng.standard_normal(200)
    theta = np.log([1.0, 1.0, 0.3])
    return Spec(squares=(x[:, None] - x) ** 2, y=y, steps=10, lr=1e-3, params=[theta], rtol=1e-6)


def adam_large():
    """Adam on 10^7 numbers of float32, with given gradients: three steps."""
    rng = np.random.default_rng(12)
    start, *gradients = (rng.standard_normal(10_000_000, F32) for _ in range(4))
    return Spec(params=[start], gradients=gradients, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, rtol=1e-4)
