"""Sphinx: how the documentation is built.

Everything is local: no page loads anything from elsewhere, and the build needs no network.  Before the pages are read,
the code in them is run for the pictures that it draws (`pages.py`), the examples are run for the gallery, the table of
array functions is written (`array_functions.py`), and the pages of the reference (`reference.py`).
"""

import os
import sys
from pathlib import Path

DOCS = Path(__file__).parent
sys.path.insert(0, str(DOCS))
os.environ["MPLBACKEND"] = "Agg"

import array_functions  # noqa: E402  # beside this file
import pages  # noqa: E402
import reference  # noqa: E402
import scripts  # noqa: E402

import minigrad  # noqa: E402

project = "minigrad"
author = "The minigrad developers"
copyright = "2026, the minigrad developers"
version = release = minigrad.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc", "sphinx_gallery.gen_gallery"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
exclude_patterns = ["_build", "_generated"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "none"
numpydoc_show_class_members = False
autosummary_generate = False  # numpydoc brings the extension along, and nothing here is its work
default_role = "literal"

sphinx_gallery_conf = {
    "examples_dirs": [scripts.SEEDS, scripts.LIVE, scripts.MODELS, scripts.GRAPHS],
    "gallery_dirs": ["gallery/seeds", "gallery/live", "gallery/models", "gallery/graphs"],
    "filename_pattern": r"\.py",
    "ignore_pattern": r"^_",
    "within_subsection_order": "FileNameSortKey",
    "reset_argv": "scripts.arguments",
    "image_scrapers": ("matplotlib", "scripts"),
    "ignore_repr_types": "Picture|LivePage",  # they are shown, and need not be described
    "remove_config_comments": True,
    "reset_modules": ("matplotlib", "scripts.fresh_package"),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 3600,
    "thumbnail_size": (800, 480),
}

html_theme = "pydata_sphinx_theme"
html_title = f"minigrad {minigrad.__version__}"
html_static_path = ["_static"]
html_extra_path = [scripts.PAGES]
(DOCS / scripts.PAGES).mkdir(parents=True, exist_ok=True)  # it must be there before it is filled
html_css_files = ["minigrad.css"]
html_show_sourcelink = False
html_sidebars = {"index": []}
html_theme_options = {
    "show_prev_next": False,
    "navigation_with_keys": False,
    "secondary_sidebar_items": {"**": ["page-toc"], "index": []},
}


def setup(app):
    """Draw the pictures of the pages, copy what the gallery runs, before it looks for it, and write the table."""
    app.connect("builder-inited", lambda app: pages.draw(DOCS), priority=100)
    app.connect("builder-inited", lambda app: scripts.copy(DOCS), priority=101)
    app.connect("builder-inited", lambda app: array_functions.write(DOCS), priority=102)
    app.connect("builder-inited", lambda app: reference.write(DOCS), priority=103)
