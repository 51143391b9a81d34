"""Charts as SVG, drawn by pygal (the extra ``admin``), coloured by the pages' own style sheet.

What pygal puts inline (a style sheet, a script, style attributes) is taken out: a strict
Content-Security-Policy forbids it, and the admin's dark mode needs colours that can change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

WIDTH, HEIGHT = 900, 260
LABELS = 5


def is_available() -> bool:
    """Whether charts can be drawn."""
    try:
        import pygal  # noqa: F401
    except ImportError:
        return False
    return True


def draw(
    title: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]]
) -> SafeString:
    """A chart with lines, as SVG for a page; "" where pygal is not installed or nothing to draw."""
    if not labels or not is_available():
        return SafeString()
    import pygal

    chart = pygal.Line(
        width=WIDTH,
        height=HEIGHT,
        margin=10,
        margin_right=40,
        js=[],
        css=[],
        show_dots=False,
        disable_xml_declaration=True,
        show_minor_x_labels=False,
        x_labels_major_count=min(LABELS, len(labels)),
        legend_at_bottom=True,
        truncate_label=-1,
        min_scale=2,
        max_scale=6,
        include_x_axis=True,
        no_prefix=True,
        title=None,
        formatter=_number,
    )
    chart.x_labels = list(labels)
    for name, values in series:
        chart.add(name, list(values))
    chart.add_xml_filter(_without_inline)
    svg: str = chart.render(is_unicode=True)
    summary = "; ".join(
        gettext("%(name)s: now %(last)s, at most %(most)s")
        % {
            "name": name,
            "last": _number(next((v for v in reversed(values) if v is not None), 0)),
            "most": _number(max((value for value in values if value is not None), default=0)),
        }
        for name, values in series
    )
    label = escape(f"{title}. {summary}")
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return mark_safe(svg)  # noqa: S308 - pygal escapes what it is given


def _without_inline(root: Any) -> Any:
    for element in list(root.iter()):
        element.attrib.pop("style", None)
        for child in list(element):
            name = child.tag.rpartition("}")[2] if isinstance(child.tag, str) else "comment"
            if name in ("style", "script", "comment", "title", "desc", "defs"):
                element.remove(child)
    root.attrib.pop("id", None)
    return root


def _number(value: float) -> str:
    if value >= 1_000_000:
        return f"{value / 1_000_000:.3g} M"
    if value >= 10_000:
        return f"{value / 1000:.3g} k"
    return f"{value:.4g}"
