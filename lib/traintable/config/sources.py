"""Where an extraction takes rows from: files, Delta and catalog tables, databases."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias
from urllib.parse import parse_qs, urlsplit

from pydantic import Field, field_validator, model_validator

from traintable.config.promise import TimeZone
from traintable.config.section import Mismatch, Section

_LIMITS = {"max_record_bytes", "max_file_bytes"}
_OPTIONS = {
    "csv": {"separator", "quote", "escape", "header", "null_value", "multi_line", "encoding", "time_zone"},
    "json": {"encoding", "time_zone"},
    "xml": {"row_tag", "null_value", "time_zone"},
    "text": {"encoding"},
}
_XML_NAME = r"^[^\W\d][\w.-]*(?::[^\W\d][\w.-]*)?$"
_TABLE_NAME = re.compile(r'^(?:"(?:[^"\0]|"")+"|[A-Za-z_]\w*)(?:\.(?:"(?:[^"\0]|"")+"|[A-Za-z_]\w*))?$')


class TextSource(Section):
    """Text files, by a path that may hold `*` and, by interval, strftime's signs; each record is parsed here.

    Files whose names end in .gz, .bz2 or .zst are unpacked. Times without an offset are those of `time_zone`. A value
    that is `null_value`, and not quoted, is null.

    Attributes
    ----------
    row_tag : the name of the XML elements that are records, as it is written, with its prefix.
    max_record_bytes : a longer record goes to the quarantine, of which this keeps the first 64 kB.
    max_file_bytes : what a packed file may unpack to; one that is larger is not read.
    """

    format: Literal["csv", "json", "xml", "text"]
    path: str = Field(min_length=1)
    separator: str = Field(",", min_length=1, max_length=1)
    quote: str = Field('"', min_length=1, max_length=1)
    escape: str = Field('"', min_length=1, max_length=1)
    header: bool = True
    null_value: str = ""
    multi_line: bool = False
    encoding: Literal["utf-8", "iso-8859-1"] = "utf-8"
    time_zone: TimeZone = "UTC"
    row_tag: str | None = Field(None, pattern=_XML_NAME)
    max_record_bytes: int = Field(2**24, ge=1, le=2**29)
    max_file_bytes: int = Field(2**36, ge=1)

    @model_validator(mode="after")
    def _options_fit(self) -> TextSource:
        foreign = sorted(self.model_fields_set - {"format", "path"} - _LIMITS - _OPTIONS[self.format])
        if foreign:
            raise Mismatch(f"options of format '{self.format}'", f"'{foreign[0]}'")
        if self.format == "xml" and self.row_tag is None:
            raise ValueError("`row_tag`, the name of the elements that are records, with format 'xml'")
        return self


class TypedSource(Section):
    """Files whose values have types: Parquet, ORC, Avro; or whole files as rows (`binary`: path, length, content)."""

    format: Literal["parquet", "orc", "avro", "binary"]
    path: str = Field(min_length=1)


class TableSource(Section):
    """A Delta table by its path, or a table of the catalog by its name; all rows where `where` holds.

    `version` or `timestamp` name one version of a Delta table; without them a run takes the newest.
    """

    format: Literal["delta", "table"]
    table: str = Field(min_length=1)
    version: int | None = Field(None, ge=0)
    timestamp: str | None = None
    where: str | None = None

    @model_validator(mode="after")
    def _versions_fit(self) -> TableSource:
        if self.version is not None and self.timestamp is not None:
            raise ValueError("`version` or `timestamp`, not both")
        if self.format == "table" and (self.version is not None or self.timestamp is not None):
            raise ValueError("format 'delta' for a version of a table")
        return self


class Secret(Section):
    """A value that stands elsewhere: in the environment, or in a file that the platform mounts."""

    env: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if (self.env is None) == (self.file is None):
            raise ValueError("{env: NAME} or {file: PATH}")
        return self


class JdbcSource(Section):
    """A table, or a view, of PostgreSQL, read by several connections that see one snapshot.

    Attributes
    ----------
    url : "jdbc:postgresql://host:port/database", without user and password.
    table : "name" or "schema.name"; quote a name, as SQL does, that is not all of lower-case letters, digits and `_`.
    where : a SQL condition, which the database evaluates.
    partitions : how many connections read at a time; a table is cut by its pages, a view by `partition_column`, a
        number or time.
    """

    format: Literal["jdbc"]
    url: str
    table: str = Field(min_length=1)
    user: Secret | None = None
    password: Secret | None = None
    where: str | None = None
    partitions: int = Field(4, ge=1, le=64)
    partition_column: str | None = None
    fetch_size: int = Field(10_000, ge=1)

    @field_validator("url")
    @classmethod
    def _is_postgresql(cls, url: str) -> str:
        address = urlsplit(url.removeprefix("jdbc:"))
        if not url.startswith("jdbc:postgresql://") or not address.hostname or not address.path.strip("/"):
            raise ValueError("jdbc:postgresql://host:port/database")
        if address.username or address.password or {"user", "password"} & set(parse_qs(address.query)):
            raise ValueError("an address without user and password: name them as {env: NAME} or {file: PATH}")
        return url

    @field_validator("table")
    @classmethod
    def _is_name(cls, name: str) -> str:
        if not _TABLE_NAME.match(name):
            raise ValueError('a table as name, schema.name or "quoted name"')
        return name


FileSource: TypeAlias = TextSource | TypedSource
Source: TypeAlias = Annotated[TextSource | TypedSource | TableSource | JdbcSource, Field(discriminator="format")]


def describe(source: Source) -> str:
    """What messages call a source."""
    if isinstance(source, JdbcSource):
        return f"{source.url}, table {source.table}"
    return source.table if isinstance(source, TableSource) else source.path
