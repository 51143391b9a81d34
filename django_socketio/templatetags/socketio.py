"""``{% socketio_client %}``: a script tag for the official client."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from ..bundles import ADVICE, BUNDLES, FOLDER

register = template.Library()

# The usual places for a bundle that the project itself has installed; the first with it is used.
PLACES = ("", "socket.io/", "vendor/", "socket.io-client/dist/", "js/")
# In a script these would be markup.
ESCAPES = {ord(character): f"\\u{ord(character):04X}" for character in "<>&"}


@register.simple_tag
def socketio_client(bundle: str = "default", nonce: Any = None) -> SafeString:
    """Return the script tag for a bundle of the client.

    ``bundle`` is "default", "debug", "msgpack" or "esm", or the path of a static file. A copy of
    the project's own in one of the usual places goes before ours. For "esm" the tag is an import
    map, after which a module script can import "socket.io-client". ``nonce`` is that of the page's
    Content-Security-Policy; an empty one is left out.

    Raises TemplateSyntaxError, which says what to do, if there is no such file.
    """
    url = static(_find(bundle))
    # As text: Django's lazy nonce is false until it is used.
    value = "" if nonce is None else str(nonce)
    attribute = format_html(' nonce="{}"', value) if value else ""
    if bundle != "esm":
        return format_html('<script src="{}"{}></script>', url, attribute)
    imports = json.dumps({"imports": {"socket.io-client": url}}).translate(ESCAPES)
    return format_html(
        '<script type="importmap"{}>{}</script>',
        attribute,
        mark_safe(imports),  # noqa: S308 - escaped as a script's content has to be
    )


def _find(bundle: str) -> str:
    """Return the path of a static file that exists, below the static folder."""
    file = BUNDLES.get(bundle)
    paths = [bundle] if file is None else [*(place + file for place in PLACES), f"{FOLDER}/{file}"]
    for path in paths:
        if finders.find(path) is not None:
            return path
    if file is None:
        raise template.TemplateSyntaxError(
            f"socketio_client found no static file {bundle}. It takes the path of one, or a "
            f"bundle's name: {', '.join(BUNDLES)}."
        )
    raise template.TemplateSyntaxError(
        f"socketio_client found no client among the static files. {ADVICE}"
    )
