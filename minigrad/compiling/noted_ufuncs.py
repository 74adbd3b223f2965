"""What is noted of a call of a ufunc, of its reductions, and of products of matrices."""

from typing import Any

import numpy as np

from minigrad.compiling.loops import find_loop
from minigrad.compiling.picking import chosen, put, to_write
from minigrad.compiling.recording import Refused, Shown, ShownNumber, check_conversion, current, plain
from minigrad.compiling.statements import Accumulate, Contract, Reduce, View

SMALL = 8192  # elements: NumPy converts so many at a time, and sums each such part by itself


def mapped(ufunc: np.ufunc, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A ufunc of each element."""
    out, where = options.pop("out", None), options.pop("where", True)
    options.pop("casting", None)
    options.pop("subok", None)
    dtype = options.pop("dtype", None)
    if options or ufunc.nout != 1:
        raise Refused(f"{ufunc.__name__} with {', '.join(options) or 'several results'}")
    recorder = current.get()
    values = [plain(x) for x in inputs]
    kinds = [_kind_of(x) for x in values]
    try:
        wanted: Any = {} if dtype is None else {"signature": (*[None] * ufunc.nin, np.dtype(dtype))}
        dtypes = ufunc.resolve_dtypes((*kinds, None), **wanted)
    except TypeError as error:
        raise Refused(str(error)) from None
    loop = find_loop(ufunc, dtypes)
    name = ufunc.__name__
    for x, kind in zip(values, dtypes, strict=False):
        if hasattr(x, "dtype"):
            check_conversion(x.dtype, kind)
    if (loop is None and name != "clip") or any(kind.char not in "?bBhHiIlLqQefdFD" for kind in dtypes):
        raise Refused(f"{name} of {dtypes[0]}")
    if any(kind != dtypes[0] for kind in dtypes[: ufunc.nin]):
        raise Refused(f"{name} of several dtypes")  # such as ldexp
    if out is not None:
        (target,) = out if isinstance(out, tuple) else (out,)
    if out is None or target is None:
        if where is not True:
            raise Refused("where without out")
        made = recorder.made(ufunc(*values) if dtype is None else ufunc(*values, dtype=dtype))
        recorder.map(name, dtypes[0], recorder.view(made), inputs, loop)
        return made
    view = to_write(target)  # before it has the values
    if where is not True or view.dtype != dtypes[-1]:
        temporary = recorder.made(np.zeros(np.broadcast_shapes(target.shape), dtypes[-1]))
        with np.errstate(all="ignore"):
            ufunc(*values, out=plain(temporary))
        recorder.map(name, dtypes[0], recorder.view(temporary), inputs, loop)
        put(target, temporary if where is True else chosen(where, temporary, target))
        return target
    ufunc(*values, out=plain(target))
    recorder.map(name, dtypes[0], view, inputs, loop)
    return target


def _kind_of(x: Any) -> Any:
    """What NumPy chooses a dtype by: of Python's numbers, their class."""
    return type(x) if type(x) in (int, float, complex) else np.asarray(x).dtype


def reduced(
    ufunc: np.ufunc,
    x: Any,
    axis: Any = 0,
    dtype: Any = None,
    out: Any = None,
    keepdims: bool = False,
    initial: Any = np._NoValue,
    where: Any = True,
) -> Any:
    """A reduction along axes."""
    if (out is not None and out != (None,)) or where is not True or isinstance(initial, Shown | ShownNumber):
        raise Refused("a reduction with options")
    recorder = current.get()
    begins = {} if initial is np._NoValue or initial is None else {"initial": initial}
    value = plain(x)
    wanted: Any = {} if dtype is None else {"signature": (np.dtype(dtype), None, None)}
    try:
        kinds = ufunc.resolve_dtypes((None, value.dtype, None), reduction=True, **wanted)
    except TypeError as error:
        raise Refused(str(error)) from None
    kind = kinds[1]
    loop = find_loop(ufunc, kinds)
    if loop is None or len(set(kinds)) != 1:
        raise Refused(f"{ufunc.__name__}.reduce of {value.dtype}")
    result = ufunc.reduce(value, axis=axis, dtype=dtype, keepdims=keepdims, **begins)
    if value.dtype != kind:
        if kind.kind in "fc" and value.size > SMALL:
            raise Refused("a large sum in another dtype")
        x = recorder.duplicate(x, value.astype(kind))
    axes = range(value.ndim) if axis is None else np.lib.array_utils.normalize_axis_tuple(axis, value.ndim)
    kept = [1 if i in axes else n for i, n in enumerate(value.shape)]
    made = recorder.made(np.asarray(result))
    # The same memory, with the axes that are gone.
    strides, left = [], list(recorder.view(made).strides)
    if keepdims:
        strides = left
    else:
        strides = [0 if i in axes else left.pop(0) for i in range(value.ndim)]
    source = recorder.view(x)
    target = recorder.view(made)._replace(shape=tuple(kept), strides=tuple(strides)).spread(source.shape)
    identity = begins.get("initial", ufunc.identity)
    if not value.size and identity is None:
        return made  # which has no elements either
    recorder.note(Reduce(loop, identity, target, source))
    return made


def accumulated(ufunc: np.ufunc, x: Any, axis: int = 0, dtype: Any = None, out: Any = None) -> Any:
    """Each element with the result before it."""
    if out is not None and out != (None,):
        raise Refused("accumulate with out")
    recorder = current.get()
    value = plain(x)
    result = ufunc.accumulate(value, axis=axis, dtype=dtype)
    loop = find_loop(ufunc, (result.dtype,) * 3)
    if loop is None:
        raise Refused(f"{ufunc.__name__}.accumulate of {value.dtype}")
    if value.dtype != result.dtype:
        x = recorder.duplicate(x, value.astype(result.dtype))
    made = recorder.made(result)
    recorder.note(Accumulate(loop, axis % value.ndim, recorder.view(made), recorder.view(x)))
    return made


def contracted(ufunc: np.ufunc, inputs: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """A generalized ufunc: products of vectors and matrices."""
    target = options.pop("out", None)
    target = target[0] if isinstance(target, tuple) else target
    if any(value is not None for value in options.values()) or ufunc not in (np.matmul, np.vecdot):
        raise Refused(f"{ufunc.__name__}")
    recorder = current.get()
    values = [np.asarray(plain(x)) for x in inputs]
    kinds = ufunc.resolve_dtypes((*[x.dtype for x in values], None))
    loop = find_loop(ufunc, kinds)
    if loop is None or kinds[0].char not in "fdFD":
        raise Refused(f"{ufunc.__name__} of {kinds[0]}")
    result = ufunc(*values)
    if target is not None and target.dtype != result.dtype:
        raise Refused(f"{ufunc.__name__} into another dtype")
    sources = []
    for x, value in zip(inputs, values, strict=True):
        if value.dtype != kinds[0]:
            check_conversion(value.dtype, kinds[0])
            x = recorder.duplicate(x, value.astype(kinds[0], order="K"))
        sources.append(recorder.view(x))
    if target is not None:
        recorder.note(_product(loop, to_write(target), *sources))
        plain(target)[...] = result
        return target
    made = recorder.made(np.asarray(result))
    recorder.note(_product(loop, recorder.view(made), *sources))
    return made


def _product(loop: Any, out: View, a: View, b: View) -> Contract:
    if loop.ufunc == "vecdot":
        batch = out.shape
        sources = [x._replace(shape=x.shape[:-1], strides=x.strides[:-1]).spread(batch) for x in (a, b)]
        steps = [0 if x.shape[-1] == 1 else x.strides[-1] for x in (a, b)]
        return Contract(loop, (max(a.shape[-1], b.shape[-1]),), tuple(steps), out, tuple(sources))
    rows = a.shape[-2:-1] if len(a.shape) > 1 else ()
    columns = b.shape[-1:] if len(b.shape) > 1 else ()
    core = len(rows) + len(columns)
    batch = out.shape[: len(out.shape) - core]
    # Of dimensions that an operand lacks, the length is 1 and the stride 0.
    a_steps = a.strides[-2:] if rows else (0, a.strides[-1])
    b_steps = b.strides[-2:] if columns else (b.strides[-1], 0)
    left = list(out.strides[len(batch) :])
    out_steps = (left.pop(0) if rows else 0, left.pop(0) if columns else 0)
    lengths = (rows[0] if rows else 1, a.shape[-1], columns[0] if columns else 1)
    sources = []
    for x in (a, b):
        kept = max(len(x.shape) - 2, 0)
        sources.append(x._replace(shape=x.shape[:kept], strides=x.strides[:kept]).spread(batch))
    target = out._replace(shape=batch, strides=out.strides[: len(batch)])
    return Contract(loop, lengths, (*a_steps, *b_steps, *out_steps), target, tuple(sources))
