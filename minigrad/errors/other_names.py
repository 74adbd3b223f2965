"""What is said of names that PyTorch or NumPy has and minigrad has not: attributes of Tensors and modules, keywords."""

from collections.abc import Callable, Sequence
from typing import Any

from minigrad.errors import DTypeError
from minigrad.errors.words import shapes

_ONE_DEVICE = "leave it out, as there is one device, the CPU"

# What to write for an attribute of other libraries' arrays.  The tests run what stands here.
_INSTEAD = {
    "add_": "x += y",
    "amax": "x.max(axis=i)",
    "amin": "x.min(axis=i)",
    "bmm": "x @ z",
    "bool": "x.astype('bool')",
    "cat": "minigrad.concat([x, y], axis=i)",
    "chunk": "minigrad.split(x, n, axis=i)",
    "clamp": "x.clip(low, high)",
    "clamp_": "x = x.clip(low, high)",
    "clone": "minigrad.asarray(x, copy=True)",
    "copy": "minigrad.asarray(x, copy=True)",
    "copy_": "x[...] = y",
    "detach_": "x = x.detach()",
    "dim": "x.ndim",
    "div": "x / y",
    "div_": "x /= y",
    "double": "x.astype('float64')",
    "eq": "x == y",
    "expand": "minigrad.broadcast_to(x, shape)",
    "expand_as": "minigrad.broadcast_to(x, y.shape)",
    "fill": "x[...] = v",
    "fill_": "x[...] = v",
    "float": "x.astype('float32')",
    "gather": "minigrad.take_along_axis(x, indices, axis=i)",
    "ge": "x >= y",
    "gt": "x > y",
    "H": "minigrad.conj(x).mT",
    "half": "x.astype('float16')",
    "index_select": "x.take(indices, axis=i)",
    "int": "x.astype('int32')",
    "itemsize": "x.dtype.itemsize",
    "le": "x <= y",
    "long": "x.astype('int64')",
    "lt": "x < y",
    "masked_fill": "minigrad.where(mask, v, x)",
    "masked_fill_": "x[mask] = v",
    "mm": "x @ z",
    "movedim": "minigrad.moveaxis(x, i, j)",
    "mul": "x * y",
    "mul_": "x *= y",
    "narrow": "x[start:stop]",
    "nbytes": "x.data.nbytes",
    "ndimension": "x.ndim",
    "ne": "x != y",
    "neg": "-x",
    "nelement": "x.size",
    "new_ones": "minigrad.ones(shape, dtype=x.dtype)",
    "new_zeros": "minigrad.zeros(shape, dtype=x.dtype)",
    "norm": "minigrad.linalg.norm(x)",
    "normal_": "minigrad.nn.init.normal_(x)",
    "numel": "x.size",
    "permute": "minigrad.permute_dims(x, axes), or x.transpose(axes)",
    "relu": "minigrad.nn.functional.relu(x)",
    "reshape_as": "x.reshape(y.shape)",
    "rsqrt": "1 / x.sqrt()",
    "scatter_": "x = minigrad.scatter(x, indices, y, axis=i)",
    "scatter_add_": "x = minigrad.scatter_add(x, indices, y, axis=i)",
    "strides": "x.data.strides",
    "sub": "x - y",
    "sub_": "x -= y",
    "t": "x.T",
    "type": "x.astype(dtype)",
    "unbind": "minigrad.unstack(x, axis=i)",
    "uniform_": "minigrad.nn.init.uniform_(x)",
    "unsqueeze": "x[:, None], or minigrad.expand_dims(x, axis=i)",
    "view": "x.reshape(shape)",
    "view_as": "x.reshape(y.shape)",
    "zero_": "x[...] = 0",
}

# Those that are functions here and no methods.
_FUNCTIONS = (
    "add atan broadcast_to ceil conj cummax cummin expm1 flip floor imag isnan log10 log1p log2 logcumsumexp matmul "
    "maximum median minimum nonzero outer pow real reciprocal roll scatter scatter_add scatter_reduce searchsorted "
    "sigmoid sinh sort split stack tan tile topk tril triu where"
)

# An attribute that a Tensor has not, but those of PyTorch or NumPy's arrays have, and what to do instead.
OF_OTHER_TENSORS = {
    **{name: f"write {code}" for name, code in _INSTEAD.items()},
    **{name: f"it is a function, minigrad.{name}" for name in _FUNCTIONS.split()},
    "contiguous": "leave it out, as memory of any layout will do",
    "cpu": _ONE_DEVICE,
    "cuda": _ONE_DEVICE,
    "grad_fn": "what computed a value is x.node.op",
    "pin_memory": _ONE_DEVICE,
    "to": "write x.astype(dtype) for another dtype; there is one device, the CPU",
}

_OF_OTHER_MODULES = {
    "compile": "leave it out, as nothing is compiled here",
    "cpu": _ONE_DEVICE,
    "cuda": _ONE_DEVICE,
    "half": "write model.astype('float16')",
    "to": "write model.astype(dtype) for another dtype; there is one device, the CPU",
}


def of_other_tensors(name: str) -> AttributeError:
    """For an attribute of other libraries' arrays."""
    # Without the object, or Python would add an attribute that is merely spelt like it.
    return AttributeError(f"a Tensor has no {name!r} here: {OF_OTHER_TENSORS[name]}", name=name, obj=None)


def no_attribute(module: Any, name: str) -> AttributeError:
    """For an attribute of a module that is not there; Python adds what may have been meant."""
    said = f"{type(module).__name__} has no attribute {name!r}"
    if name in _OF_OTHER_MODULES:
        return AttributeError(f"{said} here: {_OF_OTHER_MODULES[name]}", name=name, obj=None)
    return AttributeError(said, name=name, obj=module)


_KEYWORDS = {
    "dim": "axis=",
    "keepdim": "keepdims=",
    "dims": "axes=",
    "unbiased": "correction=",
    "p": "ord=",
}
_OF_SPLIT = "; its number is that of the parts, as in NumPy, and not their size, as in PyTorch"


def other_keyword(said: str, name: str) -> TypeError | None:
    """For what Python says of a call, if its keyword, or the form of its shape, is PyTorch's; else None."""
    if name in ("zeros", "ones", "empty") and said.startswith(f"{name}() takes 1 positional argument"):
        return TypeError(f"{said}: write the shape as one tuple, as in minigrad.{name}((2, 3))")
    start = f"{name}() got an unexpected keyword argument "
    ours = _KEYWORDS.get(said.removeprefix(start).strip("'"))
    if ours is None or not said.startswith(start):
        return None
    return TypeError(f"{said}: write {ours}, as in NumPy{_OF_SPLIT if name == 'split' else ''}")


def input_to_constructor(layer: type, function: Callable[..., Any], given: Sequence[Any]) -> DTypeError:
    """For a layer that is made of what it shall be called with."""
    code = getattr(function, "__wrapped__", function).__code__  # a primitive wraps what was defined
    names = ", ".join(code.co_varnames[: len(given)])
    return DTypeError(
        f"{layer.__name__} is made with options, and was given arrays of shapes {shapes(given)}: build it first and "
        f"call it then, as in nn.{layer.__name__}()({names}), or call the function, F.{function.__name__}({names})"
    )
