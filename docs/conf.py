"""How Sphinx makes the site of these pages: ``make docs``. Nothing in it is fetched from elsewhere."""

import re
from importlib.metadata import version as installed
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging

DOCS = Path(__file__).parent
ROOT = DOCS.parent
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)#\s]+)(?:#[^)]*)?\)")
_NAMED_BY_FILE = re.compile(r"\[`?([\w/-]+\.md)`?\]\(((?:\.\./)*\1)\)")

project = "aisle"
author = "the authors of aisle"
project_copyright = "the authors of aisle, Apache-2.0"
version = release = installed("aisle")

extensions = ["myst_parser", "sphinx_copybutton", "sphinx_design"]
myst_enable_extensions = ["colon_fence"]
nitpicky = True
myst_heading_anchors = 4
copybutton_prompt_text = "$ "

html_title = "aisle"
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["aisle.css"]
html_logo = html_favicon = "../workers/gateway/pages/static/icon.svg"
html_show_sphinx = False
html_copy_source = False
html_theme_options = {
    "navigation_with_keys": True,
    # As in workers/gateway/pages/static/base.css.
    "light_css_variables": {"color-brand-primary": "#2a4fc9", "color-brand-content": "#2a4fc9"},
    "dark_css_variables": {"color-brand-primary": "#93aefb", "color-brand-content": "#93aefb"},
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"


def name_files_of_the_repository(_app: Sphinx, page: str, source: list[str]) -> None:
    """A link to a file beside ``docs/`` becomes its name, as the site stands alone; one to nothing is a warning."""

    def named(link: re.Match[str]) -> str:
        path = (DOCS / page).parent.joinpath(link[2]).resolve()
        if path.is_relative_to(DOCS):
            return link[0]
        if not path.exists():
            logging.getLogger(__name__).warning("there is no %s", link[2], location=page)
        text, name = link[1].strip("`"), str(path.relative_to(ROOT))
        return f"`{name}`" if name.endswith(text) else f"{text} (`{name}`)"

    # A page that is named by its file, which reads well on a code host, is named by its title here.
    source[0] = _NAMED_BY_FILE.sub(r"[](\2)", _LINK.sub(named, source[0]))


def setup(app: Sphinx) -> None:
    """Called by Sphinx."""
    app.connect("source-read", name_files_of_the_repository)
