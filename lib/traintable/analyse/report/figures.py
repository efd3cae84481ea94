"""Figures as a person reads them: rounded, with their error, and safe to put on a page."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, TypeVar, cast

T = TypeVar("T")
LONGEST = 300
NONE = "–"  # noqa: RUF001
_BYTES = ("B", "kB", "MB", "GB", "TB", "PB")
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def clean_for_page(value: T) -> T:
    """Plain data as a page can hold it.

    Numbers that are not finite become None, characters that HTML does not allow become pictures of themselves, and
    texts end after `LONGEST` characters.
    """
    return cast("T", _clean(value))


def _clean(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {make_printable(str(key)): _clean(item) for key, item in value.items()}
    if isinstance(value, str):
        return shorten(make_printable(value), LONGEST)
    if isinstance(value, Sequence):
        return [_clean(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def make_printable(text: str) -> str:
    """A text without the characters that HTML does not allow."""
    return _UNPRINTABLE.sub(lambda match: chr(0x2400 + ord(match[0])) if ord(match[0]) < 32 else "\ufffd", text)


def shorten(text: str, length: int) -> str:
    """A text that ends in "…" where it was cut."""
    return text if len(text) <= length else text[: length - 1] + "…"


def distinct_names(names: Sequence[str], length: int) -> list[str]:
    """Names for the axes of a picture: short, and still different from each other."""
    seen: set[str] = set()
    shown = []
    for number, name in enumerate(names, start=1):
        short = shorten(name, length)
        if short in seen:
            short = f"{shorten(name, length - 8)} #{number}"
        seen.add(short)
        shown.append(short)
    return shown


def is_number(value: object) -> TypeGuard[float]:
    """Whether there is a number to show."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def figure(value: object) -> str:
    """A whole number in full, another with four digits, and a text as it is."""
    if isinstance(value, bool) or (value is not None and not isinstance(value, (int, float, str))):
        return NONE if not isinstance(value, bool) else str(value).lower()
    if value is None or isinstance(value, str):
        return value or NONE
    if isinstance(value, int) and abs(value) < 10**15:
        return f"{value:,}"
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e9:
        digits, power = f"{value:.3e}".split("e")
        return f"{digits.rstrip('0').rstrip('.')}e{int(power)}"
    return _plain(value)


def _plain(value: float) -> str:
    decimals = max(0, 3 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(share: object) -> str:
    """A share of 0 to 1; one that is tiny but not 0 does not read as 0, nor one that is nearly all as all."""
    if not is_number(share):
        return NONE
    text = f"{100 * share:.1f}".removesuffix(".0")
    if text in {"0", "-0"} and share != 0:
        return "< 0.1\u00a0%"
    if text == "100" and share < 1:
        return "> 99.9\u00a0%"
    return f"{text}\u00a0%"


def share_of(part: object, whole: object) -> float | None:
    """A part's share, None where there is no whole."""
    return part / whole if is_number(part) and is_number(whole) and whole else None


def p_value(value: object) -> str:
    """A probability, which is never quite 0."""
    if not is_number(value):
        return NONE
    return "< 1e-300" if value < 1e-300 else figure(float(value))


def size(n_bytes: object) -> str:
    """Bytes in the unit that suits them."""
    if not is_number(n_bytes):
        return NONE
    amount, unit = float(n_bytes), 0
    while abs(amount) >= 1000 and unit < len(_BYTES) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{figure(round(amount, 1))} {_BYTES[unit]}"


def relative_error(error: object) -> str:
    """The relative error of a figure in words: "exact" or "± 1.6 %"."""
    return f"± {percent(error)}" if is_number(error) and error else "exact"


def rank_error(error: object) -> str:
    """The same of quantiles, whose error is one of rank: a share of the rows."""
    return f"± {percent(error)} of the rows in rank" if is_number(error) and error else "exact"


def count_error(error: object) -> str:
    """The same of counts that may be too low."""
    return f"at most {figure(error)} too low" if is_number(error) and error else "exact"
