"""The picture of a graph, in every form in which it can be shown or saved."""

import os
from collections.abc import Callable, Collection
from functools import cached_property

from minigrad import display, errors
from minigrad.graph.render import format_of, laid_out
from minigrad.replacing import replace_file


class Picture:
    """A picture of a graph: a notebook shows it, `save` writes it, `print` shows it in letters.

    Attributes
    ----------
    source : str
        The picture in Graphviz's language, DOT.
    text : str
        The picture in letters.
    html : str
        The picture as an interactive page.
    format : str
        What `save` writes where the file's name does not tell, and what a notebook shows.

    Notes
    -----
    Values are those of the moment when the picture was drawn.  In other forms than the one that was asked for they are
    those of the moment when the form is made: an optimizer may have written into the memory of leaves since.
    """

    def __init__(
        self, source: Callable[[], str], text: Callable[[], str], html: Callable[[], str], format: str = "svg"
    ) -> None:
        self._source, self._text, self._html = source, text, html
        self.format = format

    @cached_property
    def source(self) -> str:
        """The picture in Graphviz's language."""
        return self._source()

    @cached_property
    def text(self) -> str:
        """The picture in letters."""
        return self._text()

    @cached_property
    def html(self) -> str:
        """The picture as an interactive page."""
        return self._html()

    def write(self) -> None:
        """Write down the form that was asked for: leaves may be changed before it is shown."""
        {"html": lambda: self.html, "text": lambda: self.text}.get(self.format, lambda: self.source)()

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Picture: {self.format}; save(path) writes it, print() shows it in letters>"

    def render(self, format: str | None = None) -> bytes:
        """The picture as the content of a file of that format.

        Parameters
        ----------
        format : {"svg", "png", "pdf", "dot", "text", "html"}, optional

        Raises
        ------
        MissingPackageError
            If there is no Graphviz.  The formats "dot", "text" and "html" need none.
        GraphError
            If Graphviz does not know the format, fails, or takes longer than half a minute.
        """
        format = format_of(None, format or self.format)
        own = {"dot": lambda: self.source, "text": lambda: self.text + "\n", "html": lambda: self.html}
        if format in own:
            return own[format]().encode("utf-8", "backslashreplace")
        return laid_out(self.source, format)

    def save(self, path: str | os.PathLike[str], format: str | None = None) -> None:
        """Write the picture to a file; a file that is there is replaced when the new one is complete.

        Parameters
        ----------
        path : path-like
        format : {"svg", "png", "pdf", "dot", "text", "html"}, optional
            By default what the end of the path says.

        Raises
        ------
        MissingPackageError
            If there is no Graphviz.  Its text has been saved beside the path then, with the ending ``.dot``.
        GraphError
            As `render`.
        OSError
            If the file cannot be written there.
        """
        format = format_of(path, format)
        try:
            self._save(path, format)
        except errors.MissingPackageError as error:
            text = os.path.splitext(os.fsdecode(path))[0] + ".dot"
            self._save(text, "dot")
            raise errors.MissingPackageError(f"{error}. The text for Graphviz has been saved as {text!r}") from None

    def _save(self, path: str | os.PathLike[str], format: str) -> None:
        replace_file(path, lambda file: file.write(self.render(format)), f"file.write(picture.render({format!r}))")

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str | bytes]:
        forms: dict[str, Callable[[], str | bytes]] = {}
        if self.format in ("svg", "html"):
            forms["svg"] = lambda: self.render("svg").decode()
        elif self.format in ("png", "pdf"):
            forms[self.format] = self.render
        return display.mimebundle(lambda: self.text, include, exclude, **forms)
