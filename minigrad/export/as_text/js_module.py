"""To JavaScript: a function, or a whole step of training, as a module without imports."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np

from minigrad.export.as_text.js_language import ARRAYS, JavaScript, functions_of
from minigrad.export.as_text.routine import Routine, Slot, routine_of
from minigrad.export.as_text.writing import RoutineWriter, indented
from minigrad.tree import branches_of

TARGET = "export.javascript"
_LANGUAGE = JavaScript()


def javascript(f: Callable[..., Any], *examples: Any, name: str | None = None) -> str:
    """Write a function as a module of JavaScript.

    Parameters
    ----------
    f : callable, or Module
        Of trees of arrays; it returns a tree of Tensors.  A model has to be in evaluation mode.  A step of training
        calls ``backward()`` and ``optimizer.step()`` as ever; nothing of it is changed here.
    *examples
        What to trace it with: the result is for arguments of the same shapes and dtypes.  Integers, bools and strings
        are fixed.  The function is called twice with them.
    name : str, optional
        Of the function in JavaScript; by default its own.

    Returns
    -------
    str
        A module, whose default export is the function.  It takes numbers, and arrays of numbers in C's order
        (``Float64Array`` or a plain array, not nested), in lists and objects as the examples are in lists, tuples and
        dicts; it returns numbers and new typed arrays, in the form of what `f` returns.  What the function changes
        outside of itself, such as parameters, is in its property ``state``.  Another export, ``create``, makes
        functions with a state of their own.

    Raises
    ------
    ProgramError
        If the function cannot be traced, a model is in training, or not all calls do the same: where the first one
        makes what later ones go on with, such as the buffers of momentum, or something in Python changes.
    UnsupportedError
        If JavaScript has nothing for an operation or a dtype, if what an operation does depends on values, or if the
        function draws random numbers; it names the operation and its line.

    Notes
    -----
    Numbers are in double precision, and float32 is rounded after each operation.  Whole numbers are doubles, and a
    ``RangeError`` is thrown where they get too large to be exact; so it is for an index out of range.  The functions
    of ``Math`` are those of the browser, which may differ from NumPy's by a few units in the last place.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> text = mg.export.javascript(mg.value_and_grad(lambda w: mg.sum(w * w)), np.ones(2), name="loss")
    >>> print(text.splitlines()[-1])
    export default create();
    """
    return f"export const create = {factory(f, *examples, name=name)};\nexport default create();\n"


def factory(f: Callable[..., Any], *examples: Any, name: str | None = None, is_first_call: bool = False) -> str:
    """An expression of JavaScript: a function that makes the function, of a state that it is given or of its own."""
    routine = routine_of(TARGET, f, examples, _LANGUAGE, name, is_first_call)
    names = {slot.view.buffer: slot.name for slot in (*routine.arguments, *routine.results)}
    arrays = [slot for slot in routine.state if slot.shape]
    names |= {slot.view.buffer: slot.name if slot.shape else f"state.{slot.name}" for slot in routine.state}
    writer = RoutineWriter(routine, _LANGUAGE, names)
    body = writer.body_of_all()
    outside = [f"const {name} = {_values(b.array, b.dtype)};" for b, name in writer.constants.items()]
    outside += [f"const {n} = new {ARRAYS[b.dtype.char]}({b.array.size});" for b, n in writer.arrays.items()]
    initial = ", ".join(f"{slot.name}: {_initial(slot)}" for slot in routine.state)
    lines = [f"function create(state = {{{initial}}}) {{" if routine.state else "function create() {"]
    lines += [line.strip() for text in functions_of(body) for line in text.rstrip().split("\n")]
    lines += outside
    lines += [f"function {routine.name}({', '.join(f'a{i}' for i in range(len(routine.examples)))}) {{"]
    lines += reading(routine)
    lines += [f"const {slot.name} = state.{slot.name};" for slot in arrays]
    lines += [_made(slot) for slot in routine.results]
    lines += [_LANGUAGE.variable(b.dtype, name, "0") for b, name in writer.numbers.items()]
    lines += [*body, f"return {returned(routine)};", "}"]
    lines += [f"{routine.name}.state = state;"] if routine.state else []
    lines += [f"return {routine.name};", "}"]
    return indented(lines, 0)


def reading(routine: Routine) -> list[str]:
    """Lines that take the arguments out of their trees, and look whether they have the form that they should."""
    leaves = [path for i, example in enumerate(routine.examples) for path in _paths(example, f"a{i}")]
    lines = []
    for slot in routine.arguments:
        path, count = leaves[slot.number], int(np.size(slot.value))
        wanted = f"an array of {count} numbers" if slot.shape else "a number"
        right = f"{path}?.length === {count}" if slot.shape else f'typeof {path} === "number"'
        what = _text(f"{slot.label} has to be {wanted}")
        lines.append(f"if (!({right})) throw new TypeError({what});")
        if slot.dtype.kind in "iu":
            every = f"Array.from({path}, Number).every(Number.isInteger)" if slot.shape else f"Number.isInteger({path})"
            lines.append(f"if (!{every}) throw new TypeError({_text(f'{slot.label} has to be whole')});")
        lines.append(f"const {slot.name} = {_as_given(slot, path)};")
    return lines


def _as_given(slot: Slot, path: str) -> str:
    """An argument in its dtype, as far as numbers of JavaScript can be something else."""
    if slot.dtype.char == "f":
        as_array = f"{path} instanceof Float32Array ? {path} : Float32Array.from({path})"
        return as_array if slot.shape else f"Math.fround({path})"
    if slot.dtype.kind == "b":
        return f"Uint8Array.from({path}, Boolean)" if slot.shape else f"+({path} != 0)"
    return path


def _paths(tree: Any, path: str) -> list[str]:
    """How JavaScript gets at each leaf: what has names is an object, and what has numbers an array."""
    parts = branches_of(tree)
    if parts is None:
        return [path]
    return [leaf for key, part in parts.items() for leaf in _paths(part, f"{path}?.[{_text(key)}]")]


class _Name(str):
    __slots__ = ()


def returned(routine: Routine) -> str:
    """The results in their tree, as JavaScript writes it."""
    return _literal(routine.form([_Name(slot.name) for slot in routine.results]))


def _literal(tree: Any) -> str:
    parts = branches_of(tree)
    if parts is None or tree is None:
        return "null" if tree is None else str(tree)
    if isinstance(tree, list | tuple):
        return f"[{', '.join(map(_literal, parts.values()))}]"
    # The names in brackets, since `__proto__` without them is none.
    return "{" + ", ".join(f"[{_text(key)}]: {_literal(part)}" for key, part in parts.items()) + "}"


def _text(key: Any) -> str:
    """A literal that cannot end the script around it."""
    return json.dumps(key if isinstance(key, int) else str(key)).replace("<", "\\u003c")


def _made(slot: Slot) -> str:
    if not slot.shape:
        return f"let {slot.name} = 0;"
    return f"const {slot.name} = new {ARRAYS[slot.dtype.char]}({slot.view.buffer.array.size});"


def _initial(slot: Slot) -> str:
    if not slot.shape:
        return "0" if slot.value is None else _LANGUAGE.number(np.asarray(slot.value)[()], slot.dtype)
    if slot.value is None:
        return f"new {ARRAYS[slot.dtype.char]}({slot.view.buffer.array.size})"
    return _values(slot.value, slot.dtype)


def _values(array: np.ndarray, dtype: Any) -> str:
    if array.size and not array.any():
        return f"new {ARRAYS[dtype.char]}({array.size})"
    return f"{ARRAYS[dtype.char]}.of({', '.join(_LANGUAGE.numbers(array.astype(dtype)))})"
