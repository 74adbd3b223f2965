"""The gallery of graphs: every script runs without a warning, and draws what its text speaks of."""

import ast
import os
import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

import pytest

import minigrad as mg
from minigrad.graph.render import find_dot

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "examples" / "graphs").glob("*.py"))

# Words of each picture: what the script's text says that one sees.
WORDS = {
    "neuron": ["w", "2", "grad -1.50", "tanh", "grad 1"],
    "error": ["subtract", "pow", "25", "return (guess - 1) ** 2"],
    "twice": ["18", "grad 6"],
    "rosenbrock": ["24.2"],
    "slope": ["operation of the derivative"],
    "curvature": ["1330"],
    "open": ["0: Linear", "weight", "(16, 4)", "1: ReLU"],
    "closed": ["80 parameters", "closed module"],
    "values": ["mean"],
    "gradients": ["sigmoid: Sequential", "relu: Sequential", "norm of the gradient"],
    "block": ["norm: LayerNorm", "add"],
    "net": ["×12", "embed: Linear"],
    "outline": ["×12", "head: Linear"],
    "step": ["weight_ih", "tanh", "getitem"],
    "three": ["LSTMCell (call 3)", "weight_hh"],
    "loop": ["×600", "10,206 nodes", "dashed arrows lead into later repetitions"],
    "head": ["softmax", "query", "± 2.8"],
    "heads": ["in_proj_weight", "reshape"],
    "encoder": ["×6", "self_attn: MultiheadAttention"],
    "nan": ["NaN", "first inf: exp, at g08_nan.py:20"],
    "finite": ["log_softmax"],
    "gradient": ["first inf in a gradient"],
    "two": ["rate", "grad -200.704", "operation of the derivative"],
    "fifty": ["repeated", "×50"],
    "last": ["mean", "Sequential"],
}
# Where two scripts have pictures of the same name.
WORDS_OF = {("g08_nan", "slope"): ["first inf: zero_safe_divide", "in the derivative of sqrt"]}


@pytest.fixture
def graphviz():
    try:
        find_dot()
    except mg.errors.MissingPackageError:
        pytest.skip("there is no Graphviz")


def promised(script):
    """The files that a script says it writes."""
    text = script.read_text(encoding="utf-8")
    return set(re.findall(r'(?:path=|save\()"([^"]+)"', text))


def letters(path):
    """All words of a picture, one after the other."""
    root = ElementTree.fromstring(path.read_bytes())
    return " ".join(" ".join("".join(element.itertext()).split()) for element in root.iter() if "text" in element.tag)


@pytest.mark.usefixtures("graphviz")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_draws_what_it_speaks_of(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(script), run_name="__main__")
    assert {path.name for path in tmp_path.iterdir()} == promised(script)
    assert promised(script)
    for path in tmp_path.glob("*.svg"):
        shown = letters(path)
        for word in WORDS_OF.get((script.stem, path.stem), WORDS.get(path.stem, ())):
            assert word in shown, f"{path.name} does not show {word!r}, but {shown}"
    for path in tmp_path.glob("*.html"):
        assert path.read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_every_picture_has_words_to_look_for():
    drawn = {Path(name).stem for script in SCRIPTS for name in promised(script) if name.endswith(".svg")}
    assert drawn == set(WORDS)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_has_a_title_and_says_something_of_every_picture(script):
    text = script.read_text(encoding="utf-8")
    title, underline, *_ = ast.get_docstring(ast.parse(text)).splitlines()
    assert underline == "=" * len(title)
    blocks = re.split(r"^# %%\n", text, flags=re.M)[1:]
    assert blocks
    for block in blocks:
        assert block.startswith("# ")
        assert len(re.findall(r'(?:path=|save\()"', block)) == 1


# How the documentation shows them

DOCS = ROOT / "docs"


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(DOCS))
    pytest.importorskip("sphinx_gallery")
    import scripts

    return scripts


@pytest.fixture
def built(tmp_path, scripts):
    """A block of a script in a tree like that of a build, and the gallery's configuration."""
    folder = tmp_path / scripts.GRAPHS
    images = tmp_path / "gallery" / "graphs" / "images"
    for made in (folder, images):
        made.mkdir(parents=True)
    names = (str(images / f"sphx_glr_g_{i:03}.png") for i in range(1, 9))
    block = {"src_file": str(folder / "g.py"), "image_path_iterator": names}
    return folder, images, block, {"src_dir": str(tmp_path)}


def test_the_gallery_moves_pictures_in_the_order_in_which_they_were_drawn(scripts, built):
    folder, images, block, configuration = built
    for time, name in enumerate(("z.svg", "a.png")):
        (folder / name).write_text(name)
        os.utime(folder / name, (time, time))
    (folder / "g.py").write_text("")
    rst = scripts.pictures(None, block, configuration)
    assert (images / "sphx_glr_g_001.svg").read_text() == "z.svg"
    assert (images / "sphx_glr_g_002.png").read_text() == "a.png"
    assert rst.index("g_001.svg") < rst.index("g_002.png")
    assert [path.name for path in folder.iterdir()] == ["g.py"]
    assert scripts.pictures(None, block, configuration).strip() == ""


def test_the_gallery_shows_a_page_in_a_frame(scripts, built, tmp_path):
    folder, _, block, configuration = built
    (folder / 'a"b.html').write_text("<html></html>")
    rst = scripts.pictures(None, block, configuration)
    assert (tmp_path / scripts.PAGES / "graphs" / 'a"b.html').exists()
    assert 'src="../../graphs/a&quot;b.html"' in rst
    assert ".. raw:: html\n\n    <iframe" in rst


def test_the_gallery_leaves_the_figures_of_other_scripts_alone(scripts, built, tmp_path):
    _, _, block, configuration = built
    folder = tmp_path / scripts.SEEDS
    folder.mkdir(parents=True)
    (folder / "square.png").write_text("")
    assert scripts.pictures(None, {**block, "src_file": str(folder / "e.py")}, configuration) == ""
    assert (folder / "square.png").exists()


def test_all_scripts_are_copied_to_where_the_gallery_runs_them(scripts, tmp_path):
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    scripts.copy(tmp_path / "docs")
    copied = sorted((tmp_path / "docs" / scripts.GRAPHS).iterdir())
    assert [path.name for path in copied] == ["GALLERY_HEADER.rst", *(script.name for script in SCRIPTS)]
