"""The C compiler: where its results are kept, and how functions run where it is not there or does not work."""

import ctypes
import os
import re
import shutil
import stat
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad.compiling import building
from tests.program.same import assert_same_bits
from tests.rows import each

info = getattr(mg.jit, "info", building.info)
pytestmark = pytest.mark.skipif(os.name != "posix", reason="compilers and folders are made here as POSIX has them")
needs_compiler = pytest.mark.skipif(building.find_compiler() is None, reason="there is no C compiler")
CACHED = (building.find_compiler, building.cache_folder, building._is_gcc)


@pytest.fixture(autouse=True)
def cache(monkeypatch, tmp_path):
    """The folder of a process that knows nothing yet."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(building, "_state", building._State())
    monkeypatch.setenv("MINIGRAD_CACHE", str(folder))
    monkeypatch.delenv("MINIGRAD_JIT_BACKEND", raising=False)
    forget()
    yield folder
    for function in CACHED:
        function.cache_clear()


def forget():
    """Look again for a compiler and a folder."""
    for function in CACHED:
        function.cache_clear()


def function(x):
    return mg.sum(mg.sin(x) * x + 0.5)


def assert_it_works(function=function):
    """Compile a function anew, and compare what it gives."""
    compiled, x = mg.jit(function), mg.tensor(np.linspace(-1, 3, 19))
    for _ in range(4):
        assert_same_bits(compiled(x), function(x))


def script(path, *lines):
    """A compiler that does as these lines say."""
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]))
    path.chmod(0o755)
    return str(path)


def in_another_process(code, **environment):
    """Run code that finds the function above."""
    begin = "import numpy as np, minigrad as mg\nfrom tests.compiling.test_building import *\n"
    return subprocess.run(
        [sys.executable, "-c", begin + code], env=os.environ | environment, capture_output=True, text=True, timeout=120
    )


# Where there is a compiler


@needs_compiler
def test_a_function_is_compiled_once_for_all_processes(cache):
    assert_it_works()
    made = info()["compiled"]
    assert made >= 1
    assert info()["backend"] == "c"
    building._state = building._State()
    assert_it_works()
    assert info()["compiled"] == 0
    assert info()["failure"] is None


@needs_compiler
def test_files_are_named_by_a_hash_and_nothing_else_is_left(cache):
    assert_it_works()
    names = sorted(os.listdir(cache))
    assert names
    assert all(re.fullmatch(r"[0-9a-f]{40}\.so", name) for name in names)
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700


@needs_compiler
def test_another_source_is_another_file(cache):
    assert_it_works()
    first = set(os.listdir(cache))
    assert_it_works(lambda x: mg.sum(mg.sin(x) * x - 0.5) / 3)
    second = set(os.listdir(cache))
    assert first < second
    assert_it_works()
    assert set(os.listdir(cache)) == second


@needs_compiler
def test_another_command_is_another_file(cache, monkeypatch):
    assert_it_works()
    first = set(os.listdir(cache))
    monkeypatch.setenv("CC", f"{building.find_compiler()[0]} -g0")
    forget()
    building._state = building._State()
    assert_it_works()
    assert info()["compiler"].endswith(" -g0")
    assert len(os.listdir(cache)) == 2 * len(first)


@needs_compiler
@each(("one", "other"), [
    (mg.sin, mg.cos),
    (lambda x: mg.exp(x) + 1, lambda x: mg.log1p(x) + 1),
    (lambda x: x.astype(np.float64) @ x, lambda x: x @ x.astype(np.float64)),
    (lambda x: x * np.arange(1.0, 6.0), lambda x: x * np.arange(2.0, 7.0)),
])  # fmt: skip
def test_functions_whose_source_is_the_same_do_not_disturb_each_other(one, other):
    first, second, x = mg.jit(one), mg.jit(other), mg.tensor(np.linspace(0.1, 0.9, 5))
    for compiled, function in ((first, one), (second, other), (first, one), (second, other)):
        for _ in range(4):
            assert_same_bits(compiled(x), function(x))


@needs_compiler
def test_subnormal_numbers_are_no_zeros_after_a_library_was_loaded():
    assert_it_works()
    x = np.full(9, 1e-310)
    assert (x * 1.0 != 0).all()
    assert (x / 2 == 5e-311).all()
    compiled = mg.jit(lambda x: x * 1.0 / 2)
    for _ in range(4):
        assert (compiled(x) == 5e-311).all()


@needs_compiler
def test_threads_may_compile_at_once():
    wrong = []

    def work(i):
        try:
            assert_it_works(lambda x: mg.sum(mg.tanh(x) * (i % 3)))
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@needs_compiler
def test_twenty_processes_may_compile_at_once(cache):
    code = (
        "import numpy as np, minigrad as mg, minigrad.compiling.building\n"
        "f = mg.jit(lambda x: mg.sum(mg.sin(x) * x + 0.5))\n"
        "x = np.linspace(-1, 3, 19)\n"
        "print(*[float(f(x)).hex() for _ in range(4)])\n"
        "assert minigrad.compiling.building.info()['backend'] == 'c'\n"
    )
    environment = os.environ | {"MINIGRAD_CACHE": str(cache), "PYTHONWARNINGS": "error"}
    command = [sys.executable, "-c", code]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    running = [subprocess.Popen(command, env=environment, **pipes) for _ in range(20)]
    said = [process.communicate(timeout=120) for process in running]
    expected = [float(function(mg.tensor(np.linspace(-1, 3, 19))).detach()).hex()] * 4
    assert [error for _, error in said if error] == []
    assert [output.split() for output, _ in said] == [expected] * 20
    assert all(re.fullmatch(r"[0-9a-f]{40}\.so", name) for name in os.listdir(cache))


# The cache


def filled(cache, folder):
    """Another folder with the same files."""
    assert_it_works()
    return Path(shutil.copytree(cache, folder))


def assert_another_process_makes_them_again(folder):
    sizes = {path.name: path.stat().st_size for path in folder.iterdir()}
    done = in_another_process("assert_it_works(); assert info()['backend'] == 'c'", MINIGRAD_CACHE=str(folder))
    assert done.returncode == 0, (done.returncode, done.stderr)
    assert {path.name for path in folder.iterdir()} == set(sizes)
    for path in folder.iterdir():
        assert stat.S_ISREG(path.lstat().st_mode)
        assert not path.stat().st_mode & 0o022
        ctypes.CDLL(str(path))


@needs_compiler
@pytest.mark.parametrize("kept", [0.0, 0.01, 0.5, 0.99])
def test_a_library_that_was_cut_short_is_made_again(kept, cache, tmp_path):
    folder = filled(cache, tmp_path / "cut")
    for path in folder.iterdir():
        os.truncate(path, int(kept * path.stat().st_size))
    assert_another_process_makes_them_again(folder)


@needs_compiler
def test_what_is_no_library_is_made_again(cache, tmp_path):
    folder = filled(cache, tmp_path / "others")
    for path in folder.iterdir():
        path.write_bytes(bytes(path.stat().st_size))
    assert_another_process_makes_them_again(folder)


@needs_compiler
def test_a_library_that_others_can_write_to_is_made_again(cache, tmp_path):
    folder = filled(cache, tmp_path / "others")
    for path in folder.iterdir():
        path.chmod(0o666)
    assert_another_process_makes_them_again(folder)


@needs_compiler
def test_a_link_to_a_library_is_made_again(cache, tmp_path):
    folder = filled(cache, tmp_path / "others")
    for path in list(folder.iterdir()):
        path.rename(tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    assert_another_process_makes_them_again(folder)


def assert_folder_of_its_own(cache):
    """Whether another folder is used, which nobody else can write to."""
    folder = building.cache_folder()
    assert os.path.realpath(folder) != os.path.realpath(cache)
    assert stat.S_IMODE(os.lstat(folder).st_mode) == 0o700
    assert info()["cache"] in (None, str(folder))
    assert_it_works()
    assert info()["failure"] is None


def test_a_folder_that_can_only_be_read_is_not_used(cache, monkeypatch):
    cache.mkdir(mode=0o500)
    found = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode & os.W_OK == 0 and found(path, mode))  # root may anything
    assert_folder_of_its_own(cache)
    assert os.listdir(cache) == []


def test_a_link_to_a_folder_is_not_used(cache, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    cache.symlink_to(tmp_path / "elsewhere")
    assert_folder_of_its_own(cache)
    assert os.listdir(tmp_path / "elsewhere") == []


@each("mode", [0o777, 0o770, 0o1777, 0o702])
def test_a_folder_that_others_can_write_to_is_not_used(mode, cache):
    cache.mkdir(exist_ok=True)
    cache.chmod(mode)
    forget()
    assert_folder_of_its_own(cache)
    assert os.listdir(cache) == []


def test_a_file_in_place_of_the_folder_is_left_alone(cache):
    cache.write_text("mine")
    assert_folder_of_its_own(cache)
    assert cache.read_text() == "mine"


def test_without_a_home_there_is_a_folder_too(cache, monkeypatch):
    pwd = pytest.importorskip("pwd")

    def nobody(uid):
        raise KeyError(uid)

    for name in ("MINIGRAD_CACHE", "XDG_CACHE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    assert_folder_of_its_own(cache)


def test_the_folder_is_where_caches_are(tmp_path, monkeypatch):
    monkeypatch.delenv("MINIGRAD_CACHE")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert building.cache_folder() == tmp_path / ".cache" / "minigrad"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    forget()
    assert building.cache_folder() == tmp_path / "xdg" / "minigrad"


@needs_compiler
def test_names_of_folders_may_hold_anything(tmp_path, monkeypatch):
    monkeypatch.setenv("MINIGRAD_CACHE", str(tmp_path / "ä b; $(c) 'd'"))
    assert_it_works()
    assert len(os.listdir(tmp_path / "ä b; $(c) 'd'")) >= 1


@needs_compiler
def test_a_temporary_folder_goes_with_the_process(tmp_path):
    (tmp_path / "cache").symlink_to(tmp_path)
    code = "assert_it_works(); print(building.cache_folder())"
    done = in_another_process(code, MINIGRAD_CACHE=str(tmp_path / "cache"), TMPDIR=str(tmp_path))
    folder = done.stdout.strip()
    assert os.path.dirname(folder) == str(tmp_path)
    assert not os.path.exists(folder)


# Where there is none


def assert_numpy_alone():
    assert info()["backend"] == "numpy"
    assert info()["compiled"] == 0


def test_without_a_compiler_numpy_computes_and_nothing_is_said(monkeypatch, cache):
    monkeypatch.setattr(building, "find_compiler", lambda: None)
    assert_it_works()
    assert_numpy_alone()
    assert info()["compiler"] is None
    assert info()["failure"] is None
    assert not cache.exists() or os.listdir(cache) == []


def test_with_an_empty_path_there_is_no_compiler(tmp_path):
    code = "assert_it_works(); assert_numpy_alone(); print(info()['compiler'])"
    environment = os.environ | {"PATH": str(tmp_path), "PYTHONWARNINGS": "error"}
    environment.pop("CC", None)
    begin = (
        "import importlib.util\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *args: None if name == 'ziglang' else find(name, *args)\n"
        "from tests.compiling.test_building import *\n"
    )
    done = subprocess.run([sys.executable, "-c", begin + code], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("None\n", "")


def test_the_environment_can_ask_for_numpy(monkeypatch, cache):
    monkeypatch.setenv("MINIGRAD_JIT_BACKEND", "numpy")
    assert_it_works()
    assert_numpy_alone()
    assert info()["compiler"] is None
    assert not cache.exists()


def test_a_compiler_that_does_not_exist_is_none(monkeypatch):
    monkeypatch.setenv("CC", "there-is-no-such-compiler -O2")
    assert_it_works()
    assert_numpy_alone()


# Where it does not work


def assert_falls_back(words):
    """Whether it is said once, and everything is right."""
    with pytest.warns(UserWarning, match="jit goes on with NumPy alone") as said:
        assert_it_works()
    assert len(said) == 1
    assert_it_works()
    assert_it_works(lambda x: mg.sum(x * 2))
    assert_numpy_alone()
    assert words in info()["failure"]
    return str(said[0].message)


@pytest.mark.parametrize("lines", [
    ["echo 'error: no such thing' >&2", "exit 1"],
    ["echo 'error: no such thing'", "exit 1"],
    [r"printf 'caf\351\n' >&2", "echo 'error: no such thing' >&2", "exit 1"],
], ids=["as errors", "as output", "in Latin"])  # fmt: skip
def test_what_a_failing_compiler_says_is_kept(lines, monkeypatch, tmp_path, cache):
    restart(monkeypatch, script(tmp_path / "cc", *lines))
    assert "error: no such thing" in assert_falls_back("error: no such thing")
    assert os.listdir(cache) == []


def restart(monkeypatch, compiler):
    """As a process begins that has this compiler."""
    monkeypatch.setattr(building, "_state", building._State())
    monkeypatch.setenv("CC", compiler)
    forget()


def test_of_much_that_is_said_the_warning_has_the_beginning(monkeypatch, tmp_path):
    restart(monkeypatch, script(tmp_path / "cc", "for i in $(seq 1000); do echo line $i >&2; done", "exit 1"))
    message = assert_falls_back("line 1000")
    assert "line 1\n" in message
    assert len(message.splitlines()) < 12


def test_a_compiler_that_hangs_is_given_up(monkeypatch, tmp_path, cache):
    monkeypatch.setattr(building, "LIMIT", 0.3)
    restart(monkeypatch, script(tmp_path / "cc", "exec sleep 30"))
    assert_falls_back("took longer than 0.3 s")
    assert os.listdir(cache) == []


def test_a_compiler_that_hangs_over_its_work_is_given_up(monkeypatch, tmp_path, cache):
    monkeypatch.setattr(building, "LIMIT", 1)
    lines = ['case "$1" in --version) exit 0;; esac', "sleep 5 & wait"]
    restart(monkeypatch, script(tmp_path / "cc", *lines))
    assert_falls_back("took longer than 1 s")
    assert os.listdir(cache) == []


@pytest.mark.parametrize("line", ["exit 0", 'while [ "$1" != -o ]; do shift; done; echo no library > "$2"'])
def test_a_compiler_that_makes_no_library_has_failed(line, monkeypatch, tmp_path, cache):
    restart(monkeypatch, script(tmp_path / "cc", 'case "$1" in --version) exit 0;; esac', line))
    assert_falls_back("")
    assert not [name for name in os.listdir(cache) if not re.fullmatch(r"[0-9a-f]{40}\.so", name)]


def test_a_compiler_that_cannot_be_started_has_failed(monkeypatch, tmp_path, cache):
    path = tmp_path / "cc"
    path.write_bytes(b"\x7fELF, but no program")
    path.chmod(0o755)
    restart(monkeypatch, str(path))
    assert_falls_back("")
    assert os.listdir(cache) == []


def refused(*args, **kwargs):
    raise OSError("failed to map segment from shared object")  # as where nothing in the folder may be executed


@needs_compiler
def test_a_library_that_cannot_be_loaded_is_none(monkeypatch):
    monkeypatch.setattr(ctypes, "PyDLL", refused)
    assert_falls_back("failed to map segment")


@needs_compiler
def test_a_full_disk_is_no_error(monkeypatch, cache):
    real = os.fdopen

    def full(handle, mode="r", *args, **kwargs):
        if "w" in mode:
            os.close(handle)
            raise OSError(28, "No space left on device")
        return real(handle, mode, *args, **kwargs)

    monkeypatch.setattr(building.os, "fdopen", full)
    assert_falls_back("No space left")
    monkeypatch.undo()
    assert os.listdir(cache) == []


def test_functions_that_were_compiled_before_go_on_when_the_compiler_fails_later(monkeypatch, tmp_path):
    compiled, x = mg.jit(function), mg.tensor(np.linspace(-1, 3, 19))
    for _ in range(4):
        compiled(x)
    monkeypatch.setenv("CC", script(tmp_path / "cc", "exit 1"))
    forget()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        assert_it_works(lambda x: mg.sum(mg.cos(x) * x))
    assert len(said) == 1
    assert_same_bits(compiled(x), function(x))
