"""How what is shown of a check looks: the same on a page and in a notebook, and not as the page around it."""

STYLE = """\
.mg-check{background:#fff;color:#202428;font:15px/1.5 system-ui,sans-serif;padding:1px 24px 24px;max-width:1080px}
.mg-check h1{font-size:24px;margin:.8em 0 .2em}.mg-check h2{font-size:18px;margin:1.8em 0 .4em}
.mg-check h3{font-size:14px;margin:0 0 .3em;font-weight:600}.mg-check p{max-width:52em;margin:.5em 0}
.mg-check .verdict{border-left:6px solid;padding:.5em 1em;margin:.8em 0;white-space:pre-wrap}
.mg-check .passed{border-color:#0072b2;background:#eef5fb}.mg-check .failed{border-color:#d55e00;background:#fdf1e7}
.mg-check .small{color:#5a6068;font-size:13px}.mg-check .wide{overflow:auto;max-height:70vh}
.mg-check .maps{display:flex;flex-wrap:wrap;gap:24px}.mg-check .planes{display:flex;flex-wrap:wrap;gap:12px}
.mg-check pre{font-size:13px;line-height:1.4}
.mg-check .sweep text{font-family:system-ui,sans-serif}.mg-check .halo{paint-order:stroke;stroke:#fff;stroke-width:4px}
.mg-check .graph svg{max-width:100%;height:auto}
.mg-check .key{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;margin:.6em 0 1em}
.mg-check .key svg{vertical-align:-3px;margin-right:6px}.mg-check .map{max-width:100%;overflow-x:auto}
"""


def framed(inside: str) -> str:
    """HTML in a frame that has the style."""
    return f'<div class="mg-check"><style>{STYLE}</style>\n{inside}</div>\n'
