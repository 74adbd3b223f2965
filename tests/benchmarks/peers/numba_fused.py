"""Values and gradients written by hand as one loop, compiled by numba: what a compiler could reach."""

import math
import os

import numpy as np
from numba import njit, prange, set_num_threads

set_num_threads(int(os.environ.get("NUMBA_NUM_THREADS", "1")))
TILE = 4096
HALF, SMALL = np.float32(0.5), np.float32(0.3)


@njit(fastmath=True)
def descend_rosenbrock(w, steps, lr, clip):
    x, y = w
    for _ in range(steps):
        r = y - x * x
        gx, gy = -2 * (1 - x) - 400 * x * r, 200 * r
        x -= lr * min(max(gx, -clip), clip)
        y -= lr * min(max(gy, -clip), clip)
    w[0], w[1] = x, y


def rosenbrock(spec):
    """All of the loop is compiled."""

    def run():
        w = spec.start.copy()
        descend_rosenbrock(w, spec.steps, spec.lr, spec.clip)
        return [w]

    return run


@njit
def linear_step(w, b, X, y, lr):
    count, features = X.shape
    gw, gb, loss = np.zeros(features), 0.0, 0.0
    for i in range(count):
        r = b[0] - y[i]
        for j in range(features):
            r += X[i, j] * w[j]
        loss += r * r
        gb += r
        for j in range(features):
            gw[j] += r * X[i, j]
    rate = 2 / count * lr
    for j in range(features):
        w[j] -= rate * gw[j]
    b[0] -= rate * gb
    return loss / count


def linreg_minibatch(spec):
    def run():
        w, b = spec.params[0].copy(), np.zeros(1)
        for _ in range(spec.epochs):
            for X, y in spec.batches:
                loss = linear_step(w, b, X, y, spec.lr)
        return [w, b[0], loss]

    return run


@njit(fastmath=True, parallel=True)
def chain(x, gx):
    total = 0.0
    for tile in prange((x.size + TILE - 1) // TILE):
        part = np.float32(0)
        for k in range(tile * TILE, min(x.size, (tile + 1) * TILE)):
            v = x[k]
            a, slope = math.sin(v), math.cos(v)
            d = math.tanh(a * v + HALF)
            f = SMALL * math.exp(d)
            g = math.log(1 + f)
            i = g * d + a
            j = math.cos(i)
            part += j * j + g
            gi = -2 * j * math.sin(i)
            gd = g * gi + (1 + gi * d) * f / (1 + f)
            gc = gd * (1 - d * d)
            gx[k] = (gc * v + gi) * slope + gc * a
        total += part
    return total


def elementwise_chain(spec):
    gradient = np.empty_like(spec.x)

    def run():
        for _ in range(spec.iters):
            value = chain(spec.x, gradient)
        return [value, gradient]

    return run
