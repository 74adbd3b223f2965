"""To C: a function, or a whole step of training, as one file and its header."""

import os
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from minigrad.compiling.expressions import C_TYPES
from minigrad.compiling.statements import Buffer
from minigrad.compiling.units import placed
from minigrad.errors import ArgumentError
from minigrad.export.as_text.c_language import C, functions_of
from minigrad.export.as_text.names import identifier
from minigrad.export.as_text.routine import Routine, Slot, routine_of
from minigrad.export.as_text.writing import RoutineWriter, indented
from minigrad.replacing import replace_file

TARGET = "export.c"
WIDTH = 100
_LANGUAGE = C()
_CONTRACTION = """\
/* Sums and products are rounded one by one, as NumPy does: no fused multiply-add, and no -ffast-math. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif
"""
_HEADER = """\
/* {name}, made by minigrad: {what} */
#ifndef {guard}
#define {guard}

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {{
#endif

{struct}/* 0, or 1 if a value is none that it is made for; nothing is changed then.  What it fills must not overlap with
   what it reads, and two calls must not run at the same time. */
{head};

#ifdef __cplusplus
}}
#endif

#endif
"""
_STRUCT = """\
/* What every call {what}, and what it may be told to begin with. */
struct {name} {{
{fields}
}};
extern {const}struct {name} {name};

"""


def c(
    f: Callable[..., Any],
    *examples: Any,
    path: str | os.PathLike[str],
    name: str | None = None,
    weights: str = "included",
) -> list[Path]:
    """Write a function as C that needs nothing but its mathematical functions.

    Loops over elements, with all memory static: for what it needs no system, no heap, and no other file.  What the
    function changes outside of itself, as a step of training changes parameters and the state of an optimizer, is a
    struct that every call reads and writes.

    Parameters
    ----------
    f : callable, or Module
        Of trees of arrays; it returns a tree of Tensors.  A model has to be in evaluation mode.  A step of training
        calls ``backward()`` and ``optimizer.step()`` as ever; nothing of it is changed here.
    *examples
        What to trace it with: the result is for arguments of the same shapes and dtypes.  Integers, bools and strings
        are fixed.  The function is called twice with them.
    path : path-like
        Of the file, which ends in ``.c``; the header beside it ends in ``.h``.
    name : str, optional
        Of the function in C; by default that of the file.
    weights : {"included", "apart"}
        Whether the struct has its values in the file, or they are in one beside it that ends in ``.bin``: the bytes of
        the struct, in the order of a little-endian machine, to be read into it before the first call.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ProgramError
        If the function cannot be traced, a model is in training, or not all calls do the same: where the first one
        makes what later ones go on with, such as the buffers of momentum, or something in Python changes.
    UnsupportedError
        If C has nothing for an operation or a dtype (complex numbers, half precision), if what an operation does
        depends on values, or if the function draws random numbers; it names the operation and its line.
    ValueError
        If the path does not end in ``.c``, or an argument is none of those above.

    Notes
    -----
    The function gets the arguments in their order, arrays in C's order and single numbers by value, and pointers to
    what it is to fill.  It returns 0, or 1 if a value is none that it was traced for, such as an index out of range;
    the struct is as it was then.  Where only ``+ - * /`` and square roots occur the results are NumPy's to the last
    bit, apart from products of matrices, whose terms are summed in their order; other functions are those of the C
    library.

    Examples
    --------
    >>> import numpy as np
    >>> import tempfile
    >>> from pathlib import Path
    >>> import minigrad as mg
    >>> path = Path(tempfile.mkdtemp()) / "norm.c"
    >>> files = mg.export.c(lambda x: mg.sqrt(mg.sum(x * x)), np.ones(3), path=path)
    >>> print(path.with_suffix(".h").read_text().splitlines()[-7])
    int norm(const double x[3], double result[1]);
    """
    path = Path(path)
    if path.suffix != ".c":
        raise ArgumentError(f"export.c writes files of C: path=..., ending in .c, not {path.name!r}")
    if weights not in ("included", "apart"):
        raise ArgumentError(f"export.c: weights are 'included' or 'apart', not {weights!r}")
    routine = routine_of(TARGET, f, examples, _LANGUAGE, identifier(path.stem, ()) if name is None else name)
    file = CFile(routine, path.with_suffix(".h").name, weights == "included")
    made = {path: file.source().encode(), path.with_suffix(".h"): file.header().encode()}
    if weights == "apart" and file.state:
        made[path.with_suffix(".bin")] = b"".join(map(_bytes, file.state)).ljust(file.size, b"\0")
    return write_files(TARGET, made)


def write_files(target: str, contents: Mapping[Path, bytes]) -> list[Path]:
    """Write files, each of which is whole or not there."""
    for path, content in contents.items():
        replace_file(path, partial(_write, content), f"{target}(..., path=...)")
    return list(contents)


def _write(content: bytes, file: BinaryIO) -> None:
    file.write(content)


class CFile:
    """A routine as a file of C and its header."""

    def __init__(self, routine: Routine, header: str, included: bool) -> None:
        self.routine, self.header_name, self.included = routine, header, included
        self.name, self.struct = routine.name, f"{routine.name}_state"
        # The largest elements go first, so that there is nothing between them.
        self.state = sorted(routine.state, key=lambda slot: -slot.dtype.itemsize)
        names = {slot.view.buffer: slot.name for slot in routine.arguments}
        names |= {slot.view.buffer: slot.name if slot.shape else f"*{slot.name}" for slot in routine.results}
        names |= {slot.view.buffer: f"{self.struct}.{slot.name}" for slot in routine.state}
        self.writer = RoutineWriter(routine, _LANGUAGE, names)
        self.lines = self.writer.body_of_all()
        text = re.sub(r"/\*.*?\*/", "", "\n".join(self.lines))
        # Names that are read, and not only assigned to.
        self.words = set(re.findall(r"\w+", re.sub(r"(?m)^\w+ = ", "", text)))

    @property
    def _const(self) -> str:
        return "" if self.routine.written or not self.included else "const "

    @property
    def size(self) -> int:
        """How many bytes the struct has: whole elements of its largest type."""
        size = sum(len(_bytes(slot)) for slot in self.state)
        return -(-size // self.state[0].dtype.itemsize) * self.state[0].dtype.itemsize

    def head(self) -> str:
        """The function's first line."""
        given = [_parameter(slot, "const ") for slot in self.routine.arguments]
        filled = [_parameter(slot, "") for slot in self.routine.results]
        return f"int {self.name}({', '.join([*given, *filled]) or 'void'})"

    def header(self) -> str:
        """The header."""
        struct = ""
        if self.state:
            struct = _STRUCT.format(
                what="reads and changes" if self.routine.written else "reads",
                name=self.struct,
                const=self._const,
                fields="\n".join(f"  {_declared(slot)}; /* {_comment(slot.label)} */" for slot in self.state),
            )
        return _HEADER.format(
            name=self.name,
            what=_described(self.routine),
            guard=f"{self.name.upper()}_H",
            struct=struct,
            head=self.head(),
        )

    def source(self) -> str:
        """The file."""
        own = functions_of(self.lines)
        parts = [
            f"/* {self.name}, made by minigrad: {_described(self.routine)} */\n",
            _CONTRACTION,
            f'#include "{self.header_name}"\n#include <math.h>\n',
            self._initial(),
            "".join(
                f"static const {C_TYPES[b.dtype.char]} {name}[] = {_values(b.array)};\n"
                for b, name in self.writer.constants.items()
                if name in self.words
            ),
            self._memory(),
            own,
            "\n".join([f"{self.head()} {{", indented([*self._numbers(), *self.lines, "return 0;"]), "}\n"]),
        ]
        return "\n".join(part for part in parts if part)

    def _initial(self) -> str:
        if not self.state:
            return ""
        if not self.included:
            check = f"typedef char {self.struct}_has_no_gaps[sizeof(struct {self.struct}) == {self.size} ? 1 : -1];\n"
            return f"{check}struct {self.struct} {self.struct};\n"
        values = ",\n".join(
            f"  .{slot.name} = {_values(slot.value) if slot.shape else _LANGUAGE.number(_number(slot), slot.dtype)}"
            for slot in self.state
        )
        return f"{self._const}struct {self.struct} {self.struct} = {{\n{values}\n}};\n"

    def _numbers(self) -> list[str]:
        """Single numbers that are computed in between; and what says that nobody needs a name."""
        numbers = self.writer.numbers.items()
        slots = (*self.routine.arguments, *self.routine.results)
        names = [*(slot.name for slot in slots), *(name for _, name in numbers)]
        lines = [_LANGUAGE.variable(b.dtype, name, "0") for b, name in numbers]
        return lines + [f"(void){name};" for name in names if name not in self.words]

    def _memory(self) -> str:
        """Arrays that are computed in between: of each type one piece of memory, which they share by turns."""
        lines = []
        kinds: dict[str, list[tuple[int, int, str, int]]] = {}
        for first, last, buffer, name in self.writer.spans_of_arrays():
            kinds.setdefault(C_TYPES[buffer.dtype.char], []).append((first, last, name, _count(buffer)))
        for kind, lives in kinds.items():
            places, size = placed(lives)
            lines.append(f"static {kind} memory_of_{kind}[{size}];")
            lines += [f"#define {name} (memory_of_{kind} + {start})" for name, start in places]
        return "\n".join([*lines, ""]) if lines else ""


def _count(buffer: Buffer) -> int:
    return max(buffer.size // buffer.dtype.itemsize, 1)


def _parameter(slot: Slot, const: str) -> str:
    kind = C_TYPES[slot.dtype.char]
    if not slot.shape:
        return f"{kind} {slot.name}" if const else f"{kind} {slot.name}[1]"
    return f"{const}{kind} {slot.name}[{max(slot.view.buffer.array.size, 1)}]"


def _declared(slot: Slot) -> str:
    size = f"[{max(slot.view.buffer.array.size, 1)}]" if slot.shape else ""
    return f"{C_TYPES[slot.dtype.char]} {slot.name}{size}"


def _number(slot: Slot) -> Any:
    return 0 if slot.value is None else np.asarray(slot.value)[()]


def _values(array: Any) -> str:
    """The elements of an array, in lines."""
    if array is None or not np.size(array):
        return "{0}"
    lines, line = [], ""
    for text in _LANGUAGE.numbers(array):
        if len(line) + len(text) > WIDTH:
            lines.append(line.rstrip())
            line = ""
        line += f"{text}, "
    return "{\n    " + "\n    ".join([*lines, line.rstrip(", ")]) + "}"


def _bytes(slot: Slot) -> bytes:
    value = np.zeros(max(slot.view.buffer.array.size, 1), slot.dtype) if slot.value is None else slot.value
    return np.ascontiguousarray(value, slot.dtype.newbyteorder("<")).tobytes() or bytes(slot.dtype.itemsize)


def _described(routine: Routine) -> str:
    """What goes in and comes out, with shapes."""

    def named(slots: Sequence[Slot]) -> str:
        return ", ".join(f"{_comment(slot.label)} {slot.dtype}{list(slot.shape)}" for slot in slots) or "nothing"

    return f"from {named(routine.arguments)} to {named(routine.results)}"


def _comment(text: str) -> str:
    """Text that cannot end a comment."""
    return " ".join(text.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/").split())
