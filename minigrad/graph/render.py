"""From the text of a picture to the picture: find Graphviz, run it, and write files that are whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

from minigrad import errors

FORMATS = ("svg", "png", "pdf", "dot")

# A layout that takes longer is of a graph that nobody could read.
SECONDS = 60.0


class Picture:
    """A picture of a graph, laid out by Graphviz when it is needed: a notebook shows it, `save` writes it.

    Attributes
    ----------
    source : str
        The picture in Graphviz's language, DOT.  It is also what `str` and `print` give.
    format : str
        What `save` writes where the file's name does not tell, and what a notebook shows.
    """

    def __init__(self, source: str, format: str = "svg") -> None:
        self.source = source
        self.format = format

    def __str__(self) -> str:
        return self.source

    def render(self, format: str | None = None) -> bytes:
        """The picture as the content of a file of that format.

        Raises
        ------
        MissingPackageError
            If there is no Graphviz.  The format "dot" needs none.
        GraphError
            If Graphviz does not know the format, fails, or takes longer than a minute.
        """
        format = format or self.format
        return self.source.encode() if format == "dot" else _run(self.source, format)

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the picture to a file; a file that is there is replaced when the new one is complete.

        Parameters
        ----------
        path : path-like
        format : {"svg", "png", "pdf", "dot"}, optional
            By default what the end of the path says.

        Raises
        ------
        GraphError, MissingPackageError
            As `render`.
        OSError
            If the file cannot be written there.
        """
        format = format_of(path, format)
        with replacing(path) as file:
            file.write(self.render(format))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str | bytes]:
        if self.format == "dot":
            return {"text/plain": self.source}
        if self.format == "svg":
            return {"image/svg+xml": self.render("svg").decode()}
        return {"image/png" if self.format == "png" else "application/pdf": self.render()}


def format_of(path: str | os.PathLike[str] | None, format: str | None) -> str:
    """The format to write: the one that is asked for, or the one that the path ends with."""
    source = "the format"
    if format is None:
        format, source = "svg", "a file name that ends with"
        if path is not None:
            format = os.path.splitext(os.fsdecode(path))[1].lstrip(".").lower()
    if format not in FORMATS:
        raise errors.GraphError(f"there are no pictures in {source} {format!r}: choose one of {', '.join(FORMATS)}")
    return format


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file that takes its place at `path` when the block ends well; if it does not, nothing has changed."""
    path = os.fsdecode(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"the picture cannot be written to {path!r}, which is a folder")
    temporary = f"{path}.{os.urandom(4).hex()}.tmp"
    try:
        file = open(temporary, "xb")  # noqa: SIM115  # closed below, before it is moved
    except OSError as error:
        raise type(error)(error.errno, f"{error.strerror}: the picture cannot be written there", path) from error
    try:
        with file:
            yield file
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def find_dot() -> str:
    """The program that lays pictures out."""
    # Here, and in _run, because most programs that import minigrad draw nothing, and these modules load slowly.
    import shutil
    import sysconfig

    wanted = os.environ.get("MINIGRAD_DOT")
    if wanted:
        found = shutil.which(wanted)
        if found is None:
            raise errors.MissingPackageError(
                f"the environment variable MINIGRAD_DOT names the program {wanted!r}, which is not there or cannot be "
                "run: let it name Graphviz's `dot`, or unset it"
            )
        return found
    # A virtual environment that is not activated is not on PATH, but its programs are next to its Python.
    scripts = sysconfig.get_path("scripts")
    found = shutil.which("dot") or shutil.which("graphviz-pure", path=scripts) or shutil.which("graphviz-pure")
    if found is None:
        raise errors.MissingPackageError(
            "a picture needs Graphviz to lay it out, and there is none. One of these helps: `pip install graphviz "
            "graphviz-pure` (the extra `viz`), which needs nothing else; a Graphviz of the system (`apt install "
            "graphviz`, `brew install graphviz`); or the environment variable MINIGRAD_DOT with the path of a `dot`. "
            'The text of the picture needs none of them: draw(y, "graph.dot"), or draw(y, format="dot").source'
        )
    return found


def _run(source: str, format: str) -> bytes:
    import subprocess

    program = find_dot()
    # Twice the usual number of dots per inch: a picture that is shown on a slide is enlarged.
    command = [program, f"-T{format}", *(["-Gdpi=192"] if format == "png" else [])]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise errors.GraphError(
            f"{program} did not lay the picture out within {SECONDS:g} s: draw a part of the graph, or lower `limit`"
        ) from error
    except OSError as error:
        raise errors.MissingPackageError(f"{program} cannot be run: {error}") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}, and no picture"
        hint = " (graphviz-pure writes no PDF: write SVG, or install Graphviz)" if format == "pdf" else ""
        raise errors.GraphError(f"{program} could not make a {format.upper()} picture{hint}: {said}")
    return done.stdout
