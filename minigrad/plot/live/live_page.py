"""The page as an object: a notebook shows it in a frame, `save` writes it, and its text is the HTML."""

import html
import os
from collections.abc import Collection

from minigrad import display
from minigrad.replacing import replace_file


class LivePage:
    """An interactive page: a notebook shows it, `save` writes it, `str` is its HTML.

    Attributes
    ----------
    title : str
    html : str
        The page as the text of an HTML file.
    height : int
        Of the frame in a notebook, in pixels.
    """

    def __init__(self, title: str, html: str, height: int = 860) -> None:
        self.title, self.html, self.height = title, html, height

    def __str__(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<LivePage: {self.title!r}, {display.memory(len(self.html))}; save(path) writes it>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file; a file that is there is replaced when the new one is complete.

        Parameters
        ----------
        path : path-like

        Raises
        ------
        OSError
            If the file cannot be written there.
        """
        content = self.html.encode("utf-8", "backslashreplace")
        replace_file(path, lambda file: file.write(content), "file.write(page.html.encode())")

    def _repr_mimebundle_(
        self, include: Collection[str] | None = None, exclude: Collection[str] | None = None
    ) -> dict[str, str | bytes]:
        def frame() -> str:
            return (
                f'<iframe srcdoc="{html.escape(self.html)}" title="{display.escaped(self.title)}" '
                f'sandbox="allow-scripts" style="width:100%;height:{self.height}px;border:0"></iframe>'
            )

        return display.mimebundle(self.__repr__, include, exclude, html=frame)
