"""What can be refused before anything is fitted: splits with too few rows, or without some class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from traintable.columns import SPLITS
from traintable.errors import GateRefused


def require_classes(
    counts: Mapping[str, Mapping[str, int]],
    removed: Mapping[str, int],
    *,
    classes: Sequence[int | str],
    min_rows: int,
    table: str,
) -> None:
    """Refuse, before anything is fitted, rows of which the gate would refuse the features too.

    `counts` is split -> class -> rows, `removed` reason -> rows. Raises GateRefused for a split with too few rows,
    without some class, or with one that is not declared.
    """
    declared = {str(answer) for answer in classes}
    for part in SPLITS:
        found = {answer: n for answer, n in counts.get(part, {}).items() if n}
        lacking, others = sorted(declared - set(found)), sorted(set(found) - declared)
        if sum(found.values()) < min_rows:
            expected, shown = f"at least {min_rows} rows", f"{sum(found.values())}"
        elif lacking or others:
            expected = f"rows of every class {list(classes)} and of no other"
            shown = f"none of class {', '.join(lacking)}" if lacking else f"class {', '.join(others[:5])}"
            shown += f" (found: {', '.join(sorted(found)[:5])})" if others else ""
        else:
            continue
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(removed.items(), key=lambda item: -item[1])[:3])
        raise GateRefused(
            where=f"split '{part}' of {table}",
            expected=expected,
            found=shown + (f"; removed before: {reasons}" if reasons else ""),
            remedy="Check `label`, and the boundaries or ratios in `split`.",
        )
