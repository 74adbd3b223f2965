"""To WebAssembly: the C of a function, compiled for browsers, and a module of JavaScript that calls it."""

import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from minigrad.errors import ArgumentError, UnsupportedError
from minigrad.errors.files import missing_package
from minigrad.export.as_text.c_file import CFile, write_files
from minigrad.export.as_text.c_language import C
from minigrad.export.as_text.js_module import reading, returned
from minigrad.export.as_text.names import identifier
from minigrad.export.as_text.routine import Slot, routine_of
from minigrad.export.as_text.writing import indented

TARGET = "export.webassembly"
PAGE = 65536  # bytes, by which WebAssembly counts memory
_ARRAYS = {
    "?": "Uint8Array", "b": "Int8Array", "B": "Uint8Array", "h": "Int16Array", "H": "Uint16Array", "i": "Int32Array",
    "I": "Uint32Array", "l": "BigInt64Array", "q": "BigInt64Array", "L": "BigUint64Array", "Q": "BigUint64Array",
    "f": "Float32Array", "d": "Float64Array",
}  # fmt: skip


def webassembly(
    f: Callable[..., Any], *examples: Any, path: str | os.PathLike[str], name: str | None = None
) -> list[Path]:
    """Write a function as WebAssembly, and the module of JavaScript that loads it.

    It is what `c` writes, compiled by the compiler of the package ziglang; it imports nothing.

    Parameters
    ----------
    f, *examples, name
        As for `c`.
    path : path-like
        Of the file, which ends in ``.wasm``; the module beside it ends in ``.js``.

    Returns
    -------
    list of Path
        The files.  The module's default export is a function of the bytes of the first, or of a `Response` or the
        promise of one: ``const step = await load(fetch("step.wasm"))``.  It gives the promise of a function that is
        called as that of `javascript`, with the struct of `c` as its property ``state``: typed arrays in the memory of
        WebAssembly, of one element for single numbers.

    Raises
    ------
    MissingPackageError
        If ziglang is not installed (the extra `jit`).
    ProgramError, UnsupportedError
        As of `c`.
    ValueError
        If the path does not end in ``.wasm``.

    Examples
    --------
    >>> import numpy as np
    >>> import minigrad as mg
    >>> mg.export.webassembly(mg.sin, np.ones(3), path="sin.wasm")  # doctest: +SKIP
    [PosixPath('sin.wasm'), PosixPath('sin.js')]
    """
    path = Path(path)
    if path.suffix != ".wasm":
        raise ArgumentError(f"{TARGET} writes files of WebAssembly: path=..., ending in .wasm, not {path.name!r}")
    if importlib.util.find_spec("ziglang") is None:
        raise missing_package(TARGET, "ziglang", "jit")
    routine = routine_of(TARGET, f, examples, C(), identifier(path.stem, ()) if name is None else name)
    file = CFile(routine, f"{routine.name}.h", True)
    code = _compiled(file)
    script = _script(file).encode()
    return write_files(TARGET, {path: code, path.with_suffix(".js"): script})


def _compiled(file: CFile) -> bytes:
    name = file.name
    exported = [name, "__heap_base", *([file.struct] if file.state else [])]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, f"{name}.h").write_text(file.header(), encoding="utf-8")
        Path(folder, f"{name}.c").write_text(file.source(), encoding="utf-8")
        command = [sys.executable, "-m", "ziglang", "cc", "-target", "wasm32-wasi", "-mexec-model=reactor", "-std=c99"]
        command += [
            "-O2",
            f"{name}.c",
            "-o",
            f"{name}.wasm",
            *(f"-Wl,--export={x}" for x in exported),
            "-Wl,--strip-all",
        ]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        if done.returncode:
            raise UnsupportedError(f"{TARGET}: {' '.join(command)} failed: {done.stderr[-2000:]}")
        return Path(folder, f"{name}.wasm").read_bytes()


def _script(file: CFile) -> str:
    """The module that loads it: arguments and results lie in memory behind all that C has taken."""
    routine, places, end = file.routine, {}, 0
    slots = [slot for slot in (*routine.arguments, *routine.results) if slot.shape or slot in routine.results]
    for slot in slots:
        places[slot.name] = end
        end += -(-max(slot.view.buffer.size, 1) // 16) * 16
    fields, offset = [], 0
    for slot in file.state:
        fields.append(f"{slot.name}: new {_ARRAYS[slot.dtype.char]}(memory.buffer, state + {offset}, {_count(slot)}),")
        offset += _count(slot) * slot.dtype.itemsize
    numbers = [f"a{i}" for i in range(len(routine.examples))]
    passed = [slot.name if not slot.shape else f"base + {places[slot.name]}" for slot in routine.arguments]
    passed = [_as_parameter(slot, text) for slot, text in zip(routine.arguments, passed, strict=True)]
    passed += [f"base + {places[slot.name]}" for slot in routine.results]
    lines = [
        "export default async function load(source) {",
        "const given = await source;",
        "const bytes = given instanceof Response ? await given.arrayBuffer() : given;",
        "const { instance } = await WebAssembly.instantiate(bytes);",
        f"const {{ memory, __heap_base, _initialize, {file.name}: compiled }} = instance.exports;",
        "const base = Math.ceil(__heap_base.value / 16) * 16;",
        f"const lacking = base + {end} - memory.buffer.byteLength;",
        f"if (lacking > 0) memory.grow(Math.ceil(lacking / {PAGE}));",
        "_initialize();",
        *[
            f"const at_{slot.name} = new {_ARRAYS[slot.dtype.char]}(memory.buffer, base + {places[slot.name]}, "
            f"{_count(slot)});"
            for slot in slots
        ],
        f"function {file.name}({', '.join(numbers)}) {{",
        *reading(routine),
        *[line for slot in routine.arguments if slot.shape for line in _stored(slot)],
        f"if (compiled({', '.join(passed)})) "
        'throw new RangeError("a value is none that the function was traced for, or an index is out of range");',
        *[f"const {slot.name} = {_taken(slot)};" for slot in routine.results],
        f"return {returned(routine)};",
        "}",
    ]
    if file.state:
        lines += [f"const state = instance.exports.{file.struct}.value;", f"{file.name}.state = {{", *fields, "};"]
    return indented([*lines, f"return {file.name};", "}"], 0) + "\n"


def _count(slot: Slot) -> int:
    return max(slot.view.buffer.array.size, 1)


def _is_big(slot: Slot) -> bool:
    return _ARRAYS[slot.dtype.char].startswith("Big")


def _as_parameter(slot: Slot, text: str) -> str:
    return f"BigInt({text})" if _is_big(slot) and not slot.shape else text


def _stored(slot: Slot) -> list[str]:
    """The lines that write an argument into the memory."""
    source = f"Array.from({slot.name}, BigInt)" if _is_big(slot) else slot.name
    return [f"at_{slot.name}.set({source});"]


def _taken(slot: Slot) -> str:
    """A result from the memory, as `javascript` gives it."""
    whole = f"Float64Array.from(at_{slot.name}, Number)" if _is_big(slot) else f"at_{slot.name}.slice()"
    return whole if slot.shape else f"Number(at_{slot.name}[0])"
