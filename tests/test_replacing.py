"""Files are whole or not there, whatever happens while they are written, and nothing else in their folder changes."""

import errno
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import replacing
from tests.rows import each

SUFFIXES = [".npz", ".safetensors"]
each_suffix = pytest.mark.parametrize("suffix", SUFFIXES)
posix = pytest.mark.skipif(os.name != "posix", reason="links, modes and forks as POSIX has them")
for_others_than_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
OURS = ".minigrad-" + "0" * 32 + ".tmp"


# Where no file can be


@each_suffix
def test_places_where_no_file_can_be(tmp_path, suffix):
    with pytest.raises(FileNotFoundError):
        mg.load(tmp_path / f"missing{suffix}")
    with pytest.raises(FileNotFoundError, match="the file cannot be saved") as caught:
        mg.save(tmp_path / "missing" / f"x{suffix}", {})
    assert caught.value.filename == str(tmp_path / "missing" / f"x{suffix}")
    folder = tmp_path / f"folder{suffix}"
    folder.mkdir()
    with pytest.raises(IsADirectoryError):
        mg.load(folder)
    with pytest.raises(IsADirectoryError, match="a folder is there"):
        mg.save(folder, {})
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError):
        mg.save(tmp_path / "file" / f"x{suffix}", {})
    assert sorted(os.listdir(tmp_path)) == ["file", folder.name]


@each_suffix
@for_others_than_root
def test_a_folder_that_may_not_be_written_to(tmp_path, suffix):
    mg.save(tmp_path / f"x{suffix}", 1)
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(PermissionError, match=r"files must be allowed in its folder; .* open\(path, 'wb'\)"):
            mg.save(tmp_path / f"x{suffix}", 2)
        with open(tmp_path / f"x{suffix}", "wb") as file:
            mg.save(file, 3)
    finally:
        tmp_path.chmod(0o700)
    assert mg.load(tmp_path / f"x{suffix}") == 3
    assert os.listdir(tmp_path) == [f"x{suffix}"]


@posix
def test_pipes_are_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "x.npz")
    with pytest.raises(OSError, match=r"a pipe or a device is there.*with open\(path, 'wb'\)"):
        mg.save(tmp_path / "x.npz", 1)
    assert stat.S_ISFIFO(os.stat(tmp_path / "x.npz").st_mode)


@posix
@pytest.mark.parametrize("length", [200, 240, 250, 255])
def test_names_as_long_as_they_may_be(tmp_path, length):
    for letter in ("x", "é"):
        name = (letter * length).encode()[: length - 4].decode(errors="ignore").ljust(length - 4, "x")
        path = tmp_path / (name[: length - 4 - len(name.encode()) + len(name)] + ".npz")
        mg.save(path, length)
        mg.save(path, length)
        assert mg.load(path) == length
    with pytest.raises(OSError, match="name too long"):
        mg.save(tmp_path / ("x" * 252 + ".npz"), 1)
    assert len(os.listdir(tmp_path)) == 2


def test_a_path_may_be_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mg.save("x.npz", 1)
    assert (mg.load("x.npz"), os.listdir(tmp_path)) == (1, ["x.npz"])


# What a file keeps


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644, 0o660, 0o666, 0o400, 0o755])
def test_a_file_keeps_its_permissions(tmp_path, mode):
    path = tmp_path / "x.npz"
    mg.save(path, 1)
    path.chmod(mode)
    mg.save(path, 2)
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert mg.load(path) == 2


@posix
@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002, 0])
def test_a_new_file_has_the_permissions_that_the_umask_leaves(tmp_path, mask):
    old = os.umask(mask)
    try:
        mg.save(tmp_path / "x.npz", 1)
        (tmp_path / "wanted").touch()
    finally:
        os.umask(old)
    assert (tmp_path / "x.npz").stat().st_mode == (tmp_path / "wanted").stat().st_mode


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root may give files away")
def test_a_file_keeps_its_owner(tmp_path):
    path = tmp_path / "x.npz"
    mg.save(path, 1)
    os.chown(path, 1234, 4321)
    mg.save(path, 2)
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


@posix
def test_what_others_may_not_read_they_may_not_read_half_written(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    mg.save(path, 1)
    path.chmod(0o600)
    seen = []
    fsync = os.fsync
    opened = os.open

    def watched(name, flags, mode=0o777):
        descriptor = opened(name, flags, mode)
        seen.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        return descriptor

    monkeypatch.setattr(os, "open", watched)
    monkeypatch.setattr(os, "fsync", lambda fd: (seen.append(stat.S_IMODE(os.fstat(fd).st_mode)), fsync(fd)))
    mg.save(path, 2)
    assert seen[:2] == [0o600, 0o600]


# Links


@posix
@each_suffix
def test_a_link_stays_one_and_the_file_that_it_leads_to_is_replaced(tmp_path, suffix):
    (tmp_path / "runs").mkdir()
    target, link, second = tmp_path / "runs" / f"1{suffix}", tmp_path / f"latest{suffix}", tmp_path / f"again{suffix}"
    mg.save(target, "old")
    target.chmod(0o640)
    link.symlink_to(Path("runs") / target.name)
    second.symlink_to(link)
    for path in (link, second):
        mg.save(path, path.name)
        assert mg.load(target) == path.name
        assert link.is_symlink()
        assert second.is_symlink()
        assert not target.is_symlink()
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
    assert os.listdir(tmp_path / "runs") == [target.name]
    assert len(os.listdir(tmp_path)) == 3


@posix
def test_links_that_lead_nowhere(tmp_path):
    (tmp_path / "runs").mkdir()
    link = tmp_path / "latest.npz"
    link.symlink_to("runs/1.npz")
    mg.save(link, 1)
    assert (mg.load(tmp_path / "runs" / "1.npz"), link.is_symlink()) == (1, True)
    lost, loop, folder = tmp_path / "lost.npz", tmp_path / "loop.npz", tmp_path / "folder.npz"
    lost.symlink_to("nowhere/1.npz")
    loop.symlink_to("loop.npz")
    folder.symlink_to("runs")
    for path, error in ((lost, FileNotFoundError), (loop, OSError), (folder, IsADirectoryError)):
        with pytest.raises(error) as caught:
            mg.save(path, 2)
        assert caught.value.filename == str(path)
        assert path.is_symlink()


@posix
@pytest.mark.skipif(os.name == "posix" and os.geteuid() != 0, reason="only root may make links of others")
def test_links_that_others_have_put_into_a_folder_of_everybodys_are_not_followed(tmp_path):
    folder = tmp_path / "public"
    folder.mkdir()
    folder.chmod(0o1777)
    victim, link = tmp_path / "victim", folder / "x.npz"
    victim.write_text("mine")
    link.symlink_to(victim)
    os.lchown(link, 1234, 1234)
    with pytest.raises(PermissionError, match="a link that another user has put"):
        mg.save(link, 1)
    assert victim.read_text() == "mine"
    os.lchown(link, os.geteuid(), os.getegid())
    mg.save(link, 1)
    assert victim.read_bytes()[:2] == b"PK"


@posix
def test_links_under_the_names_of_temporary_files_are_not_written_through(tmp_path, monkeypatch):
    victim = tmp_path / "victim"
    victim.write_text("mine")
    monkeypatch.setattr(os, "urandom", lambda n: bytes(n))  # as if somebody could foresee it
    for plant in (lambda path: path.symlink_to(victim), lambda path: path.hardlink_to(victim)):
        plant(tmp_path / OURS)
        with pytest.raises(FileExistsError):
            mg.save(tmp_path / "x.npz", 1)
        assert victim.read_text() == "mine"
        (tmp_path / OURS).unlink(missing_ok=True)


@posix
def test_names_are_not_predictable(tmp_path, monkeypatch):
    names = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (names.append(a), replace(a, b)))
    for _ in range(20):
        mg.save(tmp_path / "x.npz", 1)
    assert len(set(names)) == 20
    assert all(Path(name).parent == tmp_path and re.fullmatch(replacing._OURS, Path(name).name) for name in names)


# Failures on the way


@each_suffix
@each("where", ["open", "first write", "write", "fsync", "replace"])
@each("error", [OSError(errno.ENOSPC, "no space left"), MemoryError(), KeyboardInterrupt()])
def test_the_old_file_stays_if_the_new_one_cannot_be_written(tmp_path, suffix, where, error, monkeypatch):
    path = tmp_path / f"x{suffix}"
    mg.save(path, {"old": np.ones(3)})
    content = path.read_bytes()
    writes = []

    class Failing(replacing._Unbuffered):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            if where == "open":
                raise error

        def write(self, piece):
            writes.append(piece)
            if where == "first write" or (where == "write" and len(writes) == 3):
                super().write(piece[:5])
                raise error
            return super().write(piece)

    def fail(*_):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(replacing, "_Unbuffered", Failing)
        if where in ("fsync", "replace"):
            patch.setattr(os, where, fail)
        with pytest.raises(type(error)) as caught:
            mg.save(path, {"new": np.zeros(300_000), "newer": np.zeros(10)})
    assert path.read_bytes() == content
    assert os.listdir(tmp_path) == [path.name]
    if isinstance(error, OSError):
        assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
        assert "nothing has changed" in str(caught.value)


@each_suffix
@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # at the lines where `with` begins and ends
@pytest.mark.filterwarnings("ignore:Exception ignored in. <function ZipFile.__del__")
def test_an_interrupt_at_any_line_leaves_the_old_file_or_the_new_one(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    mg.save(path, "old")
    seen = 0

    def run(stop):
        """Save, and raise a KeyboardInterrupt at this line of ours: whether it came so far."""
        nonlocal seen
        seen = 0

        def trace(frame, event, arg):
            nonlocal seen
            if not frame.f_code.co_filename.startswith(os.path.dirname(replacing.__file__)):
                return None
            if event == "line" and frame.f_code.co_name not in ("_sweep", "_remove_if_left"):
                seen += 1
                if seen == stop:
                    sys.settrace(None)
                    raise KeyboardInterrupt
            return trace

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            mg.save(path, "new")
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
        return False

    stop = 1
    while run(stop):
        assert mg.load(path) in ("old", "new")
        assert os.listdir(tmp_path) == [path.name], stop
        stop += 1
    assert stop > 50
    assert mg.load(path) == "new"


FULL = """
import os, resource, sys
import minigrad as mg, numpy as np
path = sys.argv[1]
mg.save(path, {"old": np.ones(10)})
resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, resource.RLIM_INFINITY))
try:
    mg.save(path, {"new": np.ones(100_000)})
except OSError as error:
    print(error.errno, list(mg.load(path)), os.listdir(os.path.dirname(path)))
"""


@each_suffix
def test_a_disk_that_gets_full_in_the_middle_of_a_file(tmp_path, suffix):
    pytest.importorskip("resource")
    path = tmp_path / f"x{suffix}"
    done = subprocess.run([sys.executable, "-c", FULL, path], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(errno.EFBIG), "['old']", f"['{path.name}']"]


def test_a_folder_that_cannot_be_synchronized_is_no_failure(tmp_path, monkeypatch):
    opened = os.open

    def fail_for_folders(path, *args):
        if os.path.isdir(path):
            raise PermissionError
        return opened(path, *args)

    monkeypatch.setattr(os, "open", fail_for_folders)
    mg.save(tmp_path / "x.npz", 3)
    assert (mg.load(tmp_path / "x.npz"), os.listdir(tmp_path)) == (3, ["x.npz"])


# Several at a time

SAVER = """
import sys
import minigrad as mg, numpy as np
path, me = sys.argv[1], int(sys.argv[2])
for _ in range(15):
    mg.save(path, {"i": me, "x": np.full(50_000 * me, me)})
    loaded = mg.load(path)
    assert (loaded["x"] == loaded["i"]).all() and len(loaded["x"]) == 50_000 * loaded["i"]
"""


@each_suffix
def test_threads_that_write_one_file(tmp_path, suffix):
    path, problems = tmp_path / f"x{suffix}", []

    def work(i):
        try:
            for _ in range(10):
                mg.save(path, {"i": i, "x": np.full(50_000 * i, i)})
                loaded = mg.load(path)
                assert (loaded["x"] == loaded["i"]).all()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert os.listdir(tmp_path) == [path.name]


@each_suffix
def test_processes_that_write_one_file(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    running = [subprocess.Popen([sys.executable, "-c", SAVER, path, str(i)]) for i in (1, 2, 3)]
    assert [process.wait(120) for process in running] == [0, 0, 0]
    assert os.listdir(tmp_path) == [path.name]


def ends(child, seconds=20):
    """Whether a forked child ends in time, and well."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status == 0
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return False


@posix
@each_suffix
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_while_a_thread_saves(tmp_path, suffix):
    path, stop, problems = tmp_path / f"x{suffix}", threading.Event(), []

    def work():
        try:
            while not stop.is_set():
                mg.save(path, {"x": np.zeros(300_000)})
                assert mg.load(path)["x"].sum() == 0
        except BaseException as error:
            problems.append(error)

    thread = threading.Thread(target=work)
    mg.save(path, {"x": np.zeros(3)})
    thread.start()
    try:
        for i in range(12):
            time.sleep(0.003 * i)
            child = os.fork()
            if not child:
                code = 1
                try:
                    mg.save(path, {"x": np.zeros(10)})
                    mg.save(tmp_path / f"child{suffix}", {"x": np.zeros(10)})
                    code = 0
                finally:
                    os._exit(code)
            assert ends(child)
    finally:
        stop.set()
        thread.join()
    assert problems == []
    assert sorted(os.listdir(tmp_path)) == [f"child{suffix}", path.name]


FORK_AT_EACH_WRITE = """
import os, sys, threading
import minigrad as mg, numpy as np
from minigrad import replacing
asked, done = threading.Semaphore(0), threading.Semaphore(0)
class Slow(replacing._Unbuffered):
    def write(self, piece):
        asked.release()
        done.acquire()
        return super().write(piece)
replacing._Unbuffered = Slow
thread = threading.Thread(target=mg.save, args=(sys.argv[1], {"a": np.arange(300_000), "b": 3}))
thread.start()
while asked.acquire(timeout=1) or thread.is_alive():
    child = os.fork()
    if not child:
        sys.exit()  # in an orderly way, so that Python writes what its buffers hold
    os.waitpid(child, 0)
    done.release()
thread.join()
"""


@posix
@each_suffix
def test_a_forked_process_that_ends_writes_nothing_into_the_file(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    subprocess.run([sys.executable, "-c", FORK_AT_EACH_WRITE, path], check=True)
    loaded = mg.load(path)
    np.testing.assert_array_equal(loaded["a"], np.arange(300_000))
    assert os.listdir(tmp_path) == [path.name]


# What killed processes have left

SLOW = """
import sys, time
import minigrad as mg, numpy as np
from minigrad import replacing
class Slow(replacing._Unbuffered):
    def write(self, piece):
        done = super().write(piece)
        print("written", flush=True)
        sys.stdin.readline()
        return done
replacing._Unbuffered = Slow
mg.save(sys.argv[1], "theirs")
"""


@posix
@each_suffix
def test_a_process_that_is_killed_leaves_the_old_file_and_is_swept_up_after(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    mg.save(path, "old")
    for signals in range(3):
        process = subprocess.Popen([sys.executable, "-c", SLOW, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with process:
            process.stdout.readline()
            process.kill()
            process.wait()
        assert len(os.listdir(tmp_path)) == 2
        assert mg.load(path) == ("old" if not signals else "new")
        mg.save(path, "new")
        assert os.listdir(tmp_path) == [path.name]


@posix
@each_suffix
def test_what_is_being_written_is_not_swept(tmp_path, suffix):
    """As a process in another container, of whose number nothing is known here."""
    path = tmp_path / f"x{suffix}"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", SLOW, path], **pipes) as process:
        process.stdout.readline()
        left = [name for name in os.listdir(tmp_path) if name != path.name]
        assert len(left) == 1
        os.utime(tmp_path / left[0], (0, 0))  # it is old, too
        mg.save(path, "mine")
        assert sorted(os.listdir(tmp_path)) == sorted([path.name, *left])
        assert mg.load(path) == "mine"
        process.stdin.write(b"\n" * 100)
        process.stdin.close()
        process.stdin = None
        process.stdout.read()
    assert process.returncode == 0
    assert mg.load(path) == "theirs"
    assert os.listdir(tmp_path) == [path.name]


def sweeping(folder):
    mg.save(folder / "m.npz", 1)
    (folder / "m.npz").unlink()
    return sorted(os.listdir(folder))


def test_nothing_is_swept_that_is_not_ours(tmp_path):
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    names = [
        f".m.npz.{dead.pid}.tmp", ".m.npz.backup.4194300.tmp", ".m.npz.4194300.tmp", ".m.npz.tmp", "m.npz.tmp",
        ".minigrad-.tmp", ".minigrad-0.tmp", ".minigrad-backup.tmp", OURS[:-4], OURS[1:], OURS + ".tmp", "x" + OURS,
        OURS.replace("0", "g"), OURS.replace("0", "A"), OURS.upper(), OURS.replace("0", "٠"),
    ]  # fmt: skip
    for name in names:
        (tmp_path / name).write_text("mine")
    assert sweeping(tmp_path) == sorted(names)


@posix
def test_what_has_one_of_our_names_and_is_no_file_of_ours(tmp_path):
    (tmp_path / OURS).mkdir()
    os.mkfifo(tmp_path / OURS.replace("0", "1"))
    (tmp_path / "victim").write_text("mine")
    (tmp_path / OURS.replace("0", "2")).symlink_to("victim")
    (tmp_path / OURS.replace("0", "3")).hardlink_to(tmp_path / "victim")
    (tmp_path / OURS.replace("0", "4")).symlink_to("nowhere")
    before = sorted(os.listdir(tmp_path))
    assert sweeping(tmp_path) == before
    (tmp_path / OURS.replace("0", "5")).write_text("left")
    assert sweeping(tmp_path) == before
    if os.geteuid() == 0:
        (tmp_path / OURS.replace("0", "6")).write_text("of another user")
        os.chown(tmp_path / OURS.replace("0", "6"), 1234, 1234)
        assert len(sweeping(tmp_path)) == len(before) + 1


@posix
def test_a_file_that_is_swept_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    lock, swept = replacing.fcntl.flock, []

    def late(descriptor, how):
        if not swept:
            swept.extend(tmp_path.glob(".minigrad-*"))
            swept[0].unlink()
        lock(descriptor, how)

    monkeypatch.setattr(replacing.fcntl, "flock", late)
    mg.save(tmp_path / "x.npz", 1)
    assert (len(swept), mg.load(tmp_path / "x.npz"), os.listdir(tmp_path)) == (1, 1, ["x.npz"])


@posix
def test_where_there_are_no_locks_nothing_is_swept(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(replacing.fcntl, "flock", fail)
    (tmp_path / OURS).write_text("who knows")
    assert sweeping(tmp_path) == [OURS]
