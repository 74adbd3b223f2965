"""Where pictures come from and where they go: Graphviz, files, notebooks."""

import os
import subprocess
import sys

import numpy as np
import pytest

import minigrad as mg
from minigrad import graph
from minigrad.errors import GraphError, MissingPackageError
from minigrad.graph import render
from minigrad.graph.picture import Picture
from tests.needs import needs_graphviz

STARTS = {
    "svg": b"<?xml",
    "png": b"\x89PNG",
    "dot": b"digraph minigrad",
    "text": b"%0 = leaf",
    "html": b"<!doctype html>",
}


needs_scripts = pytest.mark.skipif(sys.platform == "win32", reason="the programs are shell scripts")


def drawn(**options):
    return graph.draw(mg.tensor(3.0, requires_grad=True, name="w") ** 2, **options)


def script(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def no_graphviz(monkeypatch, tmp_path_factory):
    monkeypatch.delenv("MINIGRAD_DOT", raising=False)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path_factory.mktemp("scripts")))


# Without Graphviz


def test_three_forms_need_no_graphviz(no_graphviz, tmp_path):
    picture = drawn()
    assert picture.source.startswith("digraph minigrad {")
    assert str(picture) == picture.text
    for ending, format in (("dot", "dot"), ("gv", "dot"), ("txt", "text"), ("html", "html"), ("htm", "html")):
        path = tmp_path / f"picture.{ending}"
        drawn(path=path)
        assert path.read_bytes() == drawn(format=format).render()
        assert path.read_bytes().lower().startswith(STARTS[format])


def test_the_error_names_three_ways_and_the_text_is_saved(no_graphviz, tmp_path):
    with pytest.raises(MissingPackageError) as caught:
        drawn(path=tmp_path / "picture.svg")
    for way in ("MINIGRAD_DOT", "apt install graphviz", "pip install graphviz graphviz-pure", 'format="dot"'):
        assert way in str(caught.value)
    assert str(caught.value).endswith(f"The text for Graphviz has been saved as {str(tmp_path / 'picture.dot')!r}")
    assert os.listdir(tmp_path) == ["picture.dot"]
    assert (tmp_path / "picture.dot").read_text("utf-8") == drawn().source


def test_an_old_picture_stays_when_there_is_no_graphviz(no_graphviz, tmp_path):
    (tmp_path / "picture.svg").write_text("old")
    with pytest.raises(MissingPackageError):
        drawn(path=tmp_path / "picture.svg")
    assert (tmp_path / "picture.svg").read_text() == "old"
    assert sorted(os.listdir(tmp_path)) == ["picture.dot", "picture.svg"]


def test_to_render_without_graphviz(no_graphviz, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MissingPackageError, match="there is none"):
        drawn().render()
    assert not os.listdir(tmp_path)


def test_a_missing_program_that_was_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("MINIGRAD_DOT", "/nowhere/dot")
    with pytest.raises(MissingPackageError, match="MINIGRAD_DOT names the program '/nowhere/dot'"):
        drawn().render()
    with pytest.raises(MissingPackageError, match=r"MINIGRAD_DOT names .* has been saved as '.*picture\.dot'"):
        drawn(path=tmp_path / "picture.png")
    assert os.listdir(tmp_path) == ["picture.dot"]


def test_a_notebook_without_graphviz_shows_letters(no_graphviz):
    for format in ("svg", "png", "pdf", "dot", "text"):
        assert drawn(format=format)._repr_mimebundle_() == {"text/plain": drawn().text}


# Which Graphviz


@needs_scripts
def test_which_program_is_used(monkeypatch, tmp_path):
    folders = {}
    for name in ("asked", "path", "scripts"):
        folders[name] = tmp_path / name
        folders[name].mkdir()
    pure = script(folders["scripts"] / "graphviz-pure", "exit")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(folders["scripts"]))
    monkeypatch.delenv("MINIGRAD_DOT", raising=False)
    monkeypatch.setenv("PATH", str(folders["path"]))
    assert render.find_dot() == str(pure)
    on_path = script(folders["path"] / "dot", "exit")
    assert render.find_dot() == str(on_path)
    asked = script(folders["asked"] / "my dot", "exit")
    monkeypatch.setenv("MINIGRAD_DOT", str(asked))
    assert render.find_dot() == str(asked)


@needs_scripts
def test_what_the_program_is_given(monkeypatch, tmp_path):
    monkeypatch.setenv("MINIGRAD_DOT", str(script(tmp_path / "dot", 'echo "$@"; cat')))
    said, _, text = drawn().render("png").decode().partition("\n")
    assert said.split()[0] == "-Tpng"
    assert text == drawn().source
    assert drawn().render("svg").decode().startswith("-Tsvg\n")
    assert drawn(format="pdf").render().decode().startswith("-Tpdf\n")


@needs_scripts
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("echo 'what is this' >&2; exit 1", "could not make a SVG picture: what is this"),
        ("exit 3", "exit status 3"),
        ("cat > /dev/null", "no picture"),
        ("printf '\\377' >&2; exit 1", "could not make a SVG picture: \ufffd"),
        ("exec sleep 20", r"did not lay the picture out within 0\.2 s: close modules by depth=, lower limit="),
    ],
)
def test_a_program_that_fails(monkeypatch, tmp_path, text, message):
    monkeypatch.setenv("MINIGRAD_DOT", str(script(tmp_path / "dot", text)))
    monkeypatch.setattr(render, "SECONDS", 0.2 if "sleep" in text else 20.0)
    (tmp_path / "old.svg").write_text("old")
    with pytest.raises(GraphError, match=message):
        drawn(path=tmp_path / "old.svg")
    assert sorted(os.listdir(tmp_path)) == ["dot", "old.svg"]
    assert (tmp_path / "old.svg").read_text() == "old"
    assert drawn()._repr_mimebundle_() == {"text/plain": drawn().text}


@needs_scripts
def test_a_program_that_cannot_be_run(monkeypatch, tmp_path):
    program = tmp_path / "dot"
    program.write_text("#!/nowhere/shell\n")
    program.chmod(0o755)
    monkeypatch.setenv("MINIGRAD_DOT", str(program))
    with pytest.raises(MissingPackageError, match="cannot be run"):
        drawn().render()


@needs_scripts
def test_a_program_that_knows_no_pdf(monkeypatch, tmp_path):
    monkeypatch.setenv("MINIGRAD_DOT", str(script(tmp_path / "dot", "echo 'Format: pdf not recognized' >&2; exit 1")))
    with pytest.raises(GraphError, match="writes no PDF: write SVG, or install Graphviz"):
        drawn().render("pdf")


# Files


@needs_graphviz
@pytest.mark.parametrize(("ending", "format"), [("svg", "svg"), ("png", "png"), ("SVG", "svg"), ("Png", "png")])
def test_files_by_their_ending(tmp_path, ending, format):
    path = tmp_path / f"picture.{ending}"
    path.write_text("old")
    drawn(path=str(path))
    assert path.read_bytes().startswith(STARTS[format])
    assert os.listdir(tmp_path) == [path.name]


@needs_graphviz
def test_a_format_goes_before_the_ending(tmp_path):
    drawn(path=tmp_path / "picture", format="png")
    assert (tmp_path / "picture").read_bytes().startswith(STARTS["png"])
    drawn(path=os.fsencode(tmp_path / "other.svg"), format="text")
    assert (tmp_path / "other.svg").read_bytes().startswith(STARTS["text"])


@needs_graphviz
def test_a_picture_saves_itself_in_other_formats(tmp_path):
    picture = drawn()
    for ending, format in (("png", "png"), ("svg", "svg"), ("dot", "dot"), ("txt", "text"), ("html", "html")):
        picture.save(tmp_path / f"a.{ending}")
        assert (tmp_path / f"a.{ending}").read_bytes().lower().startswith(STARTS[format].lower())
    assert len(os.listdir(tmp_path)) == 5


@pytest.mark.parametrize("name", ["picture.jpg", "picture", ".svg", "picture.svg.bak"])
def test_an_unknown_ending_is_refused_before_any_work(tmp_path, name):
    with pytest.raises(GraphError, match="choose one of svg, png, pdf, dot, text, html"):
        graph.draw("not even a Tensor", path=tmp_path / name)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("format", ["gif", "", "SVG", 5])
def test_an_unknown_format(format):
    with pytest.raises(GraphError, match=rf"there are no pictures in the format {format!r}"):
        drawn(format=format)
    if format:
        with pytest.raises(GraphError, match=rf"there are no pictures in the format {format!r}"):
            drawn().render(format)


@pytest.mark.parametrize("name", ["picture.svg", "picture.dot", "picture.html"])
def test_places_that_cannot_be_written_to(tmp_path, name):
    (tmp_path / "file").write_text("")
    with pytest.raises(FileNotFoundError, match=r"file cannot be saved.*none.picture"):
        drawn(path=tmp_path / "none" / name)
    with pytest.raises(OSError, match="file cannot be saved"):
        drawn(path=tmp_path / "file" / name)
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError, match="a folder is there"):
        drawn(path=tmp_path / name)
    assert sorted(os.listdir(tmp_path)) == ["file", name]


def test_a_folder_that_is_closed(tmp_path, monkeypatch):
    def deny(path, *flags):
        raise PermissionError(13, "Permission denied", path)

    picture = drawn()
    monkeypatch.setattr("os.open", deny)  # as root no folder is closed
    with pytest.raises(
        PermissionError, match=r"file cannot be saved.*file\.write\(picture\.render\('dot'\)\).*picture\.dot'$"
    ):
        picture.save(tmp_path / "picture.dot")


@pytest.mark.parametrize("failure", [KeyboardInterrupt, RuntimeError, OSError(28, "No space left on device")])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path, monkeypatch, failure):
    path = tmp_path / "picture.svg"
    path.write_text("old")

    def fail(*args):
        raise failure

    monkeypatch.setattr("minigrad.graph.picture.laid_out", fail)
    with pytest.raises(failure if isinstance(failure, type) else OSError):
        drawn(path=path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["picture.svg"]


def test_no_graph_no_file(tmp_path):
    (tmp_path / "picture.dot").write_text("old")
    with pytest.raises(GraphError):
        graph.draw(mg.tensor(1.0), path=tmp_path / "picture.dot")
    assert (tmp_path / "picture.dot").read_text() == "old"


def test_text_that_is_no_unicode_can_be_saved(tmp_path):
    picture = Picture(lambda: "\ud800", lambda: "é", lambda: "")
    picture.save(tmp_path / "a.dot")
    picture.save(tmp_path / "a.txt")
    assert (tmp_path / "a.dot").read_bytes() == b"\\ud800"
    assert (tmp_path / "a.txt").read_bytes() == "é\n".encode()


# Notebooks


@needs_graphviz
def test_what_a_notebook_shows():
    bundle = drawn()._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "image/svg+xml"}
    assert "<svg" in bundle["image/svg+xml"]
    assert bundle["text/plain"] == drawn().text
    assert isinstance(drawn(format="png")._repr_mimebundle_()["image/png"], bytes)
    assert set(drawn(format="dot")._repr_mimebundle_()) == {"text/plain"}


@needs_graphviz
def test_a_notebook_may_choose():
    assert set(drawn()._repr_mimebundle_(include=["image/svg+xml"])) == {"image/svg+xml"}
    assert set(drawn()._repr_mimebundle_(exclude=["image/svg+xml"])) == {"text/plain"}
    assert drawn()._repr_mimebundle_(include=["image/jpeg"]) == {}


def test_to_look_at_a_picture_never_fails():
    def fail():
        raise ValueError("no")

    assert Picture(fail, lambda: "letters", fail)._repr_mimebundle_() == {"text/plain": "letters"}
    assert Picture(fail, fail, fail)._repr_mimebundle_() == {}
    assert repr(drawn()) == "<Picture: svg; save(path) writes it, print() shows it in letters>"


def test_pictures_are_made_when_they_are_wanted():
    made = []
    picture = Picture(lambda: made.append("dot") or "d", lambda: made.append("text") or "t", lambda: "h")
    assert not made
    assert (picture.source, picture.source, picture.text) == ("d", "d", "t")
    assert made == ["dot", "text"]


def test_a_program_on_the_command_line():
    code = "import minigrad as mg; print(mg.graph.draw(lambda x: mg.sin(x), 0.0, show='line'))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True)
    assert "%1 = sin(%0)" in done.stdout
    assert "<string>:1" in done.stdout
    assert done.stderr == ""


@needs_graphviz
def test_a_large_graph_is_laid_out(tmp_path):
    def wide(x):
        return sum(mg.sin(x * i) for i in range(2000))

    picture = graph.draw(wide, np.ones(3), fold=False)
    assert picture.render("svg").startswith(STARTS["svg"])
