"""The code that the pages show: the tests run it for its results, the build for the pictures that it draws."""

import contextlib
import io
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F  # noqa: N812  # PyTorch's users know it by this letter

PICTURES = "_generated"  # the folder under docs/ for what is drawn at build, with a folder for each page in it


class Block(NamedTuple):
    """A block of Python code in a page."""

    start: int  # the number of the line before it
    code: str
    output: str  # what a block of plain text right after it shows: what the code prints


def blocks(page: Path) -> list[Block]:
    """The Python code of a page, in order."""
    text = page.read_text(encoding="utf-8")
    pattern = r"^```python\n(.*?)^```$(?:\n+^```text\n(.*?)^```$)?"
    matches = re.finditer(pattern, text, re.M | re.S)
    return [Block(text[: match.start(1)].count("\n"), match[1], match[2] or "") for match in matches]


def known_names() -> dict[str, Any]:
    """The names that a page takes for known: a new set for each page."""
    rng = np.random.default_rng(0)
    mg.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    x, y, w = rng.normal(size=(5, 3)), rng.normal(size=(5, 2)), rng.normal(size=(3, 2))
    return {"np": np, "mg": mg, "nn": nn, "F": F, "model": model, "x": x, "y": y, "w": w}


def pictures(page: Path) -> set[str]:
    """The names of the files that a page shows and its own code draws."""
    pattern = rf"\]\((?:\.\./)*{PICTURES}/{page.stem}/([^)]+)\)"
    return set(re.findall(pattern, page.read_text(encoding="utf-8")))


def draw(docs: Path) -> None:
    """Run every page that shows pictures of its own, and put the pictures where the page looks for them."""
    from matplotlib import pyplot as plt  # the tests get on without it

    shutil.rmtree(docs / PICTURES, ignore_errors=True)
    for page in sorted(docs.rglob("*.md")):
        wanted = pictures(page)
        if not wanted:
            continue
        target = docs / PICTURES / page.stem
        target.mkdir(parents=True)
        names = known_names()
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            with contextlib.redirect_stdout(io.StringIO()):
                for block in blocks(page):
                    exec(compile("\n" * block.start + block.code, str(page), "exec"), names)
            for name in wanted:
                if not os.path.exists(name):
                    raise FileNotFoundError(f"{page} shows {name}, which its code does not draw")
                shutil.copy(name, target)
    plt.close("all")  # the gallery shows every figure that is open
