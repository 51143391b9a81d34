"""The configuration of this documentation: `make docs` builds it with Sphinx."""

import sys
from pathlib import Path

import django
from django.conf import settings
from sphinx.application import Sphinx

sys.path.insert(0, str(Path(__file__).parent.parent))  # the package of this checkout

from django_socketio.version import __version__

# Docstrings are taken from the package's modules, some of which need Django's models.
settings.configure(
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "channels",
        "django_socketio",
    ],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

REPOSITORY = "https://github.com/django-socketio/channels-socketio/"

project = "django_socketio"
copyright = "the authors of django_socketio"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_copybutton"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 4  # so that a page can link to any heading of another
exclude_patterns = ["_build"]

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
autoclass_content = "class"
python_use_unqualified_type_names = True

html_theme = "furo"
html_title = f"django_socketio {version}"
html_theme_options = {
    "source_repository": REPOSITORY,
    "source_branch": "main",
    "source_directory": "docs/",
}
copybutton_prompt_text = "$ "


def link_to_repository(app: Sphinx, page: str, source: list[str]) -> None:
    """Files outside docs/ are read in the repository: relative links work there as they stand."""
    source[0] = source[0].replace("](../", f"]({REPOSITORY}blob/main/")


def setup(app: Sphinx) -> None:
    app.connect("source-read", link_to_repository)
