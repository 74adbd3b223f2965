"""How the gallery runs the scripts of `examples/`.

It works on copies, so that the pictures which a script writes do not land among the sources.  The real models are
programs with arguments, written for a command line: each is run with ``--quick``, shows the pictures that it has
written, and is given a title, which the gallery demands.  The graphs write pictures and interactive pages, which stand
where they were written, as do the pages of gradient descent.
"""

import html
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np

import minigrad as mg

# Under docs/.
SEEDS, MODELS, GRAPHS, LIVE = "_generated/seeds", "_generated/models", "_generated/graphs", "_generated/live"
PAGES = "gallery/pages"  # what is in it stands beside the documentation's own pages, for frames to show it


def copy(docs: Path) -> None:
    """Copy scripts, their data and the headers of the galleries to where they are run."""
    examples = docs.parent / "examples"
    for source, target in (
        (examples / "seeds", docs / SEEDS),
        (examples, docs / MODELS),
        (examples / "graphs", docs / GRAPHS),
        (examples / "live", docs / LIVE),
    ):
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        for path in source.iterdir():
            if path.is_file():
                shutil.copy(path, target)
    for path in (docs / MODELS).glob("*.py"):
        path.write_text(_titled(path.read_text(encoding="utf-8"), path.name), encoding="utf-8")


def _titled(script: str, name: str) -> str:
    """A script whose docstring begins with a title: its first sentence, up to a colon or a parenthesis."""
    sentence = re.match(r'"""(.+)', script)
    if sentence is None:
        raise ValueError(f"{name} does not begin with a docstring")
    title = re.split(r"[:(]|\.$", sentence[1])[0].strip()
    return f'"""{title}\n{"=" * len(title)}\n\n{script[3:]}'


# What the gallery asks for by name in its options: these must be functions with its signatures.


def arguments(gallery_conf: dict[str, Any], script_vars: dict[str, Any]) -> list[str]:
    """The arguments of a script (`reset_argv`); also its ``__file__``, which the gallery does not define."""
    script = Path(script_vars["src_file"])
    script_vars["example_globals"]["__file__"] = str(script)
    return ["--quick"] if script.parent.match(MODELS) else []


def fresh_package(gallery_conf: dict[str, Any], script: str) -> None:
    """What a script has changed in the package is put back before the next (`reset_modules`)."""
    mg.set_default_dtype(np.float64)
    mg.manual_seed(0)


def pictures(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:
    """The pictures and pages that a block of a program has written beside the program (`image_scrapers`)."""
    from sphinx_gallery.scrapers import figure_rst

    folder = Path(block_vars["src_file"]).parent
    if not any(map(folder.match, (MODELS, GRAPHS, LIVE))):
        return ""  # what these write is shown as figures of matplotlib
    shown, framed = [], []
    for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns):
        if path.suffix in (".png", ".svg"):
            image = Path(next(block_vars["image_path_iterator"])).with_suffix(path.suffix)
            shutil.move(path, image)
            shown.append(str(image))
        elif path.suffix == ".html":
            framed.append(_framed(path, Path(gallery_conf["src_dir"]) / PAGES / folder.name))
    return figure_rst(shown, gallery_conf["src_dir"]) + "".join(framed)


def _framed(page: Path, folder: Path) -> str:
    """An interactive page, moved to a folder of `PAGES`, in a frame."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.move(page, folder / page.name)
    address = html.escape(f"../../{folder.name}/{page.name}")
    return f"""

.. raw:: html

    <iframe class="interactive {folder.name}" src="{address}" title="{html.escape(page.stem)}" loading="lazy"></iframe>
    <p><a href="{address}">The same page by itself</a></p>

"""


def _get_sg_image_scraper() -> Any:
    return pictures
