"""Files made to hurt, landed with good ones: each record is accepted or kept with the reason, and none is missing."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

from folders import Folder
from pyspark.sql import SparkSession

LONG = 3 * 2**20
LIMITS = {"max_record_bytes": 2**20, "max_file_bytes": 2**24}
BLANKS = b" \t\n\f\r"
COLUMNS = {"id": {"type": "bigint", "nullable": False}, "name": {}, "x": {"type": "double"}}


def n_lines(content: bytes, *, header: bool = False) -> int:
    """How many lines count: those that have more than blanks, or too many of these."""
    content = content.removeprefix(b"\xef\xbb\xbf")
    return sum(bool(line.strip(BLANKS)) or len(line) > 2**20 for line in content.splitlines()) - header


def ids(folder: Folder, file: str) -> list[int]:
    return sorted(row["id"] for row in folder.rows() if row["_file"] == file)


def sizes(folder: Folder) -> list[tuple[str, int, int, str]]:
    """What is kept of records that were too long: file, position, length of the text, and how it begins."""
    rows = [row for row in folder.rows("landed_quarantine") if row["reasons"] == ["size"]]
    return sorted((row["_file"], row["position"], len(row["raw"]), row["raw"][:6]) for row in rows)


def test_hostile_csv(tmp_path: Path, spark: SparkSession) -> None:
    folder = Folder(tmp_path, spark, COLUMNS, format="csv", **LIMITS)
    long = b"id,name,x\n1,a,1\n2,%b,1\n3,c,1\n%b4,d,1\r\n\r\n5,e,1\n" % (b"x" * LONG, b" " * LONG)
    rng = random.Random(0)
    rows = [b"%d,%s,%d\n" % (i, rng.randbytes(600).hex().encode(), i) for i in range(200)]
    files = {
        "long.csv": long,
        "long.csv.gz": long,
        "long.csv.bz2": long,
        "long.csv.zst": long,
        "wide.csv.gz": b"id,name,x\n" + b"".join(rows),  # of more than is read to find the header
        "ragged.csv": b"x,id,name\n1,1,a\n2\n3,3,c,d\n,,\n\n4,4,\n,5\n",
        "latin.csv": b"id,name,x\n1,caf\xe9,1\n2,caf\xc3\xa9,2\n3,\xc0\xaf,3\n4,\xed\xa0\x80,4\n5,\xf4\x90\x80\x80,5\n",
        "nul.csv": b"id,name,x\n1,a\0b,1\n\0,b,2\n3,c,3\0\n",
        "utf16.csv": "id,name,x\n1,a,1\n".encode("utf-16"),
        "header.csv": b"id,name,id\n1,a,1\n",
        "names.csv": b"id,na\xffme,x\n1,a,1\n" + b"2,b,2\n" * 20_000,
        "again.csv": b"id,name,x\n1,a,1\nid,name,x\n2,b,2\n",
        "quotes.csv": b'id,name,x\n1,"a,1\n2,"b"c,1\n3,5" pipe,3\n"4","",4\n',
        "ends.csv": b"\xef\xbb\xbfid,name,x\r1,a,1\r\n2,b,2\n\r3,c\x0bd,3",
        "empty.csv": b"",
    }
    folder.put(**{name.replace(".", "__"): content for name, content in files.items()})
    folder.put(bomb__csv__gz=b"id,name,x\n" + b"1,a,1\n" * 4_000_000, none__csv=b"")
    (tmp_path / "raw" / "none.csv").rename(tmp_path / "raw" / "none.csv.bz2")
    result = folder.land()
    assert sorted(result["unreadable"]) == ["raw/bomb.csv.gz", "raw/none.csv.bz2"]
    expected = {
        name: n_lines(content, header=name not in ("empty.csv", "header.csv", "names.csv", "utf16.csv"))
        for name, content in files.items()
    }
    counts = folder.counts()
    assert counts == Counter({**expected, "utf16.csv": counts["utf16.csv"]})
    assert counts["utf16.csv"] > 0
    for name in list(files)[:4]:
        assert ids(folder, name) == [1, 3, 5]
    assert sizes(folder) == sorted(
        (name, at, 2**16, text) for name in list(files)[:4] for at, text in ((3, "2,xxxx"), (5, " " * 6))
    )
    by_file = {name: ids(folder, name) for name in list(files)[4:]}
    assert by_file == {
        "wide.csv.gz": list(range(200)),
        "ragged.csv": [1, 4],
        "latin.csv": [2],
        "nul.csv": [1],
        "utf16.csv": [],
        "header.csv": [],
        "names.csv": [],
        "again.csv": [1, 2],
        "quotes.csv": [3, 4],
        "ends.csv": [1, 2, 3],
        "empty.csv": [],
    }


def test_hostile_csv_with_line_ends(tmp_path: Path, spark: SparkSession) -> None:
    folder = Folder(tmp_path, spark, COLUMNS, format="csv", multi_line=True, **LIMITS)
    long = b'id,name,x\n1,"a\nb",1\n2,"%b",1\n3,"c\r\n",1\n5,6" pipe,5\n6,7" pipe,6\n4,"%b' % (b"x" * LONG, b"y\n" * 50)
    files = {"long.csv": long, "long.csv.gz": long, "header.csv": b'"id","name",x\n1,"\n",2\n'}
    folder.put(**{name.replace(".", "__"): content for name, content in files.items()})
    folder.land()
    for name in ("long.csv", "long.csv.gz"):
        assert ids(folder, name) == [1, 3, 5, 6]
        assert Counter(row[3] for row in folder.kept() if row[0] == name) == {"size": 1, "columns": 50}
    assert [row[1:] for row in sizes(folder)] == [(4, 2**16, '2,"xxx')] * 2
    assert (folder.counts()["header.csv"], ids(folder, "header.csv")) == (1, [1])


def test_hostile_json(tmp_path: Path, spark: SparkSession) -> None:
    folder = Folder(tmp_path, spark, COLUMNS, format="json", **LIMITS)
    lines = [
        *[
            b'{"id":1}',
            b'{"id":2,"name":"%b"}' % (b"x" * LONG),
            b'{"id":3}',
            b" " * LONG + b'{"id":4}',
            b"",
            b'{"id":5}',
        ],
        *[b'{"id":6,"name":"\\ud800"}', b'{"id":7,"name":"\\udc00\\ud800"}', b'{"id":8,"name":"\\ud83d\\ude00"}'],
        *[b'{"id":9,"name":"\xc0\xaf"}', b'{"id":10,"name":"\xed\xa0\x80"}', b'{"id":11,"name":"\xff"}'],
        *[b'{"id":12,"name":"\0"}', b'{"id":13,"name":"\\u0000"}', b'{"id":14}\0', b'{"id":15', b'"id":16}', b"[17]"],
        *[
            b'{"id":18}{"id":19}',
            b'{"id":20,"id":21}',
            b'{"id":22.0}',
            b'{"id":1e1}',
            b'{"id":"23"}',
            b'{"id":24,"x":1e999}',
        ],
        *[b'{"name":' + b"[" * 100_000 + b"]" * 100_000 + b"}", b'{"x":' + b"9" * 5000 + b"}", b"\xef\xbb\xbf{}"],
        *['{"id":25}'.encode("utf-16-le"), b'{"ID":26}', b"{'id':27}", b'{"id":28}\x0b', b'{"id":29}', b"{}"],
    ]
    content = b"\n".join(lines)
    folder.put(a__json=content, a__json__zst=content, b__json__gz=b'{"id":30}\r{"id":31}\r\n')
    folder.land(load={"drift": "quarantine"})
    assert folder.counts() == {"a.json": n_lines(content), "a.json.zst": n_lines(content), "b.json.gz": 2}
    for name in ("a.json", "a.json.zst"):
        rows = {row["id"]: row for row in folder.rows() if row["_file"] == name}
        assert set(rows) == {1, 3, 5, 8, 13, 29}
        assert (rows[8]["name"], rows[13]["name"]) == ("\U0001f600", "\0")
    assert [row[1:] for row in sizes(folder)] == [(2, 2**16, '{"id":'), (4, 2**16, " " * 6)] * 2
    text = [row for row in folder.rows("landed_quarantine") if row["reasons"] == ["encoding"]]
    assert {row["raw"] for row in text} == {
        r'{"id":9,"name":"\xc0\xaf"}',
        r'{"id":10,"name":"\xed\xa0\x80"}',
        r'{"id":11,"name":"\xff"}',
    }


def test_hostile_text_and_xml(tmp_path: Path, spark: SparkSession) -> None:
    (tmp_path / "text").mkdir()
    folder = Folder(tmp_path / "text", spark, {"line": {}}, format="text", **LIMITS)
    content = b"a\n%b\n\n \nb\0\xff\nc\x0bd\r%b" % (b"x" * LONG, b"y" * LONG)
    folder.put(a__txt=content, a__txt__bz2=content)
    folder.land()
    assert folder.counts() == {"a.txt": 7, "a.txt.bz2": 7}
    assert sorted(row["line"] for row in folder.rows()) == sorted(["a", "", " ", "c\x0bd"] * 2)
    assert [row[1:] for row in sizes(folder)] == [(2, 2**16, "x" * 6), (7, 2**16, "y" * 6)] * 2

    (tmp_path / "xml").mkdir()
    folder = Folder(tmp_path / "xml", spark, COLUMNS, format="xml", row_tag="r", **LIMITS)
    text = b"<a>\n<r><id>1</id></r>\n<r><name>%b</name></r><r><id>2</id></r>\n<!-- %b --><r>%b<r><id>3</id></r></a>"
    content = text % (b"x" * LONG, b"y" * LONG, b"z" * LONG)
    folder.put(a__xml=content, a__xml__gz=content)
    folder.land()
    for name in ("a.xml", "a.xml.gz"):
        assert ids(folder, name) == [1, 2, 3]
    assert [row[1:] for row in sizes(folder)] == [(3, 2**16, "<r><na"), (4, 2**16, "<r>zzz")] * 2
