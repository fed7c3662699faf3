"""SSE-C: neither plaintext nor key ever reaches the disk, the log or an error; presigned requests."""

import base64
import hashlib

import pytest

from support import multipart, s3, sigv4, wire
from support.accounts import MAIN, Account
from support.multipart import MIN_PART
from support.payload import KIB
from support.sse_c import CustomerKey

KEY, WRONG = CustomerKey.of("customer"), CustomerKey.of("wrong")
IMPOSTOR = Account(MAIN.access_key, "wrong secret", "", "")


def presign(address, method, path, headers) -> str:
    return sigv4.presign(method, path, f"{address[0]}:{address[1]}", MAIN, headers=headers)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_presigned_read_sends_the_key_it_signed(address, client, bucket, method):
    client.put_object(Bucket=bucket, Key="k", Body=b"secret", **KEY.parameters)
    headers = KEY.headers()
    target = presign(address, method, f"/{bucket}/k", headers)
    assert KEY.base64 not in target
    right = wire.send_plain(address, method, target, headers)
    assert right.status == 200 and right.get("x-amz-server-side-encryption-customer-key-md5") == KEY.md5
    if method == "GET":
        assert right.body == b"secret"
    assert wire.send_plain(address, method, target).status in (400, 403)
    assert wire.send_plain(address, method, target, WRONG.headers()).status == 403


def test_a_presigned_write_sends_the_key_it_signed(address, client, bucket):
    headers = KEY.headers()
    target = presign(address, "PUT", f"/{bucket}/k", headers)
    # Without the headers the object must not be stored in the open.
    assert wire.send_plain(address, "PUT", target, body=b"secret").status in (400, 403)
    assert not s3.exists(client, bucket, "k")
    assert wire.send_plain(address, "PUT", target, headers, b"secret").status == 200
    assert s3.body_of(client, bucket, "k", **KEY.parameters) == b"secret"


def test_a_key_that_was_not_signed_is_refused(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"secret", **KEY.parameters)
    target = presign(address, "GET", f"/{bucket}/k", {})
    response = wire.send_plain(address, "GET", target, KEY.headers())
    assert response.refusal() == (403, "AccessDenied") and b"secret" not in response.body


@pytest.mark.parametrize("kind", ["header", "presigned"])
def test_the_answer_to_a_wrong_signature_does_not_repeat_the_key(address, bucket, kind):
    """It shows the canonical request, which holds the header."""
    if kind == "header":
        response = wire.call(address, "PUT", f"/{bucket}/k", body=b"x", headers=KEY.headers(), account=IMPOSTOR)
    else:
        host = f"{address[0]}:{address[1]}"
        target = sigv4.presign("PUT", f"/{bucket}/k", host, IMPOSTOR, headers=KEY.headers())
        response = wire.send_plain(address, "PUT", target, KEY.headers(), b"x")
    assert response.refusal() == (403, "SignatureDoesNotMatch")
    shown = response.body.decode()
    hexed = " ".join(f"{byte:02x}" for byte in KEY.base64.encode())
    assert KEY.base64 not in shown and hexed not in shown


def test_checksums_of_parts_are_shown_to_holders_of_the_key(client, bucket):
    upload = multipart.begin(client, bucket, "k", ChecksumAlgorithm="SHA256", **KEY.parameters)
    place = {"Bucket": bucket, "Key": "k", "UploadId": upload}
    client.upload_part(**place, PartNumber=1, Body=b"secret", ChecksumAlgorithm="SHA256", **KEY.parameters)
    (part,) = client.list_parts(**place)["Parts"]
    assert part["Size"] == 6 and "ChecksumSHA256" not in part
    (part,) = client.list_parts(**place, **KEY.encoded_parameters)["Parts"]
    assert part["ChecksumSHA256"] == base64.b64encode(hashlib.sha256(b"secret").digest()).decode()
    with s3.refused(400, "InvalidRequest"):
        client.list_parts(**place, **WRONG.encoded_parameters)


def found(server, secret: bytes) -> list[str]:
    """Names of the files of the data directory, and the log, that hold these bytes."""
    files = [path for path in (server.directory / "data").rglob("*") if path.is_file()]
    return [path.name for path in [*files, server.log_path] if secret in path.read_bytes()]


def test_neither_plaintext_nor_key_reaches_the_disk_or_the_log(start_server):
    server = start_server("sse_c_secrecy", log="debug")
    client = s3.make_client(server.endpoint, MAIN)
    bucket = s3.create_bucket(client, "secrecy")
    marker = hashlib.sha512(b"plaintext").digest()
    control = hashlib.sha512(b"control").digest()
    sizes = [KIB, 300 * KIB]
    for size in sizes:
        client.put_object(Bucket=bucket, Key=f"control{size}", Body=control * (size // 64))
        client.put_object(Bucket=bucket, Key=f"secret{size}", Body=marker * (size // 64), **KEY.parameters)
    upload = multipart.begin(client, bucket, "parts", **KEY.parameters)
    contents = [marker * (MIN_PART // 64), marker]
    parts = [
        multipart.put_part(client, bucket, "parts", upload, number, content, **KEY.parameters)
        for number, content in enumerate(contents, 1)
    ]
    multipart.complete(client, bucket, "parts", upload, parts, **KEY.parameters)
    keys = {**KEY.source_parameters, **WRONG.parameters}
    client.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/secret{sizes[1]}", **keys)
    client.rename_object(Bucket=bucket, Key="renamed", RenameSource="copy")
    # Refusals are what is most likely to be logged with the request.
    for account in (MAIN, IMPOSTOR):
        wire.call(server.address, "GET", f"/{bucket}/secret{KIB}", headers=WRONG.headers(), account=account)
    faulty = {**KEY.headers(), "x-amz-server-side-encryption-customer-algorithm": "AES128"}
    wire.call(server.address, "PUT", f"/{bucket}/k", headers=faulty, body=b"x")

    assert {"data.mdb"} < set(found(server, control)), "the control must be found in the index and in an extent"
    assert found(server, marker) == []
    for key in (KEY, WRONG):
        md5 = base64.b64decode(key.md5)
        for secret in (key.raw, key.base64.encode(), key.raw.hex().encode(), md5, key.md5.encode()):
            assert found(server, secret) == []
    assert s3.body_of(client, bucket, "renamed", **WRONG.parameters) == marker * (sizes[1] // 64)
