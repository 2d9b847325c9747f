"""Curves of speed by recall, and costs side by side, drawn as SVG."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 50, 50
COLORS = ["#c2410c", "#1d4ed8", "#15803d", "#6b21a8", "#0e7490", "#a16207", "#64748b"]
RECALLS = [0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.999]


@dataclass(frozen=True)
class Curve:
    """A name and points: recall, rate, and what setting gave them."""

    title: str
    points: Sequence[tuple[float, float, str]]


@dataclass(frozen=True)
class Row:
    """A title, and what it costs on each side."""

    title: str
    costs: Sequence[float | None]


class Axes:
    """Where a recall and a rate lie. Both are logarithmic, the recall by what it misses."""

    def __init__(self, curves: Sequence[Curve]) -> None:
        rates = [rate for curve in curves for _, rate, _ in curve.points]
        self.low = math.floor(math.log10(min(rates)))
        self.high = math.ceil(math.log10(max(rates)))
        self.first, self.last = -math.log10(1 - RECALLS[0]), -math.log10(1 - RECALLS[-1])

    def x(self, recall: float) -> float:
        missed = -math.log10(max(1 - recall, 1 - RECALLS[-1]))
        return LEFT + (missed - self.first) / (self.last - self.first) * (WIDTH - LEFT - RIGHT)

    def y(self, rate: float) -> float:
        share = (math.log10(rate) - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)


def draw(title: str, curves: Sequence[Curve]) -> str:
    """The text of an SVG file. What has a recall under 0.8 is left out."""
    axes = Axes(curves)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(LEFT, 25, title, size=14),
        text((LEFT + WIDTH) / 2, HEIGHT - 12, "recall@10", anchor="middle"),
    ]
    for recall in RECALLS:
        x = axes.x(recall)
        parts.append(line(x, TOP, x, HEIGHT - BOTTOM))
        parts.append(text(x, HEIGHT - BOTTOM + 18, f"{recall:g}", anchor="middle"))
    for power in range(axes.low, axes.high + 1):
        for factor in (1, 2, 5) if power < axes.high else (1,):
            y = axes.y(factor * 10**power)
            parts.append(line(LEFT, y, WIDTH - RIGHT, y))
            parts.append(text(LEFT - 8, y + 4, f"{factor * 10**power:,}", anchor="end"))
    for index, curve in enumerate(curves):
        color = COLORS[index % len(COLORS)]
        shown = [
            (axes.x(recall), axes.y(rate), label)
            for recall, rate, label in curve.points
            if recall >= RECALLS[0]
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in shown)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        for x, y, label in shown:
            parts.append(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="{color}">'
                f"<title>ef {escape(label)}</title></circle>"
            )
        parts.append(text(LEFT + 12, HEIGHT - BOTTOM - 60 + 16 * index, curve.title, color))
    return "\n".join([*parts, "</svg>", ""])


ROW_HEIGHT, TITLE_WIDTH = 20, 270


def draw_costs(title: str, names: Sequence[str], rows: Sequence[Row]) -> str:
    """The text of an SVG file: in each row a dot for what each of the names costs, the first one's
    the largest. What has no cost is left out."""
    costs = [cost for row in rows for cost in row.costs if cost]
    low, high = math.floor(math.log10(min(costs))), math.ceil(math.log10(max(costs)))
    bottom = TOP + 20 + ROW_HEIGHT * len(rows)

    def x(cost: float) -> float:
        share = (math.log10(cost) - low) / (high - low)
        return TITLE_WIDTH + share * (WIDTH - TITLE_WIDTH - RIGHT)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{bottom + 30}" '
        'font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{bottom + 30}" fill="white"/>',
        text(10, 20, title, size=14),
    ]
    for place, name in enumerate(names):
        left = 10 + place * (WIDTH - 10) / len(names)
        parts.append(text(left, 44, f"● {name}", COLORS[place]))
    for power in range(low, high + 1):
        parts.append(line(x(10**power), TOP + 10, x(10**power), bottom))
        parts.append(text(x(10**power), bottom + 18, f"{10**power:g}", anchor="middle"))
    for place, row in enumerate(rows):
        y = TOP + 20 + ROW_HEIGHT * (place + 0.5)
        parts.append(text(TITLE_WIDTH - 10, y + 4, row.title, anchor="end"))
        parts.append(line(TITLE_WIDTH, y, WIDTH - RIGHT, y))
        for side in reversed(range(len(names))):
            if cost := row.costs[side]:
                parts.append(
                    f'<circle cx="{x(cost):.1f}" cy="{y:.1f}" r="{4 if side else 6}" '
                    f'fill="{COLORS[side]}"><title>{escape(names[side])}: {cost:.3g} ms</title>'
                    "</circle>"
                )
    return "\n".join([*parts, "</svg>", ""])


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#ddd"/>'


def text(
    x: float, y: float, words: str, color: str = "#222", anchor: str = "start", size: int = 12
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" fill="{color}" text-anchor="{anchor}" '
        f'font-size="{size}">{escape(words)}</text>'
    )
