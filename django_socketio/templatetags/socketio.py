"""``{% socketio_client %}``: a script tag for the official client that the project installed."""

from __future__ import annotations

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

register = template.Library()

# The usual places for the bundle of the npm package socket.io-client; the first with it is used.
CANDIDATES = (
    "socket.io.min.js",
    "socket.io/socket.io.min.js",
    "vendor/socket.io.min.js",
    "socket.io-client/dist/socket.io.min.js",
    "js/socket.io.min.js",
)


@register.simple_tag
def socketio_client(path: str = "") -> SafeString:
    """Return the script tag for the static file ``path``, by default the first usual place.

    Raises TemplateSyntaxError, which says what to do, if there is no such file.
    """
    for candidate in (path,) if path else CANDIDATES:
        if finders.find(candidate) is not None:
            return format_html('<script src="{}"></script>', static(candidate))
    raise template.TemplateSyntaxError(
        "socketio_client found no client among the static files. Install the npm package "
        "socket.io-client and put its dist/socket.io.min.js into a static folder as "
        f"{path or CANDIDATES[0]}."
    )
