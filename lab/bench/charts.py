"""Charts as SVG text, with nothing but strings: lines over a number axis, and stacked bars."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 760, 340
LEFT, RIGHT, TOP, BOTTOM = 64, 190, 36, 46
"""Room for the axis, the legend, the title and the labels below."""
COLOURS = ("#2563eb", "#dc2626", "#059669", "#d97706", "#7c3aed", "#0891b2", "#be185d", "#65a30d")
Point = tuple[float, float]


def nice_step(span: float, parts: int = 5) -> float:
    """A step of 1, 2 or 5 times a power of ten that divides the span into about so many parts."""
    rough = max(span, 1e-9) / parts
    power = 10.0 ** math.floor(math.log10(rough))
    return next(float(step * power) for step in (1, 2, 5, 10) if step * power >= rough)


def ticks(top: float) -> list[float]:
    """From 0 to at least ``top``."""
    step = nice_step(top)
    return [index * step for index in range(math.ceil(top / step - 1e-9) + 1)]


def _text(x: float, y: float, text: str, *, anchor: str = "middle", size: int = 12, bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"{weight}>{escape(text)}</text>'


def _frame(title: str, body: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{escape(title, quote=True)}" font-family="system-ui, sans-serif" fill="currentColor">'
    )
    return "\n".join([head, _text(LEFT, 20, title, anchor="start", size=15, bold=True), *body, "</svg>"])


def _y(value: float, top: float) -> float:
    return HEIGHT - BOTTOM - value / top * (HEIGHT - TOP - BOTTOM)


def _y_axis(top: float, label: str) -> list[str]:
    parts = [_text(14, TOP - 6, label, anchor="start", size=11)]
    for value in ticks(top):
        y = _y(value, ticks(top)[-1])
        parts.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#9ca3af" opacity=".4"/>'
        )
        parts.append(_text(LEFT - 6, y + 4, f"{value:g}", anchor="end", size=11))
    return parts


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for index, name in enumerate(names):
        y = TOP + 10 + 18 * index
        colour = COLOURS[index % len(COLOURS)]
        parts.append(f'<rect x="{WIDTH - RIGHT + 14}" y="{y - 9}" width="12" height="12" fill="{colour}"/>')
        parts.append(_text(WIDTH - RIGHT + 32, y + 1, name, anchor="start", size=11))
    return parts


def lines(title: str, x_label: str, y_label: str, series: Mapping[str, Sequence[Point]]) -> str:
    """One line for each name; "" if there is nothing to draw."""
    points = [point for some in series.values() for point in some]
    if not points:
        return ""
    x_ticks, y_ticks = ticks(max(x for x, _ in points) or 1), ticks(max(y for _, y in points) or 1)

    def x_of(value: float) -> float:
        return LEFT + value / x_ticks[-1] * (WIDTH - LEFT - RIGHT)

    body = [*_y_axis(y_ticks[-1], y_label), *_legend(list(series))]
    body += [_text(x_of(value), HEIGHT - BOTTOM + 18, f"{value:g}", size=11) for value in x_ticks]
    body.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, x_label, size=11))
    for index, some in enumerate(series.values()):
        colour = COLOURS[index % len(COLOURS)]
        places = [(x_of(x), _y(y, y_ticks[-1])) for x, y in sorted(some)]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        body.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        if len(places) <= 40:
            body += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{colour}"/>' for x, y in places]
    return _frame(title, body)


def stacks(title: str, y_label: str, bars: Mapping[str, Mapping[str, float]]) -> str:
    """A bar for each name, its parts on top of each other; "" if there is nothing to draw."""
    kinds = list(dict.fromkeys(kind for parts in bars.values() for kind in parts))
    if not kinds:
        return ""
    top = ticks(max(sum(parts.values()) for parts in bars.values()) or 1)[-1]
    room = (WIDTH - LEFT - RIGHT) / len(bars)
    body = [*_y_axis(top, y_label), *_legend(kinds)]
    for index, (name, parts) in enumerate(bars.items()):
        x, below = LEFT + room * (index + 0.2), 0.0
        for kind, value in parts.items():
            y, foot = _y(below + value, top), _y(below, top)
            colour = COLOURS[kinds.index(kind) % len(COLOURS)]
            body.append(
                f'<rect x="{x:.1f}" y="{y:.1f}" width="{room * 0.6:.1f}" height="{foot - y:.1f}" fill="{colour}"/>'
            )
            below += value
        body.append(_text(x + room * 0.3, HEIGHT - BOTTOM + 18, name, size=11))
    return _frame(title, body)
