"""XML files landed: packed or not, what is bad in them quarantined with its place and text, repaired and counted."""

from __future__ import annotations

from pathlib import Path

import pytest
from deltalake import DeltaTable
from folders import Folder
from pyspark.sql import SparkSession

from traintable.errors import ConfigError
from traintable.ingest.replay import replay

COLUMNS = {
    "id": {"type": "bigint", "nullable": False},
    "_lang": {},
    "at": {"type": "timestamp"},
    "line": {"type": "array<struct<_sku:string,_VALUE:decimal(6,2)>>"},
}
ORDERS = """<?xml version="1.0"?>
<orders>
  <order lang="de"><id>1</id><at>2026-07-01T12:00:00</at><line sku="a">1.50</line><line sku="b">-2</line></order>
  <order><id>two</id></order><order><id>two</id></order><order><id>3</id></ordr>
  <order
    lang='&lt;fr&gt;'><id>4</id></order>
  <order><id>5</id><color>red</color></order>
  <!-- <order><id>6</id></order> --><order/>
</orders>
"""


def numbered(first: int, n: int) -> bytes:
    return "<orders>{}</orders>".format("\n".join(f"<order><id>{first + i}</id></order>" for i in range(n))).encode()


def test_xml_lands_or_is_kept_and_repaired(tmp_path: Path, spark: SparkSession) -> None:
    source = {"format": "xml", "row_tag": "order", "time_zone": "Europe/Berlin"}
    folder = Folder(tmp_path, spark, COLUMNS, **source)
    folder.put(orders__xml=ORDERS.encode())
    with pytest.raises(ConfigError, match=r"orders.xml: column 'color'"):
        folder.land()
    folder.put(
        a__xml__gz=numbered(100, 3),
        b__xml__bz2=numbered(200, 3),
        c__xml__zst=numbered(300, 3)[:-2],
        d__xml="<?xml version='1.0'?><orders>\n\n<order lang='ä'><id>400</id></order></orders>".encode("utf-16"),
        bomb__xml=b"<!DOCTYPE a [<!ENTITY i '1'>]><a><order><id>&i;</id></order></a>",
        empty__xml=b"",
    )
    result = folder.land(load={"drift": "quarantine"})
    assert (result["unreadable"], result["rows"]) == (["raw/bomb.xml"], {"read": 18, "accepted": 12, "quarantined": 6})
    rows = {row["id"]: row for row in folder.rows()}
    assert sorted(rows) == [1, 4, 100, 101, 102, 200, 201, 202, 300, 301, 302, 400]
    assert rows[1]["at"].isoformat() == "2026-07-01T10:00:00+00:00"
    assert [(one["_sku"], str(one["_VALUE"])) for one in rows[1]["line"]] == [("a", "1.50"), ("b", "-2.00")]
    assert (rows[4]["_lang"], rows[4]["line"], rows[400]["_lang"], rows[301]["_file"]) == (
        "<fr>",
        None,
        "ä",
        "c.xml.zst",
    )
    assert folder.kept() == [
        ("c.xml.zst", 3, "</order", "document"),
        ("orders.xml", 4, "<order><id>3</id></ordr>\n  ", "syntax"),
        ("orders.xml", 4, "<order><id>two</id></order>", "type:id"),
        ("orders.xml", 4, "<order><id>two</id></order>", "type:id"),
        ("orders.xml", 7, "<order><id>5</id><color>red</color></ord", "drift:color"),
        ("orders.xml", 8, "<order/>", "null:id"),
    ]
    assert folder.land(load={"drift": "quarantine"})["status"] == "unchanged"
    quarantine = DeltaTable(str(tmp_path / "landed_quarantine"))
    quarantine.update({"repaired": "'<order><id>2</id></order>'"}, predicate="raw LIKE '%two%'")
    quarantine.update(
        {"repaired": "'<order><id>3</id></order><order><id>33</id></order>'"}, predicate="raw LIKE '%ordr%'"
    )
    replayed = replay(folder.config(), spark=spark)
    assert replayed["rows"] == {"read": 6, "accepted": 2, "quarantined": 4}  # of those in one line just these two
    assert sorted(row["id"] for row in folder.rows()) == sorted([*rows, 2, 2])
    assert len(folder.kept()) == 4
    assert folder.land(load={"drift": "quarantine"})["status"] == "unchanged"
