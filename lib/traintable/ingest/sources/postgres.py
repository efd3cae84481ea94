"""One snapshot of a PostgreSQL database, held open by a connection of the driver's, and what it says of a table."""

from __future__ import annotations

import os
import ssl
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pg8000.native
from pg8000.exceptions import DatabaseError, InterfaceError

from traintable.config.secrets import read_secret
from traintable.config.sources import JdbcSource, describe
from traintable.errors import ConfigError, InputMissing

_PORT = 5432
_HAS_STATES = ("r", "m", "p")  # kinds of relations
# What comes as Spark's own type; the others come as text, of which the contract makes what it promises.
_PLAIN = (
    "bool",
    "int2",
    "int4",
    "int8",
    "float4",
    "float8",
    "text",
    "varchar",
    "date",
    "timestamp",
    "timestamptz",
    "bytea",
)
_TIMES = ("date", "timestamp without time zone", "timestamp with time zone")
_FIRST, _LAST = "'1582-10-15'", "'9999-12-31'"  # before, Java has another calendar
_COLUMNS = """
select a.attname, t.typname, a.atttypmod, a.attnotnull, format_type(a.atttypid, null)
from pg_attribute a join pg_type t on t.oid = a.atttypid
where a.attrelid = :table and a.attnum > 0 and not a.attisdropped order by a.attnum
"""
_TABLE = """
select c.oid, format('%I.%I', n.nspname, c.relname), c.relkind::text,
    case when c.relkind in ('r', 'm') then pg_relation_size(c.oid) / current_setting('block_size')::int else 0 end
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = cast(:name as regclass)
"""


@dataclass(frozen=True)
class PostgresColumn:
    """A column of a table: its type's name in SQL, whether Spark has that type, and whether it may be null."""

    name: str
    type: str
    plain: bool
    nullable: bool


@dataclass(frozen=True)
class Selection:
    """The rows of a table where a condition holds.

    Attributes
    ----------
    n : how many there are.
    etag : another one when one of the rows is: made of the transactions that have written them. None for a view, which
        does not know them.
    far : columns with dates or times that the landed table can't hold, such as infinity.
    """

    where: str
    n: int
    etag: str | None
    far: frozenset[str]


class Snapshot:
    """A table of a database as it is now, for as long as this is open; `pages` are 0 of one that has none of its own.

    Raises InputMissing when the database can't be reached or has no such table; no message holds a password.
    """

    def __init__(self, source: JdbcSource) -> None:
        self.source = source
        self._address = urlsplit(source.url.removeprefix("jdbc:"))
        self.database = self._address.path.strip("/")
        self.user, self.password = credentials(source)
        self._connection = self._connect()
        self._run("set time zone 'UTC'")
        self._run("begin isolation level repeatable read, read only")
        self.id = str(self._run("select pg_export_snapshot()")[0][0])
        self._oid, self.table, self.kind, self.pages = self._run(_TABLE, name=source.table)[0]
        self.columns = [_column(*row) for row in self._run(_COLUMNS, table=self._oid)]

    def close(self) -> None:
        """End the transaction and with it the snapshot."""
        with suppress(InterfaceError, OSError):  # it may be gone already
            self._connection.close()

    def column(self, name: str, where: str) -> PostgresColumn:
        """The column of a name; ConfigError when there is none."""
        column = next((column for column in self.columns if column.name == name), None)
        if column is None:
            raise ConfigError(
                where=where,
                expected=f"a column of {self.table} ({', '.join(column.name for column in self.columns[:20])})",
                found=f"'{name}'",
                remedy="Correct the name.",
            )
        return column

    def selection(self, where: str) -> Selection:
        """The rows where a condition holds; a pass of the database's."""
        writers = "coalesce(sum(xmin::text::bigint), 0)::text" if self.kind in _HAS_STATES else "null"
        times = [column.name for column in self.columns if column.type in _TIMES]
        near = [f"coalesce(bool_and({quoted(name)} between {_FIRST} and {_LAST}), true)" for name in times]
        n, writer_hash, *are_near = self.values(", ".join(["count(*)", writers, *near]), where)
        far = frozenset(name for name, is_near in zip(times, are_near, strict=True) if not is_near)
        return Selection(where, int(n), None if writer_hash is None else f"{n}-{writer_hash}", far)

    def rows(self, where: str, as_text: Collection[str]) -> str:
        """The query of all columns of the rows where a condition holds, those that Spark has no type for as text."""
        columns = [(quoted(column.name), column.plain and column.name not in as_text) for column in self.columns]
        return self.query(", ".join(name if plain else f"{name}::text as {name}" for name, plain in columns), where)

    def query(self, expressions: str, where: str) -> str:
        """A query of the table; its names are quoted by the database or `quoted`, its conditions are checked ones."""
        return f"select {expressions} from {self.table} where {where}"  # noqa: S608

    def values(self, expressions: str, where: str = "true") -> Sequence[Any]:
        """The values of aggregates of the rows where a condition holds."""
        row: Sequence[Any] = self._run(self.query(expressions, where))[0]
        return row

    def bounds(self, column: PostgresColumn, where: str, n: int) -> list[str]:
        """Values that cut a column's range into `n` equal parts, as text; fewer where it has not as many."""
        is_number = column.type in ("smallint", "integer", "bigint", "numeric", "real", "double precision")
        low, high = (f"{end}({quoted(column.name)})" for end in ("min", "max"))
        if is_number:
            low, high = f"{low}::numeric", f"{high}::numeric"
        steps = ", ".join(
            f"floor({low} + ({high} - {low}) * {i} / {n})::text"
            if is_number
            else f"({low} + ({high} - {low}) * {i} / {n})::text"
            for i in range(1, n)
        )
        values = self.values(steps, where) if n > 1 else []
        return sorted({value for value in values if value is not None}, key=values.index)

    def _run(self, sql: str, **values: Any) -> Sequence[Any]:
        try:
            rows: Sequence[Any] = self._connection.run(sql, **values)
            return rows
        except (DatabaseError, InterfaceError, OSError) as error:
            raise self._missing("a table that can be read", error) from None

    def _connect(self) -> Any:
        options = {name: values[-1] for name, values in parse_qs(self._address.query).items()}
        try:
            return pg8000.native.Connection(
                self.user,
                host=self._address.hostname,
                port=self._address.port or _PORT,
                database=self.database,
                password=self.password,
                ssl_context=_ssl(options),
                application_name="traintable",
            )
        except (DatabaseError, InterfaceError, OSError) as error:
            raise self._missing("a database that accepts the connection", error) from None

    def _missing(self, expected: str, error: Exception) -> InputMissing:
        fields = error.args[0] if error.args else str(error)
        message = str(fields.get("M", fields)) if isinstance(fields, dict) else str(fields)
        if self.password:
            message = message.replace(self.password, "***")
        return InputMissing(
            where=describe(self.source),
            expected=expected,
            found=message,
            remedy="Check the address, the name, and the rights of the user. Nothing was landed.",
        )


def credentials(source: JdbcSource) -> tuple[str, str | None]:
    """User and password, which are where the configuration says, else in PGUSER and PGPASSWORD."""
    user = read_secret(source.user, "source.user") if source.user else os.environ.get("PGUSER", "")
    password = read_secret(source.password, "source.password") if source.password else os.environ.get("PGPASSWORD")
    if not user:
        raise ConfigError(
            where="source.user",
            expected="the name of a user",
            found="none",
            remedy="Set PGUSER and PGPASSWORD, or say where they are: `user: {env: NAME}`.",
        )
    return user, password


def quoted(name: str) -> str:
    """A name as SQL has it, whatever characters it holds."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


def _column(name: str, kind: str, modifier: int, is_needed: bool, text: str) -> PostgresColumn:
    plain = kind in _PLAIN or (kind == "numeric" and modifier > 0 and _fits(modifier - 4))
    return PostgresColumn(name, text, plain, not is_needed)


def _fits(modifier: int) -> bool:
    """Whether a numeric of this precision and scale is a decimal of Spark's."""
    precision, scale = modifier >> 16, modifier & 0x7FF
    return precision <= 38 and scale <= precision


def _ssl(options: dict[str, str]) -> ssl.SSLContext | None:
    mode = options.get("sslmode", "prefer")
    if mode in ("disable", "allow", "prefer"):
        return None
    context = ssl.create_default_context(cafile=options.get("sslrootcert"))
    if mode != "verify-full":
        context.check_hostname = False
    if mode == "require":
        context.verify_mode = ssl.CERT_NONE
    return context
