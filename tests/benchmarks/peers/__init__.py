"""The peers of compare.py, one file each, with a function for each workload that it can do.

`NAME(spec)` prepares and returns `run()`, which does the whole of the workload from the spec's start, waits for
results that are lazy, and returns them as arrays.  Only calls of `run()` are timed.
"""

from functools import partial


def identity(function):
    """In the place of a compiler, where there is none."""
    return function


def wrapped(module, wrap, names):
    """The functions of those names in a module, which take a compiler as their argument `wrap`, with that compiler."""
    return {name: partial(getattr(module, name), wrap=wrap) for name in names}
