"""The results as Markdown: ratios and targets first, absolute figures after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import median, quantiles

from benchmarks.runner import Results
from benchmarks.scenarios.base import Metric, Sample
from benchmarks.servers import SERVERS
from benchmarks.targets import OTHERS, OURS, RATIO, TARGETS, VARIANTS

# From here on a generator may be what limits the rate.
BUSY = 0.9
# From more rounds than so many on the spread of the ratios says something.
MANY = 3

Row = Sequence[str]


def markdown(results: Results, metrics: Sequence[Metric]) -> str:
    """All tables of a run."""
    measured = {name for _, name in results.samples}
    others = [name for name in OTHERS if name in measured]
    variants = [pair for pair in VARIANTS if set(pair) <= measured]
    parts: list[str] = []
    if OURS in measured and others:
        parts += ["## Ours against others", _RATIOS]
        parts += [_table(_ratio_rows(results, metrics, [(OURS, other) for other in others]))]
    if variants:
        parts += ["## Elsewhere", "The same against the bare application on the same server."]
        parts += [_table(_ratio_rows(results, metrics, variants))]
    parts += ["## Absolute figures", _ABSOLUTE]
    for metric in metrics:
        rows = list(_absolute_rows(results, metric))
        if rows:
            parts += [f"### {metric.title} ({metric.unit})", _table([_HEAD, *rows])]
    if results.failures:
        parts += ["## Failures", "\n".join(f"- {failure}" for failure in results.failures)]
    return "\n\n".join(parts) + "\n"


_RATIOS = """\
CPU time of the server's processes per unit of work (or memory), ours on uvicorn with uvloop and
orjson divided by the other's: medians of the rounds' ratios, with half of the range that the middle
half of them takes. In brackets the target."""

_ABSOLUTE = """\
Medians of the rounds, with the least and the most. CPU time is the user and system time of all the
server's processes. "Of a core" and "load" say how busy the server and the load generator were: a
generator that was the busier one (*) may have limited rate and latencies, not the CPU time."""

_HEAD = ("server", "cost", "range", "per s", "p50, ms", "p99, ms", "RSS, MiB", "of a core", "load")


def _ratio_rows(
    results: Results, metrics: Sequence[Metric], pairs: Sequence[tuple[str, str]]
) -> Iterator[Row]:
    same = len({ours for ours, _ in pairs}) == 1
    yield ["", *(other if same else f"{ours} / {other}" for ours, other in pairs)]
    for metric in metrics:
        cells = [_ratio(results, metric, *pair) for pair in pairs]
        if any(cells):
            yield [metric.title, *cells]


def _ratio(results: Results, metric: Metric, ours: str, other: str) -> str:
    """The figure with its target, empty where one of the two was not measured."""
    goal = TARGETS.get((metric.name, ours, other), RATIO)
    rounds = zip(  # one of them may have failed in a later round
        results.samples.get((metric.name, ours), ()),
        results.samples.get((metric.name, other), ()),
        strict=False,
    )
    figures = [goal.figure(mine.value, theirs.value) for mine, theirs in rounds]
    if not figures:
        return ""
    figure = median(figures)
    text = f"{figure:+.1f}" if goal.plus else f"{figure:.2f}"
    if len(figures) > MANY:
        lower, _, upper = quantiles(figures)
        text += f" ± {(upper - lower) / 2:.2f}"
    text += f" {metric.unit.split()[0]}" if goal.plus else " ×"
    if goal is RATIO:
        return text
    limit = f"+{goal.limit:g}" if goal.plus else f"{goal.limit:g}"
    verdict = "met" if goal.met(figure) else "**not met**"
    return f"{text} (≤ {limit}, {verdict})"


def _absolute_rows(results: Results, metric: Metric) -> Iterator[Row]:
    for server in SERVERS.values():
        samples = results.samples.get((metric.name, server.name))
        if samples:
            yield [server.title, *_absolute(samples)]


def _absolute(samples: Sequence[Sample]) -> Row:
    values = [sample.value for sample in samples]
    server_share = median(sample.server_share for sample in samples)
    load_share = median(sample.load_share for sample in samples)
    limits = " *" if load_share > BUSY and load_share > server_share else ""
    return [
        f"{median(values):.2f}",
        f"{min(values):.2f}–{max(values):.2f}",
        _median([sample.rate for sample in samples], "{:,.0f}"),
        _median([sample.p50 and sample.p50 * 1e3 for sample in samples], "{:.2f}"),
        _median([sample.p99 and sample.p99 * 1e3 for sample in samples], "{:.2f}"),
        f"{median(sample.memory for sample in samples) / 2**20:.0f}",
        f"{server_share:.0%}",
        f"{load_share:.0%}{limits}",
    ]


def _median(values: Sequence[float | None], style: str) -> str:
    known = [value for value in values if value is not None]
    return style.format(median(known)) if known else ""


def _table(rows: Iterator[Row] | Sequence[Row]) -> str:
    head, *body = rows
    rule = ["---", *("--:" for _ in head[1:])]
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *body))
