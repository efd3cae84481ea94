"""Products of numeric features."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import combinations, combinations_with_replacement

from traintable.config.plan import Interactions
from traintable.errors import ConfigError
from traintable.prepare.terms import Term


def products(section: Interactions, values: Mapping[str, str]) -> list[Term]:
    """The products of 2 to `degree` of the values (feature -> SQL), named `a*b` and `a^2`, by degree and order.

    Raises ConfigError when there are more than `max_features`.
    """
    choose = combinations if section.interaction_only else combinations_with_replacement
    names = [name for name in section.columns if name in values]
    terms = [
        Term(_name(chosen), " * ".join(values[name] for name in chosen), _name(chosen), is_bounded=False)
        for degree in range(2, section.degree + 1)
        for chosen in choose(names, degree)
    ]
    if len(terms) > section.max_features:
        raise ConfigError(
            where="prepare.interactions",
            expected=f"at most {section.max_features} products (`max_features`)",
            found=f"{len(terms)} of {len(names)} columns up to degree {section.degree}",
            remedy="Name fewer columns, lower the degree, or raise `max_features`.",
        )
    return terms


def _name(chosen: tuple[str, ...]) -> str:
    powers = Counter(chosen)
    return "*".join(name if n == 1 else f"{name}^{n}" for name, n in powers.items())
