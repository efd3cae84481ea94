"""Values as JSON text with nothing left out: nulls by name, times to the microsecond."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import functions as F

if TYPE_CHECKING:
    from pyspark.sql import Column

_OPTIONS = {
    "ignoreNullFields": "false",
    "timestampFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSSXXX",
    "timestampNTZFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSSSS",
}


def to_json(value: Column) -> Column:
    """The JSON text of a struct, an array or a map."""
    return F.to_json(value, _OPTIONS)
