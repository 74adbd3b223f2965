"""Sphinx: how the documentation is built."""

import minigrad

project = "minigrad"
author = "The minigrad developers"
copyright = "2026, the minigrad developers"
version = release = "0.1.0"

extensions = ["myst_parser", "sphinx.ext.autodoc", "numpydoc"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
autodoc_typehints = "none"
numpydoc_show_class_members = False
autosummary_generate = False  # numpydoc brings the extension along, and nothing here is its work
default_role = "literal"

html_theme = "pydata_sphinx_theme"
html_title = f"minigrad {minigrad.__version__}"
html_show_sourcelink = False
html_theme_options = {"show_prev_next": False, "navigation_with_keys": False}
