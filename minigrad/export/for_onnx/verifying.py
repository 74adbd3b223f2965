"""Whether a model of ONNX is valid, and computes what the function does."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from onnx import checker
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from minigrad.core import unwrap
from minigrad.errors.exporting import not_valid, other_results
from minigrad.export.for_onnx.arguments import Arguments
from minigrad.tree import flatten


class Erf(OpRun):
    """The error function in the precision of its operand, of which the reference's own keeps seven digits."""

    op_domain = ""

    def _run(self, x: Any) -> tuple[Any]:
        return (np.array([math.erf(number) for number in np.ravel(x)], x.dtype).reshape(x.shape),)


TOLERANCES = {"f4": 1e-4, "f8": 1e-9}  # of the largest number of an output
_ROUNDINGS = 10  # of 1, which are allowed too: all numbers may be what rounding has left of 0


def verified(
    model: Any, f: Callable[..., Any], arguments: Arguments, other: Mapping[str, int], outputs: Sequence[str]
) -> None:
    """Raise if the model is not valid, or gives other results than the function, at any of some sizes."""
    name = model.graph.name
    try:
        checker.check_model(model, full_check=True)
    except Exception as error:
        raise not_valid(name, error) from error
    run = runner(model)
    ones = dict.fromkeys(other, 1)
    for sizes in [arguments.sizes, dict(other), ones] if other else [{}]:
        leaves = arguments.resized(sizes)
        try:
            wanted = results_of(f, arguments.as_tensors(leaves))
        except Exception:
            if sizes == ones and sizes != arguments.sizes:
                continue  # a function need not be one of a single element
            raise
        try:
            found = run({own: np.asarray(leaves[i]) for i, own in arguments.inputs})
        except Exception as error:
            raise other_results(name, sizes, f"{type(error).__name__}: {error}") from error
        for output, y, z in zip(outputs, wanted, found, strict=True):
            if (difference := unlike(y, np.asarray(z))) is not None:
                raise other_results(name, sizes, f"of {output!r} {difference}")


def results_of(f: Callable[..., Any], args: tuple[Any, ...]) -> list[Any]:
    """What the function itself returns, as arrays."""
    with np.errstate(all="ignore"):  # of sizes that nobody asked for
        return [np.asarray(unwrap(y)) for y in flatten(f(*args))[0]]


def reference(model: Any) -> Callable[[Mapping[str, Any]], list[Any]]:
    """What computes the model by ONNX's own reference."""
    session = ReferenceEvaluator(model, new_ops=[Erf])

    def run(feeds: Mapping[str, Any]) -> list[Any]:
        with np.errstate(all="ignore"):
            return list(session.run(None, dict(feeds)))

    return run


def runner(model: Any) -> Callable[[Mapping[str, Any]], list[Any]]:
    """What computes the model: onnxruntime, or where that cannot, ONNX's own reference."""
    try:
        import onnxruntime  # type: ignore[import-not-found,import-untyped,unused-ignore]  # optional
    except ImportError:
        return reference(model)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    except Exception as error:  # its own classes of errors have no common one
        if type(error).__name__ == "NotImplemented" or "opset" in str(error):  # no kernel, or a version too new for it
            return reference(model)
        raise not_valid(model.graph.name, error) from error
    return lambda feeds: list(session.run(None, dict(feeds)))


def unlike(wanted: Any, found: Any) -> str | None:
    """How two results differ in words; None if they do not."""
    if (wanted.shape, wanted.dtype) != (found.shape, found.dtype):
        return f"the function gives {wanted.dtype} {wanted.shape}, and the graph {found.dtype} {found.shape}"
    if wanted.dtype.kind != "f":
        count = int(np.sum(wanted != found))
        return f"{count} of {wanted.size} elements differ" if count else None
    finite = np.isfinite(wanted)
    same = np.array_equal(finite, np.isfinite(found))
    if not same or not np.array_equal(wanted[~finite], found[~finite], equal_nan=True):
        return "NaN or infinite numbers are in other places"
    if not finite.any():
        return None
    scale = np.max(np.abs(wanted[finite]))
    error = np.max(np.abs(wanted[finite] - found[finite]))
    allowed = TOLERANCES[wanted.dtype.str[1:]] * scale + _ROUNDINGS * np.finfo(wanted.dtype).eps
    return None if error <= allowed else f"the largest difference is {error:.2g}, and the largest number {scale:.2g}"
