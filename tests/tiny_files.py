"""Files of a training table with few rows, written as tasks write them, without Spark."""

from __future__ import annotations

import pyarrow as pa

from traintable.delta.data_files import FileWriter, Written

ARROW = pa.schema([("id", pa.int64()), ("features", pa.list_(pa.field("element", pa.float32())))])
FLOATS = {"type": "array", "elementType": "float", "containsNull": True}
FIELDS = [
    {"name": "id", "type": "long", "nullable": True, "metadata": {}},
    {"name": "features", "type": FLOATS, "nullable": True, "metadata": {}},
    {"name": "split", "type": "string", "nullable": True, "metadata": {}},
]
SCHEMA = {"type": "struct", "fields": FIELDS}


def written(table: str, ids: range) -> dict[str, list[Written]]:
    """Files of all splits with these ids, of which none is named yet."""
    files: dict[str, list[Written]] = {}
    for i, part in enumerate(("train", "validation", "test")):
        mine = list(ids)[i::3]
        writer = FileWriter(f"{table}/split={part}", ARROW)
        writer.add(pa.RecordBatch.from_pydict({"id": mine, "features": [[float(n), 0.5] for n in mine]}, schema=ARROW))
        file = writer.close()
        files[part] = [file] if file is not None else []
    return files
