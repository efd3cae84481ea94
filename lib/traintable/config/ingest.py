"""The configuration of one extraction: a YAML file of its own, checked before any data is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    SerializerFunctionWrapHandler,
    field_serializer,
    field_validator,
    model_validator,
)

from traintable.columns import column_name
from traintable.config import document
from traintable.config.durations import Duration
from traintable.config.promise import Promise, without_unset
from traintable.config.section import Mismatch, Names, Section
from traintable.config.sources import Source, TableSource, TextSource, TypedSource

# The columns that say where a row comes from, and what a merge adds.
RESERVED = ("_file", "_interval", "_deleted", "_valid_from", "_valid_to", "_is_current")
BY_FILE = ("files", "watermark", "changes")  # modes in which each file, or what stands for one, is landed by itself
CHANGES = ("_change_type", "_commit_version", "_commit_timestamp")  # what a change data feed adds


def _plain(name: str) -> str:
    if column_name(name) != name or not name or name.lower() in RESERVED:
        raise ValueError("a name without spaces, commas, brackets or '=', and not a reserved one such as _file")
    return name


class Merge(Section):
    """How rows that come again by `key` become one row (SCD 1), or its history (SCD 2), whatever the order of runs.

    Attributes
    ----------
    scd : 1 keeps the newest row of each key; 2 all of its states, with `_valid_from`, `_valid_to` and `_is_current`.
    order_by : the column that tells newer from older; of rows that agree in it, that of the greater `_file` is newer.
    deleted : a SQL condition on a row that says its key is gone: SCD 1 keeps the row with `_deleted`, SCD 2 ends it.
    """

    scd: Literal[1, 2] = 1
    order_by: str = Field(min_length=1)
    deleted: str | None = None


class Load(Section):
    """What is new, and what becomes of it.

    Attributes
    ----------
    mode : "full" (the source as it is now replaces the table), "files" (those not taken yet, or changed since),
        "interval" (the files, or rows, of one interval replace those of that interval), "watermark" (rows whose
        `column` is beyond all that were taken), or "changes" (each version of a Delta table's change data feed).
    schedule : the length of an interval.
    column : of a table: the time that an interval is of, or the number or time that only grows.
    lookback : how far behind the greatest value late rows may come: "2 hours", "1 day", or a number; needs `merge`.
    drift : what happens when files have columns that are not declared.
    """

    mode: Literal["full", "files", "interval", "watermark", "changes"] = "files"
    schedule: Literal["hourly", "daily", "weekly", "monthly"] | None = None
    column: str | None = None
    lookback: Duration | int | None = None
    drift: Literal["fail", "add_columns", "quarantine"] = "fail"
    merge: Merge | None = None

    @field_validator("lookback", mode="before")
    @classmethod
    def _lookback_is_a_duration_or_a_number(cls, value: object) -> object:
        try:
            return Duration(value) if isinstance(value, str) else value
        except ValueError:
            raise ValueError("`lookback` such as '2 hours', '1 day' or a number") from None

    @model_validator(mode="after")
    def _options_fit(self) -> Load:
        if (self.mode == "interval") != (self.schedule is not None):
            raise ValueError("`schedule` with mode 'interval', and only there")
        if self.mode == "watermark" and self.column is None:
            raise ValueError("`column` with mode 'watermark'")
        if self.column is not None and self.mode not in ("watermark", "interval"):
            raise ValueError("`column` with modes 'watermark' and 'interval' only")
        if self.lookback is not None and (self.mode != "watermark" or self.merge is None):
            raise ValueError("`lookback` with mode 'watermark' and `merge`, which merges rows that come again")
        if self.merge is not None and self.mode == "full":
            raise ValueError("`merge` with another mode than 'full', which leaves no earlier rows")
        return self


class Output(Section):
    """The landed table, its quarantine and its ledger: `<table>_quarantine` and `<table>_ledger` unless named."""

    table: str = Field(min_length=1)
    quarantine: str | None = None
    ledger: str | None = None
    partition_by: tuple[str, ...] = ()


class IngestConfig(Section):
    """One extraction, from its source to a Delta table."""

    name: str
    root: str = "."
    source: Source
    columns: dict[Annotated[str, AfterValidator(_plain)], Promise] = Field(min_length=1)
    key: Names | None = None
    load: Load = Load()
    output: Output

    @field_serializer("columns", mode="wrap")
    def _dump_columns(self, columns: dict[str, Promise], dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The promises as dictionaries, from which the digest of an extraction is made."""
        return {name: _dumped_promise(promise) for name, promise in dump(columns).items()}

    def source_name(self, column: str) -> str:
        """What a column is called in the source."""
        return (self.columns[column].source if column in self.columns else None) or column

    @property
    def source_names(self) -> list[str]:
        """What the declared columns are called in the source."""
        return [self.source_name(name) for name in self.columns]

    @model_validator(mode="after")
    def _source_fits(self) -> IngestConfig:
        source, load = self.source, self.load
        if isinstance(source, (TextSource, TypedSource)):
            if load.mode in ("watermark", "changes") or load.column is not None:
                raise ValueError("modes 'full', 'files' and 'interval', and no `column`, for files")
            if (load.mode == "interval") != has_time(source.path):
                raise ValueError("a path with strftime's signs (such as raw/%Y/%m/%d) for mode 'interval' only")
        else:
            if load.mode == "files":
                raise ValueError("another mode than 'files' for a table: full, interval, watermark or changes")
            if load.mode == "interval" and load.column is None:
                raise ValueError("`load.column`, the time of a row, for mode 'interval' of a table")
            if load.mode == "changes" and (source.format != "delta" or source.where is not None):
                raise ValueError("mode 'changes' for format 'delta', without `where`")
            pinned = isinstance(source, TableSource) and (source.version is not None or source.timestamp is not None)
            if pinned and load.mode != "full":
                raise ValueError("mode 'full' for one version of a table")
        if source.format == "text" and [column.type or "string" for column in self.columns.values()] != ["string"]:
            raise ValueError("one column of type string, the line, for format 'text'")
        if load.drift == "add_columns" and (source.format in ("json", "xml", "text") or not _has_header(source)):
            raise ValueError("`drift: add_columns` where a header or a schema names the columns")
        return self

    @model_validator(mode="after")
    def _columns_fit(self) -> IngestConfig:
        merge = self.load.merge
        if merge is not None and self.key is None:
            raise ValueError("`key` with `load.merge`")
        sources = self.source_names
        twice = next((name for name in sources if sources.count(name) > 1), None)
        if twice is not None:
            raise Mismatch("each column of the source once", f"'{twice}' twice")
        for name in (self.load.column, merge.order_by if merge else None):
            if name is not None and name not in self.columns and not (self.load.mode == "changes" and name in CHANGES):
                raise Mismatch("a declared column", f"'{name}'")
        return self


def _dumped_promise(dumped: dict[str, Any]) -> dict[str, Any]:
    promise = without_unset(dumped, ("on_invalid", "available_at", "time_zone"))
    return {key: "string" if key == "type" and value is None else value for key, value in promise.items()}


def _has_header(source: Source) -> bool:
    return not isinstance(source, TextSource) or source.header


def has_time(path: str) -> bool:
    """Whether a path names times by strftime's signs."""
    return bool(re.search("%[A-Za-z]", path))


def load(path: str | Path, overrides: Sequence[str] = ()) -> IngestConfig:
    """Read the configuration of an extraction and apply `section.key=value` overrides.

    Relative names are taken from `root`, and a relative `root` from the folder of the file.
    Raises InputMissing when there is no such file and ConfigError when it, or an override, is wrong.
    """
    return document.load_settings(path, overrides, IngestConfig)
