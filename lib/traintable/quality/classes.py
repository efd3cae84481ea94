"""Refuse, before anything is fitted, splits with too few rows or without some class."""

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
    """Refuse, before anything is fitted, rows whose features the gate would refuse.

    `counts` is split -> class -> rows, `removed` reason -> rows. Raises GateRefused for a split with too few rows, one
    without some class, and one with a class that is not declared. Costs no pass.

    >>> counts = {"train": {"0": 5}, "validation": {"0": 2, "1": 1}, "test": {"0": 2, "1": 1}}
    >>> require_classes(counts, {"gap": 3}, classes=(0, 1), min_rows=2, table="flights")
    Traceback (most recent call last):
    traintable.errors.GateRefused: split 'train' of flights: expected rows of every class [0, 1] and of no other,
    found none of class 1; removed before: 3 gap. Check `label`, and the boundaries or ratios in `split`.
    """
    declared = {str(answer) for answer in classes}
    for split in SPLITS:
        present = {answer: n for answer, n in counts.get(split, {}).items() if n}
        missing, undeclared = sorted(declared - set(present)), sorted(set(present) - declared)
        if sum(present.values()) < min_rows:
            expected, found = f"at least {min_rows} rows", f"{sum(present.values())}"
        elif missing or undeclared:
            expected = f"rows of every class {list(classes)} and of no other"
            found = f"none of class {', '.join(missing)}" if missing else f"class {', '.join(undeclared[:5])}"
            found += f" (present: {', '.join(sorted(present)[:5])})" if undeclared else ""
        else:
            continue
        reasons = ", ".join(f"{n} {reason}" for reason, n in sorted(removed.items(), key=lambda item: -item[1])[:3])
        raise GateRefused(
            where=f"split '{split}' of {table}",
            expected=expected,
            found=found + (f"; removed before: {reasons}" if reasons else ""),
            remedy="Check `label`, and the boundaries or ratios in `split`.",
        )
