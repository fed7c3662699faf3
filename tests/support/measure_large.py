"""Measures copies, renames and completions of large objects; run by scripts/measure_large."""

import http.client
import statistics
import sys
import time

from support import s3
from support.accounts import MAIN
from support.payload import MIB, pieces
from support.server import Server

ROUNDS = 7
PART_BYTES = 640 * MIB
SMALL_PART_BYTES = 5 * MIB


def put(client, node: Server, bucket: str, key: str, size: int) -> None:
    """Puts one body of any size without holding it."""
    url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": key})
    connection = http.client.HTTPConnection(*node.address)
    connection.putrequest("PUT", url.removeprefix(node.endpoint))
    connection.putheader("Content-Length", str(size))
    connection.endheaders()
    for piece in pieces(size):
        connection.send(piece)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    connection.close()


def timed(what: str, run) -> None:
    took_ms = []
    for round_number in range(ROUNDS):
        started = time.monotonic()
        run(round_number)
        took_ms.append((time.monotonic() - started) * 1e3)
    print(f"{what}: median {statistics.median(took_ms):.1f} ms, longest {max(took_ms):.1f} ms")


def measure(client, bucket: str, key: str, name: str) -> None:
    source = {"Bucket": bucket, "Key": key}
    timed(f"copy of {name}", lambda _: client.copy_object(Bucket=bucket, Key="copy", CopySource=source))
    keys = ["copy", "moved"]
    timed(
        f"rename of {name}",
        lambda number: client.rename_object(
            Bucket=bucket, Key=keys[(number + 1) % 2], RenameSource=keys[number % 2]
        ),
    )


def upload_in_parts(client, bucket: str, key: str, source: str, ranges: list[str | None]) -> float:
    """Copies each range into a part; returns the seconds of the completion."""
    upload = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    parts = []
    for number, part in enumerate(ranges, 1):
        copied = client.upload_part_copy(
            Bucket=bucket,
            Key=key,
            UploadId=upload,
            PartNumber=number,
            CopySource={"Bucket": bucket, "Key": source},
            **({"CopySourceRange": part} if part else {}),
        )
        parts.append({"PartNumber": number, "ETag": copied["CopyPartResult"]["ETag"]})
    started = time.monotonic()
    client.complete_multipart_upload(
        Bucket=bucket, Key=key, UploadId=upload, MultipartUpload={"Parts": parts}
    )
    return time.monotonic() - started


def main() -> None:
    size, parts = int(sys.argv[1]), int(sys.argv[2])
    node = Server("measure_large")
    node.start()
    client = s3.make_client(node.endpoint, MAIN)
    bucket = s3.create_bucket(client, s3.new_bucket_name("large"))

    put(client, node, bucket, "whole", size)
    measure(client, bucket, "whole", f"{size / MIB:.0f} MiB put whole")
    ranges = [f"bytes={at}-{min(at + PART_BYTES, size) - 1}" for at in range(0, size, PART_BYTES)]
    upload_in_parts(client, bucket, "parts", "whole", ranges)
    measure(client, bucket, "parts", f"{size / MIB:.0f} MiB in {len(ranges)} parts")

    put(client, node, bucket, "small", SMALL_PART_BYTES)
    took = upload_in_parts(client, bucket, "many", "small", [None] * parts)
    print(f"completion of {parts} parts of 5 MiB: {took * 1e3:.0f} ms")
    timed("GET of 1 byte of it", lambda _: client.get_object(Bucket=bucket, Key="many", Range="bytes=7-7"))
    timed("HEAD of it", lambda _: client.head_object(Bucket=bucket, Key="many"))

    node.stop()
    started = time.monotonic()
    node.spawn()
    node.wait_until_ready()
    print(f"start with all of it: {time.monotonic() - started:.2f} s")
    node.stop()
    node.remove_data()


main()
