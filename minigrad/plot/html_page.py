"""Interactive pages as objects: a notebook shows them in a frame, and `save` writes them."""

import html
import os
from collections.abc import Collection

from minigrad import display
from minigrad.replacing import replace_file


class HtmlPage:
    """An interactive page: a notebook shows it, `save` writes it, and its text is the HTML.

    Attributes
    ----------
    html : str
        The page.
    """

    height = 900  # of the frame in a notebook, in pixels

    def __init__(self, page: str, title: str, text: str) -> None:
        self.html, self._title, self._text = page, title, text

    def __str__(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self._text}; save(path) writes the page>"

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file; a file that is there is replaced when the new one is complete.

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
            # A page of its own within the notebook's, which can reach nothing of that.
            return (
                f'<iframe srcdoc="{html.escape(self.html)}" sandbox="allow-scripts" title="{html.escape(self._title)}" '
                f'style="width:100%;height:{self.height}px;border:0"></iframe>'
            )

        return display.mimebundle(self.__repr__, include, exclude, html=frame)
