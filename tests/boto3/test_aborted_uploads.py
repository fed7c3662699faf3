"""A client that goes away in the middle of a body leaves nothing behind."""

import time

import pytest

from support import s3, sigv4, wire
from support.payload import KIB, MIB, payload

SIZES = [1000, 100 * KIB, 5 * MIB]


def start_upload(address, bucket, size, sent) -> wire.Connection:
    """Sends the head and the first bytes of a body."""
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", body_bytes=size)
    connection = wire.Connection(address)
    connection.send(prepared.head() + payload(size)[:sent])
    return connection


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("share", [0.0, 0.5, 0.999])
def test_an_ended_body_is_incomplete(address, client, bucket, size, share):
    with start_upload(address, bucket, size, int(size * share)) as connection:
        connection.end_of_requests()
        try:
            assert connection.response().refusal() == (400, "IncompleteBody")
        except wire.Closed:
            pass  # closing without an answer is allowed too: nobody may be there to read it
    assert not s3.exists(client, bucket, "k")


@pytest.mark.parametrize("size", SIZES)
def test_a_reset_leaves_no_object(address, client, bucket, size):
    start_upload(address, bucket, size, size // 2).reset()
    deadline = time.monotonic() + 0.5
    while time.monotonic() < deadline:
        assert not s3.exists(client, bucket, "k")
    assert s3.all_keys(client, bucket) == []


@pytest.mark.parametrize("size", SIZES)
def test_the_old_object_stays_whole(address, client, bucket, size):
    old = payload(300 * KIB, seed=9)
    client.put_object(Bucket=bucket, Key="k", Body=old, Metadata={"old": "1"})
    connection = start_upload(address, bucket, size, size // 2)
    assert s3.body_of(client, bucket, "k") == old
    connection.reset()
    assert s3.body_of(client, bucket, "k") == old
    assert client.head_object(Bucket=bucket, Key="k")["Metadata"] == {"old": "1"}


def test_an_upload_cut_inside_its_framing_leaves_no_object(address, client, bucket):
    content = payload(MIB)
    headers = {"x-amz-decoded-content-length": str(len(content)), "content-encoding": "aws-chunked"}
    prepared = wire.prepare(
        address, "PUT", f"/{bucket}/k", headers=headers, payload_hash=sigv4.STREAMING_SIGNED
    )
    body = sigv4.frame(content, prepared.signature)
    prepared.headers["content-length"] = str(len(body))
    for cut in (10, 200 * KIB, len(body) - 1):
        with wire.Connection(address) as connection:
            connection.send(prepared.head() + body[:cut])
            connection.end_of_requests()
            try:
                assert connection.response().status == 400
            except wire.Closed:
                pass
        assert not s3.exists(client, bucket, "k")


def test_many_aborted_uploads_leave_no_space_behind(address, client, bucket):
    """Far more bytes are sent and abandoned than one extent holds; a node that leaked them would grow."""
    for _ in range(40):
        with start_upload(address, bucket, 4 * MIB, 4 * MIB - 1) as connection:
            connection.end_of_requests()
            try:
                connection.response()
            except wire.Closed:
                pass
    content = payload(4 * MIB, seed=3)
    client.put_object(Bucket=bucket, Key="after", Body=content)
    assert s3.body_of(client, bucket, "after") == content
    assert s3.all_keys(client, bucket) == ["after"]


def test_a_download_that_is_abandoned_disturbs_nobody(address, client, bucket):
    content = payload(8 * MIB, seed=4)
    client.put_object(Bucket=bucket, Key="k", Body=content)
    for _ in range(20):
        connection = wire.Connection(address)
        connection.send(wire.prepare(address, "GET", f"/{bucket}/k").head())
        connection.socket.recv(1000)
        connection.reset()
    assert s3.body_of(client, bucket, "k") == content
