"""A small SigV4 signer, apart from botocore's, that can also sign wrongly on purpose.

It signs header and presigned requests and frames the streaming payload forms. Everything a test may
want to break is a parameter.
"""

import datetime
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import quote

from support.accounts import REGION, Account

ALGORITHM = "AWS4-HMAC-SHA256"
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()
UNSIGNED = "UNSIGNED-PAYLOAD"
STREAMING_SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
STREAMING_SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
STREAMING_UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"


def now_utc() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def amz_date(moment: datetime.datetime) -> str:
    return moment.strftime("%Y%m%dT%H%M%SZ")


def sha256_hex(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def encode_path(path: str | bytes) -> str:
    """Percent-encodes a path the way S3 signs it; slashes stay."""
    return quote(path, safe="/-._~")


def encode_query(query) -> str:
    """The canonical query string of (name, value) pairs."""
    pairs = sorted((quote(name, safe="-._~"), quote(value, safe="-._~")) for name, value in query)
    return "&".join(f"{name}={value}" for name, value in pairs)


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@dataclass(frozen=True)
class Scope:
    """Day, region, service and terminal of a signature."""

    day: str
    region: str = REGION
    service: str = "s3"
    terminal: str = "aws4_request"

    def __str__(self) -> str:
        return f"{self.day}/{self.region}/{self.service}/{self.terminal}"

    def key(self, secret_key: str) -> bytes:
        key = f"AWS4{secret_key}".encode()
        for part in (self.day, self.region, self.service, self.terminal):
            key = _hmac(key, part)
        return key


@dataclass(frozen=True)
class Signature:
    """What signing a request gave, and what its streamed chunks continue from."""

    headers: dict[str, str]
    signature: str
    date: str
    scope: Scope
    key: bytes


def canonical_request(method, path, query, headers: dict[str, str], signed_names, payload_hash) -> str:
    lines = [f"{name}:{' '.join(headers[name].split())}" for name in signed_names]
    return "\n".join([method, path, query, *lines, "", ";".join(signed_names), payload_hash])


def sign(
    method: str,
    path: str,
    query: str,
    headers: dict[str, str],
    payload_hash: str,
    account: Account,
    *,
    moment: datetime.datetime | None = None,
    scope: Scope | None = None,
    unsigned: tuple[str, ...] = (),
) -> Signature:
    """Signs with an Authorization header. `path` and `query` are as they go on the wire.

    `headers` must hold the host. Names in `unsigned` travel without being signed.
    """
    moment = moment or now_utc()
    date = amz_date(moment)
    scope = scope or Scope(date[:8])
    headers = {name.lower(): value for name, value in headers.items()}
    headers.setdefault("x-amz-date", date)
    headers.setdefault("x-amz-content-sha256", payload_hash)
    signed_names = sorted(name for name in headers if name not in unsigned)
    request = canonical_request(method, path, query, headers, signed_names, payload_hash)
    text = f"{ALGORITHM}\n{date}\n{scope}\n{sha256_hex(request.encode())}"
    key = scope.key(account.secret_key)
    signature = _hmac(key, text).hex()
    headers["authorization"] = (
        f"{ALGORITHM} Credential={account.access_key}/{scope}, "
        f"SignedHeaders={';'.join(signed_names)}, Signature={signature}"
    )
    return Signature(headers, signature, date, scope, key)


def presign(
    method: str,
    path: str,
    host: str,
    account: Account,
    *,
    expires_s: int | str = 300,
    moment: datetime.datetime | None = None,
    query: tuple[tuple[str, str], ...] = (),
    headers: dict[str, str] | None = None,
) -> str:
    """The path and query of a presigned request; `headers` must then be sent as given."""
    date = amz_date(moment or now_utc())
    scope = Scope(date[:8])
    headers = {"host": host, **{name.lower(): value for name, value in (headers or {}).items()}}
    signed_names = sorted(headers)
    pairs = [
        *query,
        ("X-Amz-Algorithm", ALGORITHM),
        ("X-Amz-Credential", f"{account.access_key}/{scope}"),
        ("X-Amz-Date", date),
        ("X-Amz-Expires", str(expires_s)),
        ("X-Amz-SignedHeaders", ";".join(signed_names)),
    ]
    encoded = encode_query(pairs)
    request = canonical_request(method, path, encoded, headers, signed_names, UNSIGNED)
    text = f"{ALGORITHM}\n{date}\n{scope}\n{sha256_hex(request.encode())}"
    signature = _hmac(scope.key(account.secret_key), text).hex()
    return f"{path}?{encoded}&X-Amz-Signature={signature}"


class ChunkFramer:
    """Frames a body as aws-chunked, signed when given the request's signature."""

    def __init__(self, seed: Signature | None):
        self.seed = seed
        self.previous = seed.signature if seed else ""

    def chunk(self, content: bytes) -> bytes:
        """One chunk; an empty one ends the data."""
        if self.seed is None:
            return self._data_lines(f"{len(content):x}", content)
        text = "\n".join(
            [
                "AWS4-HMAC-SHA256-PAYLOAD",
                self.seed.date,
                str(self.seed.scope),
                self.previous,
                EMPTY_SHA256,
                sha256_hex(content),
            ]
        )
        self.previous = _hmac(self.seed.key, text).hex()
        return self._data_lines(f"{len(content):x};chunk-signature={self.previous}", content)

    @staticmethod
    def _data_lines(size_line: str, content: bytes) -> bytes:
        # The last chunk has no data; the blank line after it comes after the trailers.
        return size_line.encode() + b"\r\n" + (content + b"\r\n" if content else b"")

    def trailer(self, fields: list[tuple[str, str]]) -> bytes:
        """The trailer fields, their signature where chunks are signed, without the closing blank line."""
        lines = "".join(f"{name}:{value}\r\n" for name, value in fields).encode()
        if self.seed is None or not fields:
            return lines
        signed = "".join(f"{name}:{value}\n" for name, value in fields).encode()
        text = "\n".join(
            ["AWS4-HMAC-SHA256-TRAILER", self.seed.date, str(self.seed.scope), self.previous, sha256_hex(signed)]
        )
        return lines + f"x-amz-trailer-signature:{_hmac(self.seed.key, text).hex()}\r\n".encode()


def frame(content: bytes, seed: Signature | None, trailers=(), chunk_bytes: int = 64 * 1024) -> bytes:
    """The whole aws-chunked body of `content`."""
    framer = ChunkFramer(seed)
    parts = [framer.chunk(content[at : at + chunk_bytes]) for at in range(0, len(content), chunk_bytes)]
    parts.append(framer.chunk(b""))
    parts.append(framer.trailer(list(trailers)))
    parts.append(b"\r\n")
    return b"".join(parts)
