"""From the text of a picture to the picture: find Graphviz, and run it."""

import os

from minigrad import errors

FORMATS = ("svg", "png", "pdf", "dot", "text", "html")
ENDINGS = {"txt": "text", "htm": "html", "gv": "dot"}

# A layout that takes longer is of a graph that nobody could read.
SECONDS = 30.0
LARGE = 300  # lines of its text, one for each box and arrow


def format_of(path: str | os.PathLike[str] | None, format: str | None) -> str:
    """The format to write: the one that is asked for, or the one that the path ends with."""
    source = "the format"
    if format is None:
        format, source = "svg", "a file name that ends with"
        if path is not None:
            format = os.path.splitext(os.fsdecode(path))[1].lstrip(".").lower()
            format = ENDINGS.get(format, format)
    if format not in FORMATS:
        raise errors.GraphError(f"there are no pictures in {source} {format!r}: choose one of {', '.join(FORMATS)}")
    return format


def find_dot() -> str:
    """The program that lays pictures out."""
    # Here, and in laid_out, because most programs that import minigrad draw nothing, and these modules load slowly.
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
            "The text for Graphviz, the picture in letters and the interactive page need none of them: "
            'format="dot", "text" and "html"'
        )
    return found


def laid_out(source: str, format: str) -> bytes:
    """The picture that Graphviz makes of its text."""
    import subprocess

    program = find_dot()
    # Twice the usual number of dots per inch: a picture that is shown on a slide is enlarged.  A large one is not.
    sharp = format == "png" and source.count("\n") < LARGE
    command = [program, f"-T{format}", *(["-Gdpi=192"] if sharp else [])]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        raise errors.GraphError(
            f"{program} did not lay the picture out within {SECONDS:g} s: close modules by depth=, lower limit=, "
            "or draw a part of the graph"
        ) from error
    except OSError as error:
        raise errors.MissingPackageError(f"{program} cannot be run: {error}") from error
    if done.returncode or not done.stdout:
        said = done.stderr.decode(errors="replace").strip() or f"exit status {done.returncode}, and no picture"
        hint = " (graphviz-pure writes no PDF: write SVG, or install Graphviz)" if format == "pdf" else ""
        raise errors.GraphError(f"{program} could not make a {format.upper()} picture{hint}: {said}")
    return done.stdout
