"""Sphinx configuration: `make docs`."""

import importlib.metadata

project = "causalablate"
author = "The causalablate authors"
release = importlib.metadata.version("causalablate")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "causalablate"
autosummary_generate = True
autodoc_mock_imports = ["transformer_lens"]  # an extra
autodoc_typehints = "description"
autodoc_member_order = "bysource"
napoleon_google_docstring = True
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "dollarmath"]
suppress_warnings = ["ref.python"]
