"""Columns of a source that nobody has declared, and what `load.drift` makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from traintable.columns import column_name
from traintable.config.ingest import RESERVED, IngestConfig
from traintable.config.promise import Promise
from traintable.contract.rules import Field, fields_of
from traintable.errors import ConfigError


def undeclared_column(column: str, file: str, declared: Sequence[str]) -> ConfigError:
    """The error of a column that nobody has declared, for the policy `fail`; `declared` are those of the table."""
    return ConfigError(
        where=f"{file}: column '{column}'",
        expected=f"a declared column ({', '.join(declared[:20])})",
        found="one that nobody has declared",
        remedy="Declare it in `columns` (with `source` where the table can't have its name), or set `load.drift` to"
        " 'add_columns' or 'quarantine'. Nothing was landed.",
    )


def apply_drift_policy(
    names: Sequence[str], file: str, config: IngestConfig
) -> tuple[str | None, Mapping[str, Promise]]:
    """What becomes of undeclared columns among `names`: one for which rows are quarantined, or those that are added.

    Raises ConfigError where the policy is `fail`.
    """
    unknown = undeclared(names, config)
    if not unknown or config.load.drift == "add_columns":
        return None, added_columns(unknown, file, config)
    if config.load.drift == "fail":
        raise undeclared_column(unknown[0], file, list(config.columns))
    return unknown[0], {}


def undeclared(names: Sequence[str], config: IngestConfig) -> list[str]:
    """The columns of a source that nobody has declared."""
    declared = set(config.source_names)
    return [name for name in names if name not in declared]


def added_columns(names: Sequence[str], file: str, config: IngestConfig) -> Mapping[str, Promise]:
    """Undeclared columns as columns of the table; ConfigError for one whose name it has already."""
    added: dict[str, Promise] = {}
    taken = {*RESERVED, *(name.lower() for name in config.columns)}
    for name in names:
        plain = column_name(name)
        if plain.lower() in taken:
            raise undeclared_column(name, file, list(config.columns))
        taken.add(plain.lower())
        added[plain] = Promise() if plain == name else Promise(source=name)
    return added


def declared_fields(config: IngestConfig, added: Mapping[str, Promise]) -> tuple[Field, ...]:
    """The columns of the landed table: those that are declared, then those that are added."""
    return fields_of({**config.columns, **added}, config.key or ())
