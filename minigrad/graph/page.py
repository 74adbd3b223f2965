"""The interactive page: one HTML file that holds the graph, and all that shows it, and fetches nothing."""

import json
import math
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from minigrad import display

ASSETS = Path(__file__).parent / "assets"
SCRIPTS = ("elements.js", "frames.js", "layers.js", "align.js", "model.js", "picture.js", "panel.js", "page.js")

# In a <script> element these end the element, begin a comment, or are line ends to old parsers.  As escapes they are
# the same text to a reader of JSON.  `json.dumps` itself escapes everything that is not ASCII, halves of surrogate
# pairs included.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&"}
# Marks, embeddings, overrides and isolates turn the direction of what is around them, beyond a name that they are in:
# they are shown, not obeyed.
_DIRECTIONS = {n: f"\\u{n:04x}" for n in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def page(payload: Mapping[str, Any]) -> str:
    """The page of a graph as the text of an HTML file.

    Parameters
    ----------
    payload : mapping
        As `minigrad.graph.payload.payload` makes it.

        - ``title``, and ``caption``, a list of notes.
        - ``groups``: each with ``id``, ``parent`` (None of the outermost one), ``title``, ``kind``, ``count``, whether
          it is ``folded`` at first, and ``facts``, a list of pairs of a word and a text.
        - ``nodes``, in the order of computation: each with ``id``, ``group``, ``kind`` ("input", "parameter",
          "constant", "operation", "arrangement", "fold" for what is left out, or "frame" for all that is in its
          group), whether it is an ``output``, the ``level`` of the derivative that it belongs to, ``title``,
          ``detail``, ``facts``, ``value`` and ``grad`` in numbers, its ``heat`` from 0 to 1, what is ``bad`` about
          it, and a ``mark``.
        - ``edges``: tail, head, and the operand's number where order matters.
        - ``steps``: each with a ``label`` and, by their ids, those of the ``nodes`` whose ``value``, ``grad``,
          ``heat`` and ``bad`` are others then.
        - ``heat``, optionally: the ``title`` of the quantity that colours the nodes, and the words for the ``low``
          and the ``high`` end of its scale.
        - ``opened``, optionally: whether the groups that are open at first shall stay so if the page is too small for
          all that is in them.

    Returns
    -------
    str
        It loads nothing, neither from the network nor from other files, and its Content-Security-Policy forbids that
        to whatever a name or a value might smuggle in.

    Examples
    --------
    >>> root = {"id": 0, "parent": None, "title": "", "kind": "", "count": 1, "folded": False, "facts": []}
    >>> text = page({"title": "<b>", "caption": [], "groups": [root], "nodes": [], "edges": [], "steps": []})
    >>> "<title>&lt;b&gt;</title>" in text
    True
    """
    return filled(ASSETS / "page.html", [ASSETS / name for name in SCRIPTS], payload)


def filled(template: Path, scripts: Iterable[Path], payload: Mapping[str, Any], programs: str = "") -> str:
    """A page made of a template, the style beside it, scripts, and of what it shows, which has a ``title``.

    Programs are a script that goes before the others, and holds nothing that could end it.
    """
    parts = {
        "title": display.escaped(str(payload["title"]).translate(_DIRECTIONS)),
        "style": _read(template.with_suffix(".css")),
        "script": "\n".join([programs, *map(_read, scripts)]),
        "payload": json.dumps(_plain(payload), allow_nan=False, separators=(",", ":")).translate(_ESCAPES),
    }
    # In one pass: what is put in is not searched for further places.
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], _read(template))


def _read(asset: Path) -> str:
    return asset.read_text(encoding="utf-8")


def _plain(thing: Any) -> Any:
    """The same as JSON knows it: no NumPy's scalars, words for what is not finite, and texts that turn no direction."""
    if isinstance(thing, Mapping):
        return {str(key): _plain(value) for key, value in thing.items()}
    if isinstance(thing, list | tuple):
        return [_plain(value) for value in thing]
    if isinstance(thing, np.generic):
        thing = thing.item()
    if isinstance(thing, str):
        return thing.translate(_DIRECTIONS)
    if isinstance(thing, float) and not math.isfinite(thing):
        return str(thing).replace("nan", "NaN")
    return thing
