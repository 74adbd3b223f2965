"""What is said of NumPy's functions, and of arguments of them, that have no meaning for Tensors."""

from collections.abc import Iterable, Sequence

from minigrad.errors import UnsupportedError
from minigrad.errors.words import nearest

# What people mean by names of functions that are not supported, where spelling would not lead to it.
_MEANT = {
    "clip": "clip", "_ones_like": "ones_like", "polygrid2d": "polyval", "polyval2d": "polyval",
}  # fmt: skip

_VALUE = "or, if no gradient shall flow, give it t.detach().numpy()"

# What to write instead of functions to which none is near.
_INSTEAD = {
    "copyto": "x[...] = values", "fill_diagonal": "x[i, i] = values with i = arange(n)", "place": "x[mask] = values",
    "put": "x[indices] = values, of the flat x = x.reshape(-1)",
    "put_along_axis": "x = minigrad.scatter(x, indices, values, axis=axis)",
    "putmask": "x = where(mask, values, x)",
}  # fmt: skip
_IN_PLACE = {"add": "+=", "subtract": "-=", "multiply": "*=", "divide": "/="}
_OF_OTHER_THINGS = {
    "numpy.lib.recfunctions": "works on records with fields, and a Tensor holds numbers: keep a Tensor for each field",
    "numpy.char": "works on strings, and a Tensor holds numbers",
    "numpy.strings": "works on strings, and a Tensor holds numbers",
    "dates": f"works on dates, and a Tensor holds numbers: convert them before, {_VALUE}",
    "bits": "works on the bits of integers, which have no derivative: give it t.detach().numpy()",
}
_KINDS = {
    **dict.fromkeys(("busday_count", "busday_offset", "datetime_as_string", "is_busday", "isnat"), "dates"),
    **dict.fromkeys(("packbits", "unpackbits"), "bits"),
}


def unsupported(name: str, supported: Sequence[str]) -> UnsupportedError:
    """For a function that no operation stands for.  The names are full ones, with their modules."""
    module, _, last = name.rpartition(".")
    if last in _INSTEAD:
        return UnsupportedError(f"{name} writes into an array, and a Tensor is a value: write {_INSTEAD[last]}")
    if (kind := _KINDS.get(last, module)) in _OF_OTHER_THINGS:
        return UnsupportedError(f"{name} {_OF_OTHER_THINGS[kind]}")
    alike = [x.rpartition(".")[2] for x in supported if x.rpartition(".")[0] == module]
    near = _MEANT.get(name.removeprefix("numpy.")) or _MEANT.get(last) or nearest(last, alike)
    instead = f"the nearest that has one is {near!r}. You can also" if near else "you can"
    return UnsupportedError(
        f"{name} has no derivative in minigrad; {instead} write it with supported functions, make it an operation "
        f"with @minigrad.primitive, {_VALUE}"
    )


def unsupported_at(name: str, operands: int) -> UnsupportedError:
    """For the method `at` of a ufunc, whose full name is given."""
    sign = _IN_PLACE.get(name.rpartition(".")[2])
    what = f"x[i] {sign} v" if sign else f"x[i] = {name}(x[i]{', v' * (operands - 1)})"
    also = ", or where an index repeats x += bincount(i, v, len(x))" if sign == "+=" else ""
    return UnsupportedError(f"{name}.at writes into an array, and a Tensor is a value: write {what}{also}")


def unsupported_arguments(name: str, arguments: Iterable[str]) -> UnsupportedError:
    """For arguments, such as out=, that have no meaning here, of a function whose full name is given."""
    advice = {
        "out": "Results of operations are new Tensors: write y = f(x) instead of f(x, out=y) or of array += x",
        "where": "Write where(c, f(x), y) instead of f(x, where=c)",
        "order": "A Tensor has no order in memory: transpose it, or leave the order to NumPy",
        "axes": "Move the axes with moveaxis before and after",
        "signature": "Write dtype=, or convert the operands with astype",
    }
    words = [text for argument, text in advice.items() if argument in arguments]
    given = ", ".join(arguments) or "too many by position"
    return UnsupportedError(". ".join([f"{name} of a Tensor does not take these arguments: {given}", *words]))
