"""An S3 server of the tests: versitygw over a folder, on a free port of the loopback."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from servers.install import versitygw_program
from servers.processes import free_port, listens, stop, wait


@dataclass
class Versitygw:
    """A server; each folder in `folder/buckets` is a bucket."""

    folder: Path
    key: str
    secret: str
    port: int = field(default=0, init=False)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start the server."""
        program = versitygw_program()
        buckets = self.folder / "buckets"
        buckets.mkdir(parents=True)
        self.port = free_port()
        environment = {**os.environ, "ROOT_ACCESS_KEY": self.key, "ROOT_SECRET_KEY": self.secret}
        command = [str(program), "--port", f"127.0.0.1:{self.port}", "--quiet", "posix"]
        log = self.folder / "log"
        with log.open("wb") as out:
            arguments = [*command, *self._sidecar(), str(buckets)]
            self._process = subprocess.Popen(arguments, stdout=out, stderr=out, env=environment)
        wait(self._process, lambda: listens(self.port), log)

    def stop(self) -> None:
        """Stop the server."""
        stop(self._process)

    def _sidecar(self) -> list[str]:
        """Where the file system takes no attributes, a folder for them."""
        try:
            os.setxattr(self.folder, "user.traintable", b"")
        except OSError:
            sidecar = self.folder / "attributes"
            sidecar.mkdir()
            return ["--sidecar", str(sidecar)]
        return []
