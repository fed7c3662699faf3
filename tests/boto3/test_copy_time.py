"""A copy and a rename take the same few milliseconds whatever the size. Measured only on request:

LARGE_BYTES=5368709120 pytest -s boto3/test_copy_time.py
"""

import http.client
import os
import statistics

import pytest

from support import multipart, s3, wire
from support.accounts import MAIN
from support.payload import MIB, pieces

LARGE_BYTES = int(os.environ.get("LARGE_BYTES", 0))
PART = 8 * MIB
TURNS = 20
MEDIAN_MS_MAX = 10

pytestmark = pytest.mark.skipif(not LARGE_BYTES, reason="LARGE_BYTES is not set")


def put_whole(node, client, bucket, key):
    url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": key})
    connection = http.client.HTTPConnection(*node.address)
    connection.putrequest("PUT", url.removeprefix(node.endpoint))
    connection.putheader("Content-Length", str(LARGE_BYTES))
    connection.endheaders()
    for piece in pieces(LARGE_BYTES):
        connection.send(piece)
    assert connection.getresponse().status == 200
    connection.close()


def put_parts(node, client, bucket, key):
    upload = multipart.begin(client, bucket, key)
    parts, gathered = [], []
    for index, piece in enumerate(pieces(LARGE_BYTES), 1):
        gathered.append(piece)
        if index % (PART // MIB) == 0 or index * MIB >= LARGE_BYTES:
            parts.append(multipart.put_part(client, bucket, key, upload, len(parts) + 1, b"".join(gathered)))
            gathered.clear()
    multipart.complete(client, bucket, key, upload, parts)


def server_ms(node, connection, path, headers) -> float:
    """What one request takes inside the server, which does nothing else."""
    before = node.metric("ringstone_request_duration_seconds_sum")
    connection.send(wire.prepare(node.address, "PUT", path, headers=headers, body_bytes=0).head())
    response = connection.response()
    assert response.status == 200, response.body
    return (node.metric("ringstone_request_duration_seconds_sum") - before) * 1000


@pytest.mark.parametrize("put", [put_whole, put_parts], ids=["one PUT", "parts"])
def test_no_size_makes_a_copy_or_a_rename_slow(start_server, capsys, put):
    node = start_server(f"copy_time_{put.__name__}")
    client = s3.make_client(node.endpoint, MAIN)
    bucket = s3.create_bucket(client, s3.new_bucket_name("large"))
    put(node, client, bucket, "a")
    moved = [node.metric(f"ringstone_disk_{name}_bytes_total") for name in ("read", "written")]
    times = {"copy": [], "overwrite": [], "rename": []}
    with wire.Connection(node.address) as connection:
        for turn in range(TURNS):
            source = {"x-amz-copy-source": f"{bucket}/a"}
            times["copy"].append(server_ms(node, connection, f"/{bucket}/b{turn}", source))
            times["overwrite"].append(server_ms(node, connection, f"/{bucket}/b{turn}", source))
            source = {"x-amz-rename-source": f"b{turn}"}
            times["rename"].append(server_ms(node, connection, f"/{bucket}/c{turn}", source))
    assert [node.metric(f"ringstone_disk_{name}_bytes_total") for name in ("read", "written")] == moved
    with capsys.disabled():
        for what, taken in times.items():
            print(f"\n{LARGE_BYTES / MIB:.0f} MiB, {what}: median {statistics.median(taken):.2f} ms, worst {max(taken):.2f}")
    assert max(statistics.median(taken) for taken in times.values()) < MEDIAN_MS_MAX
