"""A proxy before an HTTP server on the loopback that fails as a test asks it to, and knows what was requested."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import unquote, urlsplit

_CHUNK = 2**16
_SECONDS = 60
_HEAD = b"\r\n\r\n"
_BUSY = b"<?xml version='1.0'?><Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"


@dataclass(frozen=True)
class Fault:
    """What becomes of a request: `status` in place of an answer, a reset after so many bytes of one, or a delay.

    With `lost` it is reset without an answer: as it comes ("request"), when the server has half of its body ("body"),
    or when the server has done what it asks for ("reply"). `act` is called just before that.
    """

    status: int | None = None
    reset_after: int | None = None
    delay_seconds: float = 0
    lost: Literal["request", "body", "reply"] | None = None
    act: Callable[[], object] = lambda: None


UNAVAILABLE = Fault(status=503)
RESET = Fault(reset_after=0)
NO_REPLY = Fault(lost="reply")


@dataclass
class Request:
    """A request as it came; `fault` is what became of it, if not an answer of the server."""

    number: int
    method: str
    path: str
    query: str
    fault: Fault | None = None


Rule: TypeAlias = Callable[[Request], Fault | None]


def every(n: int, *faults: Fault, method: str = "GET", path: str = "") -> Rule:
    """The rule that of the requests by this method whose path holds `path` each n-th meets a fault, these in turn."""
    lock, seen = threading.Lock(), 0

    def rule(request: Request) -> Fault | None:
        nonlocal seen
        if request.method != method or path not in request.path:
            return None
        with lock:
            seen += 1
            return faults[(seen // n - 1) % len(faults)] if seen % n == 0 else None

    return rule


class Proxy:
    """The proxy: one request a connection, each of which a thread of its own serves.

    Parameters
    ----------
    own : a socket that is bound to the address where the proxy is to listen.
    server : the port of the loopback where the server listens.
    """

    def __init__(self, own: socket.socket, server: int) -> None:
        self._own, self._server = own, server
        self._rule: Rule | None = None
        self._lock, self._requests = threading.Lock(), list[Request]()

    def start(self) -> None:
        """Take connections."""
        self._own.listen(128)
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Take no more connections."""
        with suppress(OSError):
            self._own.shutdown(socket.SHUT_RDWR)
        self._own.close()
        self._thread.join(_SECONDS)

    @contextmanager
    def obeying(self, rule: Rule | None = None) -> Iterator[list[Request]]:
        """Obey a rule while the body runs; gives the list that fills with the requests."""
        with self._lock:
            self._rule, self._requests = rule, []
            requests = self._requests
        try:
            yield requests
        finally:
            with self._lock:
                self._rule, self._requests = None, []

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._own.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        client.settimeout(_SECONDS)
        with client, suppress(OSError):
            head, rest = _read_head(client)
            if not head:
                return
            fault = self._met(head) or Fault()
            time.sleep(fault.delay_seconds)
            if fault.status is not None:
                _refuse(client, fault.status)
            elif fault.reset_after == 0:
                _reset(client)
            elif fault.lost is not None:
                self._lose(client, head, rest, fault)
            else:
                self._pass(client, head, rest, fault.reset_after)

    def _met(self, head: bytes) -> Fault | None:
        method, target = head.split(b"\r\n", 1)[0].decode().split(" ")[:2]
        address = urlsplit(target)
        with self._lock:
            request = Request(len(self._requests), method, unquote(address.path), unquote(address.query))
            self._requests.append(request)
            rule = self._rule
        request.fault = rule(request) if rule else None
        return request.fault

    def _pass(self, client: socket.socket, head: bytes, rest: bytes, reset_after: int | None) -> None:
        with socket.create_connection(("127.0.0.1", self._server), _SECONDS) as server:
            server.sendall(_closing(head) + rest)
            threading.Thread(target=_pump, args=(client, server), daemon=True).start()
            n_left = reset_after
            while content := server.recv(_CHUNK if n_left is None else min(n_left, _CHUNK)):
                client.sendall(content)
                n_left = None if n_left is None else n_left - len(content)
                if n_left == 0:
                    _reset(client)
                    return
            with suppress(OSError):
                client.shutdown(socket.SHUT_WR)

    def _lose(self, client: socket.socket, head: bytes, rest: bytes, fault: Fault) -> None:
        """Hand over of a request what is to reach the server, then act, and end the connection."""
        with socket.create_connection(("127.0.0.1", self._server), _SECONDS) as server:
            if fault.lost == "body":
                n = _length(head) // 2
                server.sendall(_closing(head) + rest[:n])
                _ask_for_the_body(client, head)
                _pump(client, server, n - len(rest[:n]))
            elif fault.lost == "reply":
                server.sendall(_closing(head) + rest)
                _ask_for_the_body(client, head)
                threading.Thread(target=_pump, args=(client, server), daemon=True).start()
                while server.recv(_CHUNK):
                    pass
            fault.act()
        _reset(client)


def _read_head(client: socket.socket) -> tuple[bytes, bytes]:
    """The head of a request, and what came with it of the body."""
    content = b""
    while _HEAD not in content:
        more = client.recv(_CHUNK)
        if not more:
            return b"", b""
        content += more
    head, _, rest = content.partition(_HEAD)
    return head + _HEAD, rest


def _closing(head: bytes) -> bytes:
    """The head of a request that is the last of its connection."""
    first, *lines = head.removesuffix(_HEAD).split(b"\r\n")
    others = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([first, *others, b"Connection: close"]) + _HEAD


def _length(head: bytes) -> int:
    """How long the body of a request is."""
    found = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return int(found[0]) if found else 0


def _ask_for_the_body(client: socket.socket, head: bytes) -> None:
    """Have a client send its body that waits until it is asked for it."""
    if b"100-continue" in head.lower():
        client.sendall(b"HTTP/1.1 100 Continue" + _HEAD)


def _pump(source: socket.socket, target: socket.socket, n: int | None = None) -> None:
    """Hand the body of a request over as it comes, at most `n` bytes of it."""
    with suppress(OSError):
        while n != 0 and (content := source.recv(_CHUNK if n is None else min(n, _CHUNK))):
            target.sendall(content)
            n = None if n is None else n - len(content)


def _refuse(client: socket.socket, status: int) -> None:
    """Answer that the server can't, and take the rest of the request, which unread would reset the connection."""
    lines = [f"HTTP/1.1 {status} Slow Down", "Content-Type: application/xml", f"Content-Length: {len(_BUSY)}"]
    client.sendall("\r\n".join([*lines, "Connection: close"]).encode() + _HEAD + _BUSY)
    client.shutdown(socket.SHUT_WR)
    while client.recv(_CHUNK):
        pass


def _reset(client: socket.socket) -> None:
    """End a connection by a reset rather than in good order."""
    with suppress(OSError):
        client.shutdown(socket.SHUT_RD)  # whoever reads from it holds it open
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
