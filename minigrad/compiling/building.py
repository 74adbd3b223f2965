"""C as a library that is loaded: which compiler, where its results are kept, and what went wrong."""

import contextlib
import ctypes
import hashlib
import importlib.util
import os
import platform
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.errors.programs import warn_of_compiler

# Without what makes one call, of one number, of a sine and a cosine, and of pow(x, 2) a product.
_NOT_KNOWN = ("sin", "cos", "sinf", "cosf", "pow", "powf")
# What decides about the last bit: sums are not rearranged, products and sums not joined, and subnormals stay.  Selects
# stay in the loop that can be vectorized.
FLAGS = (
    "-O3", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off", "-fwrapv", "-fno-strict-aliasing", "-fPIC",
    "-shared", "-w", *(f"-fno-builtin-{name}" for name in _NOT_KNOWN),
)  # fmt: skip
GCC_FLAGS = ("-fno-tree-sink",)
LIMIT = 60  # seconds that a compiler may take


class _State:
    """What this process knows of its compiler."""

    def __init__(self) -> None:
        self.failure: str | None = None  # what the compiler said when it failed
        self.lock = threading.Lock()
        self.loaded: dict[str, ctypes.PyDLL] = {}
        self.built = 0


_state = _State()


def load(source: str, optional: bool = False) -> ctypes.PyDLL | None:
    """The library made of a source, or None where there is no compiler, or it does not work.

    Of an optional one it is not said if it cannot be made: there will be another.
    """
    compiler = find_compiler()
    if not is_there() or compiler is None:
        return None
    name = hashlib.sha256("\0".join((source, *compiler, *FLAGS, *GCC_FLAGS, _processor())).encode()).hexdigest()[:40]
    with _state.lock:
        if name not in _state.loaded:
            library = _built(name, source, compiler, optional)
            if library is None:
                return None
            _state.loaded[name] = library
        return _state.loaded[name]


def is_there() -> bool:
    """Whether there is a compiler, it is wanted, and it has not failed."""
    wanted = os.environ.get("MINIGRAD_JIT_BACKEND") != "numpy"
    return wanted and _state.failure is None and find_compiler() is not None


@cache
def find_compiler() -> tuple[str, ...] | None:
    """The command of a C compiler: that of the environment, one of the system's, or that of the package ziglang."""
    wanted = os.environ.get("CC", "").split()
    if wanted:
        return tuple(wanted) if shutil.which(wanted[0]) else None
    for name in ("cc", "gcc", "clang"):
        found = shutil.which(name)
        if found is not None:
            return (found,)
    if importlib.util.find_spec("ziglang") is not None:
        return (sys.executable, "-m", "ziglang", "cc")
    return None


@cache
def _processor() -> str:
    """What of the processor the code depends on."""
    features: dict[str, bool] = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    return " ".join((platform.machine(), sys.platform, *(name for name, there in features.items() if there)))


@cache
def _is_gcc(compiler: tuple[str, ...]) -> bool:
    said = subprocess.run(
        [*compiler, "--version"], capture_output=True, text=True, errors="replace", timeout=LIMIT, check=False
    )
    return "Free Software Foundation" in said.stdout


def _built(name: str, source: str, compiler: tuple[str, ...], optional: bool) -> ctypes.PyDLL | None:
    folder = cache_folder()
    path = folder / f"{name}.so"
    if _is_own(path) and _is_whole(path):
        with contextlib.suppress(OSError):  # it is made again
            return ctypes.PyDLL(str(path))
    made: list[str] = []
    try:
        handle, text = tempfile.mkstemp(".c", dir=folder)
        made.append(text)
        with os.fdopen(handle, "w") as file:
            file.write(source)
        handle, result = tempfile.mkstemp(".so", dir=folder)
        made.append(result)
        os.close(handle)
        gcc = GCC_FLAGS if _is_gcc(compiler) else ()
        command = [*compiler, *FLAGS, *gcc, "-march=native", text, "-o", result, "-lm"]
        said = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if said.returncode:
            _failed(f"{' '.join(command)}\n{said.stderr}{said.stdout}", optional)
            return None
        _seal(Path(result))
        os.replace(result, path)
        made.remove(result)
        library = ctypes.PyDLL(str(path))
    except subprocess.TimeoutExpired:
        _failed(f"{' '.join(compiler)} took longer than {LIMIT} s", optional)
        return None
    except OSError as error:
        _failed(str(error), optional)
        return None
    finally:
        for leftover in made:
            with contextlib.suppress(OSError):
                os.unlink(leftover)
    _state.built += 1
    return library


def _failed(message: str, optional: bool) -> None:
    """Go on without a compiler, and say so once."""
    if optional:
        return
    _state.failure = message
    warn_of_compiler(message)


@cache
def cache_folder() -> Path:
    """A folder that only this user can write to: his cache, or else one that lasts as long as the process."""
    chosen, caches = os.environ.get("MINIGRAD_CACHE"), os.environ.get("XDG_CACHE_HOME")
    with contextlib.suppress(OSError, RuntimeError):  # perhaps nobody has a home
        base = Path(chosen) if chosen else Path(caches or Path.home() / ".cache") / "minigrad"
        base.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_private(base):
            return base
    made = Path(tempfile.mkdtemp(prefix="minigrad-"))
    import atexit

    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made


def _is_private(folder: Path) -> bool:
    """Whether it is a real folder of this user's, which others cannot write to, and he can."""
    found = os.lstat(folder)
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return stat.S_ISDIR(found.st_mode) and mine and not found.st_mode & 0o022 and os.access(folder, os.W_OK | os.X_OK)


def _is_own(path: Path) -> bool:
    """Whether it is a file of this user's, and no link to another one."""
    try:
        found = os.lstat(path)
    except OSError:
        return False
    mine = not hasattr(os, "getuid") or found.st_uid == os.getuid()
    return stat.S_ISREG(found.st_mode) and mine and not found.st_mode & 0o022


def _seal(path: Path) -> None:
    """Write at the end of a file what the rest of it is."""
    with path.open("rb+") as file:
        digest = hashlib.sha256(file.read()).digest()
        file.write(digest)


def _is_whole(path: Path) -> bool:
    """Whether a file is what was written: to load one that was cut short would end the process."""
    content = path.read_bytes()
    return hashlib.sha256(content[:-32]).digest() == content[-32:]


def info() -> dict[str, Any]:
    """How compiled functions are run here.

    Returns
    -------
    dict
        "backend": "c", or "numpy" where there is no compiler or it has failed; "compiler": its command; "cache": the
        folder; "compiled": how many libraries this process has made; "failure": what the compiler said.
    """
    works = is_there()
    compiler = find_compiler() if works or _state.failure is not None else None
    return {
        "backend": "c" if works else "numpy",
        "compiler": None if compiler is None else " ".join(compiler),
        "cache": str(cache_folder()) if works else None,
        "compiled": _state.built,
        "failure": _state.failure,
    }
