"""Files that are whole or not there.

A file is written beside its place, under a name that nobody can foresee, and then renamed.  So whenever the process is
killed there is either the old file or the new one, and both are whole.  No lock of Python's is held, which a fork could
copy while it is closed.
"""

import errno
import io
import os
import re
import stat
from collections.abc import Callable
from contextlib import suppress
from typing import Any, BinaryIO

from minigrad.errors.files import cannot_write, no_regular_file

_POSIX = os.name == "posix"
if _POSIX:
    import fcntl

_OURS = r"\.minigrad-[0-9a-f]{32}\.tmp"


class _Unbuffered(io.FileIO):
    """A file that writes all that it is given, at once: a process that is forked meanwhile inherits no full buffer,
    which it would write once more at its end.
    """

    def write(self, content: Any) -> int:
        left = memoryview(content).cast("B")
        size = len(left)
        while left:
            left = left[super().write(left) :]
        return size


def replace_file(path: str | os.PathLike[str], write: Callable[[BinaryIO], object], instead: str) -> None:
    """Write a file so that there is never half of one under its name.

    A link is followed: the file that it leads to is replaced.  A file keeps its permissions, and where that is allowed
    its owner; a new one gets those that the umask leaves.

    Parameters
    ----------
    path : path-like
    write : callable
        Writes what the file shall hold.
    instead : str
        For messages: how to write the same to a `file` that is open.

    Raises
    ------
    OSError
        Of the kind that the system says, if the file cannot be written; then nothing has changed.
    """
    path = os.fsdecode(path)
    try:
        target = _target(path)
        old = _state(target)
    except OSError as error:
        raise cannot_write(path, error, instead) from error
    if old is not None and not stat.S_ISREG(old.st_mode):
        raise no_regular_file(path, stat.S_ISDIR(old.st_mode), instead)
    folder = os.path.dirname(target)
    _sweep(folder)
    temporary = os.path.join(folder, f".minigrad-{os.urandom(16).hex()}.tmp")
    private = 0o666 if old is None else 0o600  # what others may not read, they may not read half-written
    try:
        with _Unbuffered(temporary, "x+", opener=lambda name, flags: os.open(name, flags, private)) as file:
            if not _claim(file):
                return replace_file(path, write, instead)
            write(file)
            if old is not None:
                _make_like(file, old)
            os.fsync(file.fileno())
            if not _POSIX:
                file.close()  # Windows renames no open file; elsewhere the lock is held until it has its name
            os.replace(temporary, target)
    except BaseException as error:
        with suppress(OSError):
            os.unlink(temporary)
        if isinstance(error, OSError):
            raise cannot_write(path, error, instead) from error
        raise
    _synchronize(folder)


def _target(path: str) -> str:
    """Where the file itself is, if the path is a link."""
    if os.path.islink(path):
        folder, link = os.stat(os.path.dirname(path) or "."), os.lstat(path)
        public = folder.st_mode & (stat.S_ISVTX | stat.S_IWOTH) == stat.S_ISVTX | stat.S_IWOTH
        if public and link.st_uid not in (os.geteuid(), folder.st_uid):  # as Linux does, if it is set up so
            raise PermissionError(errno.EACCES, "a link that another user has put into a folder of everybody's")
    return os.path.realpath(path)


def _state(target: str) -> os.stat_result | None:
    try:
        return os.stat(target)
    except FileNotFoundError:
        return None


def _make_like(file: io.FileIO, old: os.stat_result) -> None:
    """Give a file the owner and the permissions of the one that it replaces."""
    if not _POSIX:
        return
    with suppress(OSError):
        os.fchown(file.fileno(), old.st_uid, old.st_gid)
    os.fchmod(file.fileno(), old.st_mode & 0o777)


def _synchronize(folder: str) -> None:
    """Let new names survive a crash of the machine, too, where folders can be synchronized."""
    if not _POSIX:
        return
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


# What processes have left that were killed while they wrote.  A file that is being written is locked, which every
# process on the file system sees, in another container, too, where numbers of processes mean nothing.


def _claim(file: io.FileIO) -> bool:
    """Lock a new file for as long as it is open: whether nobody has swept it away before."""
    if not _POSIX:
        return True
    with suppress(OSError):  # a file system without locks: then nothing is swept
        fcntl.flock(file.fileno(), fcntl.LOCK_EX)
    return os.path.exists(file.name)


def _sweep(folder: str) -> None:
    """Remove files of ours that nobody writes any more."""
    if not _POSIX:
        return
    with suppress(OSError):
        for name in os.listdir(folder):
            if re.fullmatch(_OURS, name):
                with suppress(OSError):
                    _remove_if_left(os.path.join(folder, name))


def _remove_if_left(path: str) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        state = os.fstat(descriptor)
        if stat.S_ISREG(state.st_mode) and state.st_uid == os.geteuid() and state.st_nlink == 1:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)  # an OSError if it is being written
            os.unlink(path)
    finally:
        os.close(descriptor)
