"""Measures listings and start-up on a bucket of a million keys; run by scripts/measure_listing."""

import os
import selectors
import socket
import sys
import time

from support import s3
from support.accounts import MAIN
from support.server import Server
from support.wire import prepare

CONNECTIONS = 64
PREFIX_KEYS = 1000
PAGES = 50


def cpu_s(pid: int) -> float:
    """CPU time that a process has used, user and system."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def fill(address: tuple[str, int], bucket: str, keys: int) -> None:
    """Puts empty objects over many connections at once, so that the server commits them in groups."""
    targets = (f"/{bucket}/p{index // PREFIX_KEYS:04}/k{index % PREFIX_KEYS:04}" for index in range(keys))
    ready = selectors.DefaultSelector()

    def send_next(connection: socket.socket) -> bool:
        target = next(targets, None)
        if target is None:
            return False
        connection.sendall(prepare(address, "PUT", target, body_bytes=0).head())
        return True

    for _ in range(CONNECTIONS):
        connection = socket.create_connection(address)
        if send_next(connection):
            ready.register(connection, selectors.EVENT_READ)
    while ready.get_map():
        for event, _ in ready.select():
            connection = event.fileobj
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200"), answer
            if not send_next(connection):
                ready.unregister(connection)
                connection.close()


def main() -> None:
    keys = int(sys.argv[1])
    server = Server("measure_listing")
    server.start()
    client = s3.make_client(server.endpoint, MAIN)
    bucket = s3.create_bucket(client, s3.new_bucket_name("million"))
    started, before = time.monotonic(), cpu_s(server.pid)
    fill(server.address, bucket, keys)
    elapsed = time.monotonic() - started
    print(f"{keys} keys in {elapsed:.0f} s; server CPU {(cpu_s(server.pid) - before) / keys * 1e6:.0f} us a PUT")

    prefixes = min(keys // PREFIX_KEYS, 1000)
    for name, query in (("common prefixes", {"Delimiter": "/"}), ("keys", {})):
        before = cpu_s(server.pid)
        for _ in range(PAGES):
            page = client.list_objects_v2(Bucket=bucket, **query)
        assert page["KeyCount"] == (prefixes if query else 1000), page["KeyCount"]
        print(f"a page of {page['KeyCount']} {name}: {(cpu_s(server.pid) - before) / PAGES * 1e3:.2f} ms server CPU")

    server.stop()
    server.spawn()
    print(f"start on that index: {server.wait_until_ready():.2f} s until ready")
    page = client.list_objects_v2(Bucket=bucket, Delimiter="/")
    assert page["KeyCount"] == prefixes
    server.stop()
    server.remove_data()


main()
