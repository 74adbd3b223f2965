"""Films that are quick to make and small: what stands still is drawn once, and all frames share one palette."""

import base64
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from matplotlib.animation import FuncAnimation
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from PIL import Image

from minigrad.options import one_of, real_number

PAGE = Path(__file__).with_name("film.html")

_NEAR = 8  # of 255: Pillow looks colours up by cells of this width
_FREE = 255  # the last place of the palette: no picture has this colour


class Film(FuncAnimation):
    """Matplotlib's, whose GIFs and pages are made in less time, and are smaller.

    Parameters
    ----------
    figure : Figure
    draw : callable
        Sets the scene for a moment.
    moments : sequence
    moving : iterable of artist
        All artists that a moment changes, or that are in front of one.
    fps : float
        Frames for each second.
    """

    def __init__(
        self, figure: Figure, draw: Callable[[Any], Any], moments: Sequence[Any], moving: Iterable[Any], fps: float
    ) -> None:
        super().__init__(figure, draw, frames=moments, init_func=list, interval=1000 / fps, cache_frame_data=False)
        self.figure, self.draw, self.moments, self.fps = figure, draw, moments, fps
        self.moving = sorted(moving, key=lambda artist: artist.get_zorder())

    def save(  # type: ignore[override]  # all other options are handed on
        self, filename: Any, writer: Any = None, fps: Any = None, dpi: Any = None, **options: Any
    ) -> None:
        """Write the film to a file: a GIF quickly, unless another writer than Pillow's is given."""
        if Path(filename).suffix.lower() != ".gif" or writer not in (None, "pillow") or options:
            super().save(filename, writer=writer, fps=fps, dpi=dpi, **options)
            return
        first, *others = self.pictures(dpi)
        first.save(filename, save_all=True, append_images=others, duration=1000 / (fps or self.fps), loop=0)

    def to_jshtml(self, fps: Any = None, embed_frames: bool = True, default_mode: str | None = None) -> str:
        """A page with controls, which holds the first frame, and of the others what differs from it."""
        if not embed_frames:
            return str(super().to_jshtml(fps, embed_frames, default_mode))
        mode = one_of(default_mode or "loop", "to_jshtml: default_mode", ("once", "loop", "reflect"))
        frames = self.pictures()
        film = {
            "frames": [_address(_difference(frame, frames[0])) for frame in frames],
            "fps": real_number(fps or self.fps, "to_jshtml: fps", above=0, most=1000),
            "mode": mode,
        }
        page = PAGE.read_text(encoding="utf-8").replace("ID", f"film-{uuid4().hex}")
        return page.replace("FIRST", _address(frames[0])).replace("FILM", json.dumps(film))

    def pictures(self, dpi: Any = None) -> list[Image.Image]:
        """The frames, in the colours of one palette, which leaves its last place free."""
        screen, before = self.figure.canvas, self.figure.dpi
        try:
            self.figure.dpi = before if dpi in (None, "figure") else dpi
            drawn = self._drawn(FigureCanvasAgg(self.figure))
        finally:
            self.figure.dpi = before
            self.figure.set_canvas(screen)
        palette = _palette(drawn[-1], self.moving)
        return [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in drawn]

    def _drawn(self, canvas: Any) -> list[Image.Image]:
        self.draw(self.moments[0])
        for _ in range(3):  # for the layout, in which what moves has its place: it settles by and by
            canvas.draw()
        for artist in self.moving:
            artist.set_animated(True)
        try:
            canvas.draw()
            still = canvas.copy_from_bbox(self.figure.bbox)
            drawn = []
            for moment in self.moments:
                self.draw(moment)
                canvas.restore_region(still)
                for artist in self.moving:
                    self.figure.draw_artist(artist)
                drawn.append(Image.fromarray(np.array(canvas.buffer_rgba())).convert("RGB"))
        finally:
            for artist in self.moving:
                artist.set_animated(False)
        return drawn


def _palette(picture: Image.Image, artists: Iterable[Any]) -> Image.Image:
    """White, black, the colours of the artists with their shades on white, and the commonest of a picture: 255."""
    plain = [255 * np.array(to_rgb(colour)) for colour in ("white", "black")]
    shades = plain + [
        255 * (part * np.array(to_rgb(artist.get_color())) + 1 - part)
        for artist in artists if hasattr(artist, "get_color") for part in (1, 0.75, 0.5, 0.25)
    ][:128]  # fmt: skip
    own = np.array(shades).round()
    common = np.array(picture.quantize(_FREE - len(own)).getpalette()).reshape(-1, 3)
    others = common[np.abs(common[:, None] - own).max(axis=-1).min(axis=-1) > _NEAR]
    colours = np.zeros((_FREE + 1, 3), np.uint8)
    known = np.concatenate([own, others])[:_FREE]
    colours[: len(known)] = known
    palette = Image.new("P", (1, 1))
    palette.putpalette(colours.ravel().tolist())
    return palette


def _difference(frame: Image.Image, ground: Image.Image) -> Image.Image:
    """A frame which can be seen through where it is as the ground."""
    pixels = np.asarray(frame)
    front = Image.fromarray(np.where(pixels == np.asarray(ground), _FREE, pixels).astype(np.uint8))
    front.putpalette(frame.getpalette() or [])
    front.info["transparency"] = _FREE
    return front


def _address(picture: Image.Image) -> str:
    """A picture as an address that holds it."""
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
