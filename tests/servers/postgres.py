"""A PostgreSQL server of the tests: a new cluster in a temporary folder, on a free port of the loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pg8000.dbapi

from servers.install import postgres_programs
from servers.processes import free_port, stop, wait

# A test's rows may be lost with its folder.
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "unix_socket_directories": ""}


@dataclass
class Postgres:
    """A server, and how one gets at it.

    Attributes
    ----------
    password : of `user`, by SCRAM; with None everybody is trusted.
    """

    user: str = "traintable"
    password: str | None = None
    host: str = "127.0.0.1"
    port: int = field(default=0, init=False)

    def start(self) -> None:
        """Make the cluster and start its server; as another user when we are root, whom PostgreSQL refuses."""
        self._folder = Path(tempfile.mkdtemp(prefix="traintable-postgres-"))
        self._become = _become(self._folder)
        self._initdb(postgres_programs())
        self.port = free_port()
        self.serve()

    def serve(self) -> None:
        """Start the server of the cluster, at the port that it has always had."""
        settings = {**_SETTINGS, "listen_addresses": self.host, "port": str(self.port)}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        log = self._folder / "log"
        with log.open("ab") as out:
            command = [str(postgres_programs() / "postgres"), "-D", str(self._data), *options]
            self._process = subprocess.Popen(command, stdout=out, stderr=out, cwd=self._folder, **self._become)
        wait(self._process, self._answers, log)

    def halt(self) -> None:
        """Stop the server at once, as if it had crashed; `serve` starts it again, and it recovers."""
        stop(self._process, signal.SIGQUIT)

    def stop(self) -> None:
        """Stop the server, by a fast shutdown, and remove its folder."""
        stop(self._process, signal.SIGINT)
        shutil.rmtree(self._folder)

    def connect(self, database: str = "postgres") -> pg8000.dbapi.Connection:
        """A connection by pg8000."""
        return pg8000.dbapi.connect(
            self.user, host=self.host, port=self.port, database=database, password=self.password, timeout=60
        )

    def run(self, sql: str, *parameters: Any, database: str = "postgres") -> list[Any]:
        """What a statement gives, if it gives rows; committed at once, so that it may create a database too."""
        connection = self.connect(database)
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(sql, parameters)
            return list(cursor.fetchall()) if cursor.description else []
        finally:
            connection.close()

    def jdbc(self, database: str = "postgres") -> str:
        """The address that Java's driver takes."""
        return f"jdbc:postgresql://{self.host}:{self.port}/{database}"

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _initdb(self, programs: Path) -> None:
        command = [str(programs / "initdb"), "-D", str(self._data), "-U", self.user, "--encoding=UTF8", "--no-locale"]
        command += ["--no-sync", "--auth=trust"]
        if self.password is not None:
            secret = self._folder / "password"
            secret.write_text(self.password)
            command[-1:] = ["--auth=scram-sha-256", f"--pwfile={secret}"]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self._folder, **self._become, check=False)
        if done.returncode:
            raise RuntimeError(f"initdb: {done.stdout}{done.stderr}")

    def _answers(self) -> bool:
        try:
            self.connect().close()
        except pg8000.dbapi.Error:
            return False
        return True


def _become(folder: Path) -> dict[str, Any]:
    """How a process runs as an ordinary user to whom the folder is given, when we are root."""
    if os.geteuid() != 0:
        return {}
    known = {user.pw_name: user for user in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
