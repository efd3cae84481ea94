"""Small pictures of a distribution, as paths of an inline SVG."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH, HEIGHT, MOST = 96, 22, 48


def path(counts: Sequence[float]) -> str:
    """The outline of bars as an SVG path in a box of `WIDTH` x `HEIGHT`, "" when there is nothing to draw.

    More than `MOST` bars are added up in neighbours. A count that is not 0 is at least a pixel high.
    """
    bars = _fewer([max(0.0, float(count or 0)) for count in counts])
    highest = max(bars, default=0.0)
    if highest <= 0:
        return ""
    step = WIDTH / len(bars)
    tops = [HEIGHT - (max(1.0, bar / highest * HEIGHT) if bar else 0.0) for bar in bars]
    ends = [(number + 1) * step for number in range(len(bars))]
    return (
        f"M0 {HEIGHT}" + "".join(f"V{top:.4g}H{end:.4g}" for top, end in zip(tops, ends, strict=True)) + f"V{HEIGHT}z"
    )


def _fewer(bars: list[float]) -> list[float]:
    together = -(-len(bars) // MOST)
    return [sum(bars[i : i + together]) for i in range(0, len(bars), together)] if together > 1 else bars
