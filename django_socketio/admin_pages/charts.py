"""Charts as SVG, drawn by pygal (the extra ``admin``), coloured by the pages' own style sheet.

What pygal puts inline (a style sheet, a script, style attributes) is taken out: a strict
Content-Security-Policy forbids it, and the admin's dark mode needs colours that can change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

# About as large as they are shown, so that their text has the size of text.
WIDTH, HEIGHT, TEXT = 480, 190, 12
LABELS = 5
# How many numbers stand beside a chart above 0, at most.
TICKS = 5


def is_available() -> bool:
    """Whether charts can be drawn."""
    try:
        import pygal  # noqa: F401
    except ImportError:
        return False
    return True


def figure(
    title: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]]
) -> dict[str, Any]:
    """Return what the template needs: a chart, and each series' last and largest value."""
    return {
        "title": title,
        "svg": draw(title, labels, series),
        "legend": [
            {"name": name, "last": _last(values), "peak": _peak(values)} for name, values in series
        ],
    }


def draw(
    title: str, labels: Sequence[str], series: Sequence[tuple[str, Sequence[float | None]]]
) -> SafeString:
    """Return a line chart as SVG; "" if pygal is not installed or there is nothing to draw."""
    if not labels or not is_available():
        return SafeString()
    import pygal
    from pygal.style import Style

    ticks = _ticks(max((v for _name, values in series for v in values if v), default=0))
    every = -(-len(labels) // LABELS)
    chart = pygal.Line(
        width=WIDTH,
        height=HEIGHT,
        margin=4,
        margin_right=26,
        style=Style(label_font_size=TEXT, major_label_font_size=TEXT),
        js=[],
        css=[],
        show_dots=False,
        disable_xml_declaration=True,
        show_minor_x_labels=False,
        x_labels_major_every=every,
        show_legend=False,
        truncate_label=-1,
        range=(0, ticks[-1]),
        include_x_axis=True,
        no_prefix=True,
        title=None,
        formatter=_number,
    )
    # pygal finds the labels to show by their text, so the hidden ones must have other texts.
    chart.x_labels = [
        label if place % every == 0 else f"·{place}" for place, label in enumerate(labels)
    ]
    chart.y_labels = ticks
    for name, values in series:
        chart.add(name, list(values))
    chart.add_xml_filter(_without_inline)
    svg: str = chart.render(is_unicode=True)
    summary = "; ".join(
        gettext("%(name)s: now %(last)s, peak %(peak)s")
        % {"name": name, "last": _last(values), "peak": _peak(values)}
        for name, values in series
    )
    label = escape(f"{title}. {summary}")
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return mark_safe(svg)  # noqa: S308 - pygal escapes what it is given


def _ticks(highest: float) -> list[int]:
    """Return the whole numbers beside a chart: few, from 0 to at least ``highest``."""
    step = 1
    while step * TICKS < highest:
        # 1, 2, 5, 10, 20, 50, ...
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    return list(range(0, max(1, math.ceil(highest / step)) * step + 1, step))


def _last(values: Sequence[float | None]) -> str:
    return _number(next((value for value in reversed(values) if value is not None), 0))


def _peak(values: Sequence[float | None]) -> str:
    return _number(max((value for value in values if value is not None), default=0))


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
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
