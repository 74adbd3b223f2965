"""The chance of the page, in Python: as its `chance.js`, and as `minimize` takes it."""

import itertools
import math

import numpy as np

NOISE, ORDER = 1, 2  # streams


def _mixed(x):
    x ^= x >> 16
    x = x * 0x85EBCA6B % 2**32
    x ^= x >> 13
    x = x * 0xC2B2AE35 % 2**32
    return x ^ (x >> 16)


def uniform(seed, stream, number):
    """A number between 0 and 1."""
    word = _mixed((number + _mixed((stream + _mixed((seed + 0x9E3779B9) % 2**32)) % 2**32)) % 2**32)
    return (word + 0.5) / 2**32


def normal(seed, number):
    """A normal number."""
    radius = math.sqrt(-2 * math.log(uniform(seed, NOISE, 2 * number)))
    return radius * math.cos(2 * math.pi * uniform(seed, NOISE, 2 * number + 1))


def noise(seed, size):
    """What `minimize` takes as noise."""
    numbers = itertools.count()

    def draw(shape):
        return size * np.array([normal(seed, next(numbers)) for _ in range(math.prod(shape))]).reshape(shape)

    return draw


def batches(seed, rows, size):
    """What `minimize` takes as batches."""
    for epoch in itertools.count():
        order = list(range(rows))
        for i in range(rows - 1, 0, -1):
            j = math.floor(uniform(seed, ORDER + epoch, i) * (i + 1))
            order[i], order[j] = order[j], order[i]
        yield from (order[i : i + size] for i in range(0, rows, size))
