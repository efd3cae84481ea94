"""The configuration of one extraction: a YAML file of its own, checked before any data is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field, field_validator, model_validator

from traintable import settings_file
from traintable.columns import column_name
from traintable.plan import Names, Section

RESERVED = ("_file", "_interval")  # the columns that say where a row of files, or of an interval, comes from


def _plain(name: str) -> str:
    if column_name(name) != name or not name or name.lower() in RESERVED:
        raise ValueError("a name without spaces, commas, brackets or '=', and not one that says where a row comes from")
    return name


class Column(Section):
    """What is promised of a column of the landed table; a row that breaks a promise goes to the quarantine."""

    type: str = "string"
    nullable: bool = True
    min: float | None = Field(None, allow_inf_nan=False)
    max: float | None = Field(None, allow_inf_nan=False)
    values: tuple[str | int, ...] = ()
    format: str | None = None  # of dates and times in text, as strptime takes it


class Source(Section):
    """Where rows come from: files, by a path that may hold `*` and, by interval, strftime's signs.

    Times without an offset are those of `time_zone`. A value that is `null_value`, and not quoted, is null.
    """

    format: Literal["csv", "json", "text"]
    path: str = Field(min_length=1)
    separator: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', min_length=1, max_length=1)
    escape: str = Field('"', min_length=1, max_length=1)
    header: bool = True
    null_value: str = ""
    multi_line: bool = False
    encoding: Literal["utf-8", "iso-8859-1"] = "utf-8"
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _zone_is_known(cls, name: str) -> str:
        if name not in available_timezones():
            raise ValueError("a time zone such as 'Europe/Berlin'")
        return name

    @model_validator(mode="after")
    def _options_fit(self) -> Source:
        own = {"csv": {"separator", "quote", "escape", "header", "null_value", "multi_line", "encoding", "time_zone"}}
        own |= {"json": {"encoding", "time_zone"}, "text": {"encoding"}}
        foreign = sorted(self.model_fields_set - {"format", "path"} - own.get(self.format, set()))
        if foreign:
            raise ValueError(f"options of format '{self.format}', found '{foreign[0]}'")
        return self


class Load(Section):
    """What is new, and what becomes of it.

    Attributes
    ----------
    mode : "full" (the source as it is now replaces the table), "files" (those not taken yet, or changed since), or
        "interval" (the files, or rows, of one interval replace those of that interval).
    schedule : the length of an interval.
    drift : what happens when files have columns that are not declared.
    """

    mode: Literal["full", "files", "interval"] = "files"
    schedule: Literal["hourly", "daily", "weekly", "monthly"] | None = None
    drift: Literal["fail", "add_columns", "quarantine"] = "fail"

    @model_validator(mode="after")
    def _schedule_fits(self) -> Load:
        if (self.mode == "interval") != (self.schedule is not None):
            raise ValueError("`schedule` with mode 'interval', and only there")
        return self


class Output(Section):
    """The landed table, and what lies beside it: `<table>_quarantine` and `<table>_ledger` unless named."""

    table: str = Field(min_length=1)
    quarantine: str | None = None
    ledger: str | None = None
    partition_by: tuple[str, ...] = ()


class IngestConfig(Section):
    """One extraction, from its source to a Delta table."""

    name: str
    root: str = "."
    source: Source
    columns: dict[Annotated[str, AfterValidator(_plain)], Column] = Field(min_length=1)
    key: Names | None = None
    load: Load = Load()
    output: Output

    @model_validator(mode="after")
    def _path_fits(self) -> IngestConfig:
        if self.source.format == "text" and [column.type for column in self.columns.values()] != ["string"]:
            raise ValueError("one column of type string, the line, for format 'text'")
        if self.load.drift == "add_columns" and not (self.source.format == "csv" and self.source.header):
            raise ValueError("`drift: add_columns` where a header names the columns: CSV with one")
        if (self.load.mode == "interval") != has_time(self.source.path):
            raise ValueError("a path with strftime's signs (such as raw/%Y/%m/%d) for mode 'interval', and only there")
        return self


def has_time(path: str) -> bool:
    """Whether a path names times by strftime's signs."""
    return bool(re.search("%[A-Za-z]", path))


def load(path: str | Path, overrides: Sequence[str] = ()) -> IngestConfig:
    """Read the configuration of an extraction and apply `section.key=value` overrides.

    Relative names are taken from `root`, and a relative `root` from the folder of the file.
    Raises InputMissing when there is no such file and ConfigError when it, or an override, is wrong.
    """
    return settings_file.loaded(path, overrides, IngestConfig)
