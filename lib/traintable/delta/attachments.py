"""What is too large for a manifest: files beside the table, named by the hash of their content."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any, cast

from traintable.addresses import is_catalog_name, sibling
from traintable.delta.manifest import Attached, Manifest
from traintable.errors import InputMissing
from traintable.storage.folder import Folder, folder

# What is attached where it is large.
_MOVABLE = ("config", "split", "classes", "reasons", "left_out", "leakage")
_LARGE = 1000  # characters


class Attachments:
    """Such files of a table, in a folder of theirs."""

    def __init__(self, address: str) -> None:
        self._files: Folder = folder(address)

    @classmethod
    def of(cls, table: str, manifest: Mapping[str, Any]) -> Attachments:
        """The files that a manifest of a table names: beside the table, or for one of a catalog beside its models."""
        at = os.path.dirname(str(manifest["model"])) if is_catalog_name(table) else table
        return cls(sibling(at, "manifests"))

    def at(self, name: str) -> str:
        """Where a file lies."""
        return f"{self._files.address}/{name}"

    def put(self, content: bytes, ending: str) -> str:
        """Keep a file; gives its name, which is the SHA-256 of what it holds, with an ending."""
        name = f"{hashlib.sha256(content).hexdigest()}.{ending}"
        if self._files.read(name) != content:
            self._files.write(name, content)
        return name

    def put_json(self, value: Any) -> str:
        """Keep an object as compressed JSON, keys in order; gives its name."""
        text = json.dumps(value, sort_keys=True, default=str)
        return self.put(gzip.compress(text.encode(), mtime=0), "json.gz")

    def get(self, name: str) -> bytes:
        """What a file holds; InputMissing where it has gone, or is not what it was."""
        content = self._files.read(name)
        is_whole = content is not None and name.startswith(hashlib.sha256(content).hexdigest())
        if content is None or not is_whole:
            raise InputMissing(
                where=self.at(name),
                expected="the file that a manifest names",
                found="none" if content is None else "another content than was written",
                remedy="Bring it back from a copy of this folder.",
            )
        return content

    def get_json(self, name: str) -> Any:
        """The object that `put_json` has kept."""
        return json.loads(gzip.decompress(self.get(name)))


def attach_large(manifest: Manifest, attachments: Attachments, attached: Attached) -> Manifest:
    """The manifest as it travels in a commit: what is larger is kept beside the table, named by its hash.

    `attached` are the files that are there already.
    """
    small, names = dict(manifest), dict(attached)
    for name in _MOVABLE:
        if name in small and len(json.dumps(small[name], default=str)) > _LARGE:
            names[name] = attachments.put_json(small.pop(name))
    return cast(Manifest, {**small, "beside": names})


def load_attached(manifest: Manifest, attachments: Attachments) -> Manifest:
    """The manifest with what is kept beside the table because it is large; InputMissing where that has gone."""
    files = {name: file for name, file in manifest.get("beside", {}).items() if name in _MOVABLE}
    loaded = {name: attachments.get_json(str(file)) for name, file in files.items() if name not in manifest}
    return cast(Manifest, {**manifest, **loaded})
