"""The audit log: what a line says and never says, rotation, trouble with its disk."""

import base64
import collections
import json
import re
import stat
import subprocess
import threading
import time

import pytest

from support import multipart, s3, sigv4, sse_c, wire
from support.accounts import ALT, MAIN, Account
from support.audit import AuditLog
from support.payload import KIB, MIB, payload
from support.s3 import refused
from support.server import BINARY, RUN_DIRECTORY, Server

FIELDS = [
    "time", "request_id", "client", "secure", "access_key", "user", "org", "claimed_access_key", "method",
    "operation", "bucket", "key", "version_id", "status", "error", "decision", "bytes_in", "bytes_out",
    "duration_us", "user_agent",
]
SENDER = ["access_key", "user", "org"]
IMPOSTOR = Account(MAIN.access_key, "wrong secret", "", "")
UNKNOWN = Account("UNKNOWNKEY0000000001", "whatever", "", "")
PATIENCE_S = 20


class Audited:
    """A server that keeps an audit log, and its client."""

    def __init__(self, server: Server):
        self.server = server
        self.address = server.address
        self.log = AuditLog(server.directory / "audit.log")
        self.client = s3.make_client(server.endpoint, MAIN)

    def entry(self, answer) -> dict:
        """The line of an answer: of boto3 (its error too) or from the wire."""
        if isinstance(answer, wire.Response):
            return self.log.entry(answer.get("x-amz-request-id"))
        return self.log.entry(answer["ResponseMetadata"]["RequestId"])

    def call(self, method: str, path: str, **request) -> dict:
        """The line of a signed request."""
        return self.entry(wire.call(self.address, method, path, **request))


@pytest.fixture(scope="module")
def audited_server(start_server):
    def start(name: str, path=None, **settings) -> Audited:
        path = path or RUN_DIRECTORY / name / "audit.log"
        audited = Audited(start_server(name, audit_log=str(path), **settings))
        audited.log = AuditLog(path)
        return audited

    return start


@pytest.fixture(scope="module")
def audited(audited_server):
    return audited_server("audited", cores=2)


@pytest.fixture(scope="module")
def shared(audited):
    """A bucket of the audited server."""
    return s3.create_bucket(audited.client, s3.new_bucket_name("audited"))


def parts_of(entry: dict, *names: str) -> tuple:
    return tuple(entry[name] for name in names)


def wait_until(holds) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < deadline, "it never came to hold"
        time.sleep(0.01)


# What a line says


def test_every_field_of_a_line(audited, shared):
    before = time.time()
    entry = audited.entry(audited.client.put_object(Bucket=shared, Key="a b/ü\n\"", Body=payload(5000)))
    assert list(entry) == FIELDS
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", entry["time"])
    moment = time.strptime(entry["time"][:19], "%Y-%m-%dT%H:%M:%S")
    assert -2 < time.mktime(moment) - time.timezone - before < 10
    assert parts_of(entry, *SENDER) == (MAIN.access_key, "main", "org-main")
    assert parts_of(entry, "client", "secure") == ("127.0.0.1", False)
    assert parts_of(entry, "method", "operation", "status", "error") == ("PUT", "PutObject", 200, None)
    assert parts_of(entry, "bucket", "key", "version_id") == (shared, "a b/ü\n\"", None)
    assert entry["claimed_access_key"] is None
    assert parts_of(entry, "bytes_in", "bytes_out") == (5000, 0)
    assert 0 < entry["duration_us"] < 10_000_000
    assert entry["user_agent"].startswith("Boto3/")


def test_why_a_request_was_allowed_or_denied(audited):
    bucket = s3.create_bucket(audited.client, s3.new_bucket_name("decided"))
    audited.client.put_object(Bucket=bucket, Key="k", Body=b"x")
    allowed = audited.call("GET", f"/{bucket}/k")
    denied = audited.call("GET", f"/{bucket}/k", account=ALT)
    statement = {"Sid": "NoReads", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": f"arn:aws:s3:::{bucket}/*"}]}
    audited.client.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    by_policy = audited.call("GET", f"/{bucket}/k")
    assert [entry["status"] for entry in (allowed, denied, by_policy)] == [200, 403, 403]
    decisions = [entry["decision"] for entry in (allowed, denied, by_policy)]
    assert all(decisions) and len(set(decisions)) == 3, decisions
    assert "NoReads" in by_policy["decision"]


def test_bytes_in_and_out(audited, shared):
    audited.client.put_object(Bucket=shared, Key="sizes", Body=payload(70 * KIB))
    cases = [
        (audited.call("GET", f"/{shared}/sizes"), "GetObject", 0, 70 * KIB),
        (audited.call("GET", f"/{shared}/sizes", headers={"range": "bytes=5-9"}), "GetObject", 0, 5),
        (audited.call("HEAD", f"/{shared}/sizes"), "HeadObject", 0, 0),
        (audited.call("DELETE", f"/{shared}/absent"), "DeleteObject", 0, 0),
    ]
    for entry, operation, bytes_in, bytes_out in cases:
        assert parts_of(entry, "operation", "bytes_in", "bytes_out") == (operation, bytes_in, bytes_out)
    listing = wire.call(audited.address, "GET", f"/{shared}", query=(("list-type", "2"),))
    assert parts_of(audited.entry(listing), "operation", "key", "bytes_out") == ("ListObjectsV2", None, len(listing.body))


def test_a_chunked_body_has_no_announced_length(audited, shared):
    headers = {"transfer-encoding": "chunked", "x-amz-decoded-content-length": "3"}
    prepared = wire.prepare(audited.address, "PUT", f"/{shared}/chunked", headers=headers)
    with wire.Connection(audited.address) as connection:
        connection.send(prepared.head() + b"3\r\nabc\r\n0\r\n\r\n")
        entry = audited.entry(connection.response())
    assert parts_of(entry, "status", "bytes_in") == (200, None)


def test_the_version_that_a_request_names(audited):
    bucket = s3.create_bucket(audited.client, s3.new_bucket_name("versioned"))
    s3.set_versioning(audited.client, bucket, "Enabled")
    put = audited.client.put_object(Bucket=bucket, Key="k", Body=b"1")
    assert audited.entry(put)["version_id"] is None
    version = put["VersionId"]
    got = audited.client.get_object(Bucket=bucket, Key="k", VersionId=version)
    assert parts_of(audited.entry(got), "operation", "version_id") == ("GetObject", version)
    gone = audited.client.delete_object(Bucket=bucket, Key="k", VersionId=version)
    assert parts_of(audited.entry(gone), "operation", "version_id", "status") == ("DeleteObject", version, 204)


def test_uploads_copies_and_renames(audited, shared):
    client = audited.client
    upload = client.create_multipart_upload(Bucket=shared, Key="parts")
    part = client.upload_part(
        Bucket=shared, Key="parts", UploadId=upload["UploadId"], PartNumber=1, Body=payload(multipart.MIN_PART)
    )
    parts = {"Parts": [{"ETag": part["ETag"], "PartNumber": 1}]}
    whole = client.complete_multipart_upload(
        Bucket=shared, Key="parts", UploadId=upload["UploadId"], MultipartUpload=parts
    )
    copy = client.copy_object(Bucket=shared, Key="copy", CopySource={"Bucket": shared, "Key": "parts"})
    rename = client.rename_object(Bucket=shared, Key="renamed", RenameSource="/copy")
    answers = [upload, part, whole, copy, rename]
    assert [audited.entry(answer)["operation"] for answer in answers] == [
        "CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload", "CopyObject", "RenameObject",
    ]


def test_a_presigned_request(audited, shared):
    audited.client.put_object(Bucket=shared, Key="presigned", Body=b"x")
    host = f"127.0.0.1:{audited.server.port}"
    target = sigv4.presign("GET", f"/{shared}/presigned", host, MAIN)
    entry = audited.entry(wire.send_plain(audited.address, "GET", target))
    assert parts_of(entry, "status", "access_key", "operation", "key") == (200, MAIN.access_key, "GetObject", "presigned")


# Refused requests


def test_errors_of_a_known_sender(audited, shared):
    cases = [
        (audited.call("GET", f"/{shared}/absent"), "GetObject", 404, "NoSuchKey"),
        (audited.call("PUT", f"/{shared}", query=(("website", ""),)), None, 501, "NotImplemented"),
        (audited.call("POST", f"/{shared}/k"), None, 405, "MethodNotAllowed"),
        (audited.call("OPTIONS", f"/{shared}/k"), None, 501, "NotImplemented"),
    ]
    for entry, operation, status, error in cases:
        assert parts_of(entry, "operation", "status", "error") == (operation, status, error)
        assert parts_of(entry, *SENDER) == (MAIN.access_key, "main", "org-main")
        assert entry["bucket"] == shared


def test_another_organisation_is_named(audited, shared):
    entry = audited.call("GET", f"/{shared}/k", account=ALT)
    assert parts_of(entry, "status", "error") == (403, "AccessDenied")
    assert parts_of(entry, *SENDER) == (ALT.access_key, "alt", "org-alt")


@pytest.mark.parametrize("account, error", [(IMPOSTOR, "SignatureDoesNotMatch"), (UNKNOWN, "InvalidAccessKeyId")])
@pytest.mark.parametrize("presigned", [False, True])
def test_who_is_not_verified_only_claims(audited, shared, account, error, presigned):
    if presigned:
        target = sigv4.presign("GET", f"/{shared}/k", f"127.0.0.1:{audited.server.port}", account)
        entry = audited.entry(wire.send_plain(audited.address, "GET", target))
    else:
        entry = audited.call("GET", f"/{shared}/k", account=account)
    assert parts_of(entry, "status", "error", "operation") == (403, error, "GetObject")
    assert parts_of(entry, *SENDER) == (None, None, None)
    assert parts_of(entry, "claimed_access_key", "bucket", "key") == (account.access_key, shared, "k")


def test_an_anonymous_request(audited, shared):
    entry = audited.entry(wire.send_plain(audited.address, "GET", f"/{shared}/k", {"User-Agent": "nobody/1"}))
    assert parts_of(entry, "status", "error", "operation", "user_agent") == (403, "AccessDenied", "GetObject", "nobody/1")
    assert parts_of(entry, *SENDER, "claimed_access_key") == (None, None, None, None)


@pytest.mark.parametrize("content, status, error, method", [
    (b"\x16\x03\x01 not HTTP\r\n\r\n", 400, "BadRequest", None),
    (b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400, "BadRequest", None),
    (b"GET / HTTP/1.1\r\nHost: a\r\nlong: " + 9000 * b"a" + b"\r\n\r\n", 400, "RequestHeaderSectionTooLarge", None),
    (b"GET / HTTP/1.1\r\n\r\n", 400, "BadRequest", "GET"),
    (b"PUT /b/k HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "NotImplemented", "PUT"),
    (b"GET /b/%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400, "InvalidURI", "GET"),
])
def test_what_is_no_request_has_a_line_too(audited, content, status, error, method):
    with wire.Connection(audited.address) as connection:
        connection.send(content)
        response = connection.response()
    assert response.status == status
    entry = audited.entry(response)
    assert list(entry) == FIELDS
    assert parts_of(entry, "status", "error", "method") == (status, error, method)
    assert parts_of(entry, *SENDER, "operation", "bucket", "key", "bytes_in") in (7 * (None,), (*6 * (None,), 0))
    assert entry["client"] == "127.0.0.1"


def test_odd_texts_stay_in_their_fields(audited):
    name = "%22%7D%0A%7B%22status%22%3A200" + 2000 * "x"
    headers = {"User-Agent": 'a"}\t{"status":200,' + 4000 * "\u00ff"}
    fields = {"Host": "h", **headers}
    head = wire.head("GET", f"/{name}/%01%7F%E2%80%A8", {}).replace(b"\r\n\r\n", b"\r\n")
    with wire.Connection(audited.address) as connection:
        connection.send(head + "".join(f"{n}: {v}\r\n" for n, v in fields.items()).encode("latin-1") + b"\r\n")
        response = connection.response()
    entry = audited.entry(response)
    assert entry["bucket"].startswith('"}\n{"status":200xx') and len(entry["bucket"]) == 255
    assert entry["key"] == "\x01\x7f\u2028"
    assert r'"key":"\u0001\u007f\u2028"' in audited.log.text(), "no terminal and no reader of lines is to stumble"
    assert entry["user_agent"].startswith('a"}\t{"status":200,\ufffd') and len(entry["user_agent"].encode()) <= 256


# What it never says


def test_no_secret_is_in_the_log(audited, shared):
    client, address = audited.client, audited.address
    key, other = sse_c.CustomerKey.of("audited"), sse_c.CustomerKey.of("another")
    session = "session-token-canary"
    last = [client.put_object(Bucket=shared, Key="sealed", Body=b"sealed", **key.parameters)]
    client.get_object(Bucket=shared, Key="sealed", **key.parameters)
    client.copy_object(
        Bucket=shared, Key="resealed", CopySource=f"{shared}/sealed", **key.source_parameters, **other.parameters
    )
    with refused(403, "AccessDenied"):
        client.get_object(Bucket=shared, Key="sealed", **other.parameters)
    signatures = []
    for account in (MAIN, IMPOSTOR):
        prepared = wire.prepare(address, "GET", f"/{shared}/sealed", headers=key.headers(), account=account)
        signatures += [prepared.signature.signature, prepared.headers["authorization"]]
        with wire.Connection(address) as connection:
            connection.send(prepared.head())
            last.append(connection.response())
        target = sigv4.presign(
            "GET", f"/{shared}/sealed", f"127.0.0.1:{audited.server.port}", account,
            headers=key.headers(), query=(("X-Amz-Security-Token", session), ("canary-query", "canary-value")),
        )
        signatures.append(target.rsplit("=", 1)[1])
        last.append(wire.send_plain(address, "GET", target, key.headers()))
    broken = {"Authorization": "AWS4-HMAC-SHA256 Credential=canary-secret, Signature=canary-signature"}
    for headers in (broken, {"Authorization": "Bearer canary-bearer"}, {"Cookie": "canary-cookie"}):
        last.append(wire.send_plain(address, "GET", f"/{shared}/k?canary-query=canary-value", headers))
    for answer in last:
        audited.entry(answer)
    text = audited.log.text()
    keys = [canary for one in (key, other) for canary in (one.base64, one.md5, base64.b64encode(one.md5.encode()).decode())]
    for canary in [*keys, MAIN.secret_key, IMPOSTOR.secret_key, *signatures, session, "canary", "X-Amz", "AWS4-HMAC"]:
        assert canary not in text, canary


# Completeness


def test_each_answer_has_one_line_whichever_core_gave_it(audited):
    clients, requests = 16, 50
    ids: list[str] = []

    def ask():
        with wire.Connection(audited.address) as connection:
            connection.send(requests * b"GET /b/counted HTTP/1.1\r\nHost: h\r\n\r\n")
            ids.extend(connection.response().get("x-amz-request-id") for _ in range(requests))

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: {entry["request_id"] for entry in audited.log.entries()} >= set(ids))
    seen = collections.Counter(entry["request_id"] for entry in audited.log.entries() if entry["key"] == "counted")
    assert len(ids) == clients * requests
    assert seen == collections.Counter(ids)
    assert audited.server.metric("ringstone_audit_lines_lost_total") == 0
    assert audited.server.metric("ringstone_audit_lines_total") == len(audited.log.entries())


def test_only_the_node_may_read_it(audited):
    assert stat.S_IMODE(audited.log.path.stat().st_mode) == 0o600


def test_without_a_path_there_is_no_log(node):
    assert "audit" not in node.admin_get("/metrics")[1]
    assert not list(node.directory.glob("audit*"))


# Rotation


def fill(audited: Audited, requests: int, step: int = 100) -> set[str]:
    """Anonymous requests whose lines have more than 1 KiB; returns their ids."""
    request = b"GET /b/" + 1000 * b"k" + b" HTTP/1.1\r\nHost: h\r\n\r\n"
    ids = set()
    with wire.Connection(audited.address) as connection:
        for _ in range(requests // step):
            connection.send(step * request)
            ids |= {connection.response().get("x-amz-request-id") for _ in range(step)}
    return ids


def wait_until_written(audited: Audited, lines: int) -> None:
    wait_until(lambda: audited.server.metric("ringstone_audit_lines_total") == lines)


def test_a_full_log_is_put_aside(audited_server):
    audited = audited_server("rotated", audit_log_size="1MiB", audit_log_files=2)
    names = ["audit.log.2", "audit.log.1", "audit.log"]
    first = fill(audited, 1800)
    wait_until_written(audited, 1800)
    assert [path.name for path in audited.log.files()] == names
    assert {entry["request_id"] for entry in audited.log.entries()} == first
    fill(audited, 3000)
    wait_until_written(audited, 4800)
    files = audited.log.files()
    assert [path.name for path in files] == names
    assert not first & {entry["request_id"] for entry in audited.log.entries()}, "the oldest are gone"
    assert all(path.stat().st_size <= MIB for path in files)
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files)
    times = [entry["time"] for entry in audited.log.entries()]
    assert len(times) > 1000 and times == sorted(times)


# The end of a process


def test_a_stop_writes_what_was_answered(audited_server):
    audited = audited_server("stopped")
    response = wire.send_plain(audited.address, "GET", "/b/last")
    audited.server.stop()
    assert audited.log.entries()[-1]["request_id"] == response.get("x-amz-request-id")
    audited.server.start()
    again = wire.send_plain(audited.address, "GET", "/b/first")
    assert audited.entry(again)["key"] == "first"
    assert len(audited.log.entries()) == 2, "a start goes on where the log ended"


def test_a_killed_process_leaves_whole_lines(audited_server):
    audited = audited_server("killed")
    for _ in range(3):
        ids = fill(audited, 200)
        audited.server.kill()
        audited.log.path.write_bytes(audited.log.path.read_bytes() + b'{"half":')
        audited.server.start()
        response = wire.send_plain(audited.address, "GET", "/b/k")
        torn = '{"half":\n'
        wait_until(lambda: response.get("x-amz-request-id") in audited.log.path.read_text())
        text = audited.log.path.read_text()
        assert torn in text and len(ids) == 200
        audited.log.path.write_text(text.replace(torn, ""))
    assert len(audited.log.entries()) >= 3


@pytest.mark.parametrize("make, reason", [
    (lambda directory: directory / "absent/audit.log", "No such file or directory"),
    (lambda directory: directory, "not a regular file"),
])
def test_a_log_that_cannot_be_written_stops_the_start(make, reason):
    server = Server("audit-refused")
    path = make(server.directory)
    arguments = ["serve", "--config", server.config_path, "--audit-log", path]
    run = subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=PATIENCE_S)
    assert run.returncode == 1
    assert f"cannot write the audit log {path}: " in run.stderr and reason in run.stderr
    server.remove_data()


# A full disk


@pytest.fixture
def small_filesystem():
    """A mounted filesystem of one mebibyte; needs root."""
    mount = RUN_DIRECTORY / "audit-full"
    mount.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", mount], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no mounts here: {mounted.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "--lazy", mount], check=True)


def test_a_full_disk_stops_the_log_and_no_request(audited_server, small_filesystem):
    audited = audited_server("audit-on-full", small_filesystem / "audit.log")
    ballast = small_filesystem / "ballast"
    ballast.write_bytes(bytes(600 * KIB))
    fill(audited, 1000)
    lost = "ringstone_audit_lines_lost_total"
    wait_until(lambda: audited.server.metric(lost) > 0)
    bucket = s3.create_bucket(audited.client, "goes-on")
    audited.client.put_object(Bucket=bucket, Key="k", Body=b"k")
    assert s3.body_of(audited.client, bucket, "k") == b"k"
    assert "the audit log cannot be written" in audited.server.log_path.read_text()
    ballast.unlink()
    entry = audited.entry(audited.client.get_object(Bucket=bucket, Key="k"))
    assert entry["operation"] == "GetObject"
    count = len(audited.log.entries())
    assert count == audited.server.metric("ringstone_audit_lines_total")
    reports = audited.server.log_path.read_text().count("the audit log cannot be written")
    assert reports <= PATIENCE_S, "told at most once a second"
