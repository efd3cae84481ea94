"""The reference sets of NIST (Statistical Reference Datasets): univariate by rule, and analysis of variance.

Of the univariate sets NumAcc1 to NumAcc4 are defined by a rule. Those of the analysis of variance come with SciPy.
"""

from __future__ import annotations

import math
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files

import pytest

from traintable.analyse import Moments
from traintable.analyse.hypothesis import anova
from traintable.statistics.association import anova_f
from weights import close, fractions, moments

FOLDER = files("scipy.stats") / "tests" / "data" / "nist_anova"
SETS = ["SiRstv", "AtmWtAg", *[f"SmLs0{i}" for i in range(1, 10)]]
NINE_DIGITS = 1e-9


def alternating(first: str, low: str, high: str) -> list[float]:
    return [float(first), *[float(v) for _ in range(500) for v in (low, high)]]


@pytest.mark.parametrize(
    ("rows", "mean", "std"),
    [
        ([10000001.0, 10000003.0, 10000002.0], 10000002.0, 1.0),
        (alternating("1.2", "1.1", "1.3"), 1.2, 0.1),
        (alternating("1000000.2", "1000000.1", "1000000.3"), 1000000.2, 0.1),
        (alternating("10000000.2", "10000000.1", "10000000.3"), 10000000.2, 0.1),
    ],
    ids=["NumAcc1", "NumAcc2", "NumAcc3", "NumAcc4"],
)
def test_univariate(rows: list[float], mean: float, std: float) -> None:
    result = moments(rows)
    exact_mean, exact_variance = fractions(rows)
    assert result.mean == exact_mean
    assert close(result.variance, float(exact_variance), 1e-14)
    assert close(float(result.mean), mean, 1e-15)
    # Doubles near 10,000,000 are 2e-9 apart, so that tenths are off by up to 1e-8 of themselves.
    assert close(math.sqrt(result.variance), std, NINE_DIGITS if mean < 1e7 else 1e-8)


def read(name: str) -> tuple[list[list[Decimal]], float]:
    """The responses of each treatment as they are printed, and the certified F."""
    lines = (FOLDER / f"{name}.dat").read_text(encoding="utf-8").splitlines()
    certified = next(float(line.split()[-1]) for line in lines if line.startswith("Between"))
    start = next(i for i, line in enumerate(lines) if line.startswith("Data:") and i > 50)
    classes: dict[str, list[Decimal]] = defaultdict(list)
    for line in lines[start + 1 :]:
        if line.strip():
            treatment, response = line.split()
            classes[treatment].append(Decimal(response))
    return list(classes.values()), certified


def exact_f(classes: list[list[float]]) -> float:
    n, k = sum(map(len, classes)), len(classes)
    grand = sum((sum(map(Fraction, c)) for c in classes), Fraction(0)) / n
    between = sum((len(c) * (fractions(c)[0] - grand) ** 2 for c in classes), Fraction(0)) / (k - 1)
    within = sum(((len(c) - 1) * fractions(c)[1] for c in classes), Fraction(0)) / (n - k)
    return float(between / within)


@pytest.mark.parametrize("name", SETS)
def test_the_f_of_the_doubles_is_exact(name: str) -> None:
    classes = [[float(v) for v in rows] for rows in read(name)[0]]
    assert close(anova([moments(rows) for rows in classes]).statistic, exact_f(classes), 1e-12)


@pytest.mark.parametrize("name", SETS)
def test_nine_digits_of_the_certified_f(name: str) -> None:
    """As printed while the doubles hold the digits; the sets of 7 and 13 constant digits less a constant."""
    classes, certified = read(name)
    constant = 0 if name in SETS[:5] else int(classes[0][0])
    rows = [[float(v - constant) for v in c] for c in classes]
    result = anova([moments(some) for some in rows])
    assert close(result.statistic, certified, NINE_DIGITS)


@pytest.mark.parametrize(
    ("name", "digits"), [("SmLs04", 8), ("SmLs05", 8), ("SmLs06", 8), ("SmLs07", 2), ("SmLs08", 2)]
)
def test_what_the_doubles_hold_of_the_sets_with_constant_digits(name: str, digits: int) -> None:
    """1000000.4 is kept to 1e-10, and 1000000000000.4 to 1e-4: no method can give more digits of F."""
    classes, certified = read(name)
    assert close(anova([moments([float(v) for v in c]) for c in classes]).statistic, certified, 10.0**-digits)


def test_a_mean_rounded_to_a_double_would_lose_the_digits() -> None:
    classes = [[float(v) for v in rows] for rows in read("SmLs07")[0]]
    of = [moments(rows) for rows in classes]
    rounded = anova_f([c.n for c in of], [float(c.mean) for c in of], [c.variance for c in of]).statistic
    assert not close(rounded, exact_f(classes), 1e-6)
    assert isinstance(of[0], Moments)
