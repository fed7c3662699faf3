"""A body of gigabytes goes through in bounded memory, both ways, and comes back as it went.

LARGE_BYTES sets the size; the largest that one PUT takes is 5 GiB (5368709120).
"""

import hashlib
import http.client
import os
import threading
import time

from support import s3
from support.accounts import MAIN
from support.payload import MIB, pieces

LARGE_BYTES = int(os.environ.get("LARGE_BYTES", 768 * MIB))
GROWTH_BYTES_MAX = 64 * MIB
IDLE_BYTES_MAX = 100 * MIB


def anonymous_bytes(pid: int) -> int:
    """RssAnon of a process: memory that is its own, without mapped files."""
    with open(f"/proc/{pid}/status") as status:
        line = next(line for line in status if line.startswith("RssAnon:"))
    return int(line.split()[1]) * 1024


class Watch:
    """The largest RssAnon of a process while the context lasts."""

    def __init__(self, pid: int):
        self.pid, self.peak, self.done = pid, 0, threading.Event()
        self.thread = threading.Thread(target=self._sample)

    def _sample(self) -> None:
        while not self.done.wait(0.01):
            self.peak = max(self.peak, anonymous_bytes(self.pid))

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()


def test_a_large_object_round_trips_in_bounded_memory(start_server, capsys):
    node = start_server("large")
    client = s3.make_client(node.endpoint, MAIN)
    bucket = s3.create_bucket(client, s3.new_bucket_name("large"))
    idle = anonymous_bytes(node.pid)

    url = client.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "k"})
    sent = hashlib.md5()
    with Watch(node.pid) as upload:
        started = time.monotonic()
        connection = http.client.HTTPConnection(*node.address)
        connection.putrequest("PUT", url.removeprefix(node.endpoint))
        connection.putheader("Content-Length", str(LARGE_BYTES))
        connection.endheaders()
        for piece in pieces(LARGE_BYTES):
            connection.send(piece)
            sent.update(piece)
        response = connection.getresponse()
        response.read()
        put_s = time.monotonic() - started
    assert response.status == 200
    assert response.headers["ETag"] == f'"{sent.hexdigest()}"'

    received = hashlib.md5()
    with Watch(node.pid) as download:
        started = time.monotonic()
        for piece in client.get_object(Bucket=bucket, Key="k")["Body"].iter_chunks(MIB):
            received.update(piece)
        get_s = time.monotonic() - started
    assert received.hexdigest() == sent.hexdigest()

    with capsys.disabled():
        print(
            f"\n{LARGE_BYTES / MIB:.0f} MiB: RssAnon idle {idle / MIB:.1f} MiB, peak of PUT {upload.peak / MIB:.1f}, "
            f"of GET {download.peak / MIB:.1f}; PUT {put_s:.1f} s, GET {get_s:.1f} s"
        )
    assert idle < IDLE_BYTES_MAX
    assert max(upload.peak, download.peak) - idle < GROWTH_BYTES_MAX
