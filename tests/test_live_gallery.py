"""The gallery of live pages: every script runs without a warning, and writes the page that it speaks of."""

import ast
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPTS = sorted((ROOT / "examples" / "live").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_writes_its_page_and_draws_a_picture(script, tmp_path, monkeypatch):
    pyplot = pytest.importorskip("matplotlib.pyplot")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "Agg")
    text = script.read_text(encoding="utf-8")
    try:
        runpy.run_path(str(script), run_name="__main__")
        assert len(pyplot.get_fignums()) == 1
    finally:
        pyplot.close("all")
    (page,) = tmp_path.iterdir()
    assert f'path="{page.name}"' in text
    assert page.stem == script.stem.partition("_")[2]
    assert page.stat().st_size <= 300_000
    assert page.read_text(encoding="utf-8").rstrip().endswith("</html>")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_has_a_title_and_says_something_of_every_block(script):
    text = script.read_text(encoding="utf-8")
    title, underline, *_ = ast.get_docstring(ast.parse(text)).splitlines()
    assert underline == "=" * len(title)
    blocks = re.split(r"^# %%\n", text, flags=re.M)[1:]
    assert len(blocks) == 2
    assert all(block.startswith("# ") for block in blocks)


def test_the_documentation_frames_the_pages(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    pytest.importorskip("sphinx_gallery")
    import scripts

    folder = tmp_path / scripts.LIVE
    folder.mkdir(parents=True)
    (folder / "bowl.html").write_text("<html></html>")
    shown = scripts.pictures(
        None, {"src_file": str(folder / "p02_bowl.py"), "image_path_iterator": iter(())}, {"src_dir": str(tmp_path)}
    )
    assert '<iframe class="interactive live" src="../../live/bowl.html"' in shown
    assert (tmp_path / scripts.PAGES / "live" / "bowl.html").exists()
