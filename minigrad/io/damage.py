"""What goes wrong while a file is read, said of that file."""

from collections.abc import Iterator
from contextlib import contextmanager

from minigrad.errors import FileError, MinigradError
from minigrad.errors.files import damaged


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Make a FileError of whatever a reader says of bytes that mean nothing."""
    try:
        yield
    except MemoryError:
        raise
    except MinigradError as error:
        raise FileError(f"{name} cannot be loaded: {error}") from error
    except Exception as error:
        raise damaged(name, error) from error
