"""HTTP/1.1 over a plain socket: every byte that is sent is the test's own."""

import socket
import struct
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from support import sigv4
from support.accounts import MAIN, Account

NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass
class Response:
    """One response as it stood on the wire."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes
    # Statuses of the 1xx responses that came before.
    interim: list[int] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """The value of a header that may stand once at most."""
        values = [value for header, value in self.headers if header.lower() == name.lower()]
        assert len(values) <= 1, f"{name} is repeated: {values}"
        return values[0] if values else None

    def xml(self) -> ElementTree.Element:
        return ElementTree.fromstring(self.body)

    def error(self) -> dict[str, str]:
        """The fields of an error document."""
        root = self.xml()
        assert root.tag == "Error", f"not an error document: {self.body!r}"
        return {child.tag: child.text or "" for child in root}

    def refusal(self) -> tuple[int, str]:
        """Status and error code."""
        return self.status, self.error()["Code"]


class Closed(Exception):
    """The server closed the connection before a whole response."""


class Connection:
    """One TCP connection; responses are read in the order of the requests. `source` is the client's own address."""

    def __init__(self, address: tuple[str, int], timeout_s: float = 30, source: str | None = None):
        self.address = address
        self.socket = socket.create_connection(address, timeout_s, source and (source, 0))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.unread = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def reset(self) -> None:
        """Drops the connection hard, as a client that dies does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def end_of_requests(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def _more(self) -> bool:
        try:
            received = self.socket.recv(1 << 18)
        except ConnectionResetError:
            return False
        self.unread += received
        return bool(received)

    def _take(self, count: int) -> bytes:
        while len(self.unread) < count:
            if not self._more():
                raise Closed(f"{count - len(self.unread)} bytes missing after {self.unread[-200:]!r}")
        taken, self.unread = self.unread[:count], self.unread[count:]
        return taken

    def _head(self) -> tuple[int, list[tuple[str, str]]]:
        while b"\r\n\r\n" not in self.unread:
            if not self._more():
                raise Closed(f"no whole head: {self.unread!r}")
        head, self.unread = self.unread.split(b"\r\n\r\n", 1)
        status_line, *lines = head.decode("latin-1").split("\r\n")
        version, status, _reason = status_line.split(" ", 2)
        assert version in ("HTTP/1.1", "HTTP/1.0"), status_line
        return int(status), [tuple(part.strip() for part in line.split(":", 1)) for line in lines]

    def response(self, method: str = "GET") -> Response:
        """Reads the next final response."""
        interim = []
        while True:
            status, headers = self._head()
            if status >= 200:
                break
            interim.append(status)
        response = Response(status, headers, b"", interim)
        if method == "HEAD" or status in (204, 304):
            return response
        if response.get("transfer-encoding") == "chunked":
            response.body = self._chunked_body()
        elif (length := response.get("content-length")) is not None:
            response.body = self._take(int(length))
        else:
            response.body = self._body_to_end()
        return response

    def _chunked_body(self) -> bytes:
        body = b""
        while True:
            while b"\r\n" not in self.unread:
                if not self._more():
                    raise Closed("inside a chunk size")
            line, self.unread = self.unread.split(b"\r\n", 1)
            size = int(line.split(b";")[0], 16)
            body += self._take(size)
            assert self._take(2) == b"\r\n"
            if size == 0:
                return body

    def _body_to_end(self) -> bytes:
        while self._more():
            pass
        body, self.unread = self.unread, b""
        return body

    def is_closed_by_server(self) -> bool:
        """True when the server ends the connection, without one byte more, within the timeout."""
        assert not self.unread, f"bytes after the response: {self.unread!r}"
        try:
            received = self.socket.recv(1)
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        assert not received, f"a byte after the response: {received!r}"
        return True


def head(method: str, target: str, headers: dict[str, str]) -> bytes:
    """The bytes of a request head."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def object_path(bucket: str, key: str | None = None) -> str:
    return "/" + bucket if key is None else f"/{bucket}/" + sigv4.encode_path(key)


@dataclass
class Prepared:
    """A signed request: the head's parts and the signature that its chunks continue from."""

    method: str
    target: str
    headers: dict[str, str]
    signature: sigv4.Signature

    def head(self) -> bytes:
        return head(self.method, self.target, self.headers)


def prepare(
    address: tuple[str, int],
    method: str,
    path: str,
    *,
    query=(),
    headers: dict[str, str] | None = None,
    body_bytes: int | None = None,
    payload_hash: str = sigv4.UNSIGNED,
    account: Account = MAIN,
    **signing,
) -> Prepared:
    """Signs a request for this server. `body_bytes` becomes its Content-Length."""
    headers = {"host": f"{address[0]}:{address[1]}", **(headers or {})}
    encoded = sigv4.encode_query(query)
    signature = sigv4.sign(method, path, encoded, headers, payload_hash, account, **signing)
    wire_headers = dict(signature.headers)
    if body_bytes is not None:
        wire_headers["content-length"] = str(body_bytes)
    target = f"{path}?{encoded}" if encoded else path
    return Prepared(method, target, wire_headers, signature)


def call(address: tuple[str, int], method: str, path: str, *, body: bytes = b"", **request) -> Response:
    """One signed request on a connection of its own."""
    body_bytes = len(body) if body or method in ("PUT", "POST") else None
    prepared = prepare(address, method, path, body_bytes=body_bytes, **request)
    with Connection(address) as connection:
        connection.send(prepared.head() + body)
        return connection.response(method)


def send_plain(address: tuple[str, int], method: str, target: str, headers=None, body: bytes = b"") -> Response:
    """One request exactly as given, unsigned unless its headers say otherwise."""
    fields = {"Host": f"{address[0]}:{address[1]}", **(headers or {})}
    if body or method in ("PUT", "POST"):
        fields.setdefault("Content-Length", str(len(body)))
    with Connection(address) as connection:
        connection.send(head(method, target, fields) + body)
        return connection.response(method)
