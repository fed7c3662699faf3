"""Under concurrent writers and deleters a reader sees one whole object or none."""

import hashlib
import threading
import time

import pytest
from botocore.exceptions import ClientError

from support import s3
from support.accounts import MAIN
from support.payload import KIB, MIB, payload

DURATION_S = 3
WRITERS = 3
READERS = 3


class Race:
    """Threads that run until the time is up; the first failure of any of them is the test's."""

    def __init__(self):
        self.stop = threading.Event()
        self.failures = []
        self.counts = {}

    def run(self, jobs) -> None:
        threads = [threading.Thread(target=self._repeat, args=(name, job)) for name, job in jobs]
        for thread in threads:
            thread.start()
        self.stop.wait(DURATION_S)
        self.stop.set()
        for thread in threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _repeat(self, name, job) -> None:
        turn = 0
        try:
            while not self.stop.is_set():
                job(turn)
                turn += 1
        except Exception as failure:
            self.failures.append(failure)
            self.stop.set()
        self.counts[name] = turn


@pytest.mark.parametrize(
    "sizes",
    [(4 * KIB, 5 * KIB), (20 * KIB, 300 * KIB), (4 * KIB, 2 * MIB), (MIB, 3 * MIB)],
    ids=lambda sizes: "-".join(map(str, sizes)),
)
def test_readers_see_wholly_old_or_wholly_new(node, client, bucket, sizes):
    variants = {}
    for seed in range(6):
        content = payload(sizes[seed % 2], seed)
        variants[hashlib.sha256(content).digest()] = content
    contents = list(variants.values())
    clients = [s3.make_client(node.endpoint, MAIN) for _ in range(WRITERS + READERS)]
    client.put_object(Bucket=bucket, Key="k", Body=contents[0])

    def write(number):
        def job(turn):
            clients[number].put_object(Bucket=bucket, Key="k", Body=contents[(turn + number) % len(contents)])

        return job

    def read(number):
        def job(_turn):
            got = clients[WRITERS + number].get_object(Bucket=bucket, Key="k")
            body = got["Body"].read()
            assert hashlib.sha256(body).digest() in variants
            assert got["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'

        return job

    race = Race()
    race.run(
        [(f"writer {number}", write(number)) for number in range(WRITERS)]
        + [(f"reader {number}", read(number)) for number in range(READERS)]
    )
    print(race.counts)


def test_deletes_and_reads_race_without_torn_bodies(node, client, bucket):
    content = payload(MIB, seed=11)
    digest = hashlib.sha256(content).digest()
    clients = [s3.make_client(node.endpoint, MAIN) for _ in range(4)]

    def write(_turn):
        clients[0].put_object(Bucket=bucket, Key="k", Body=content)

    def delete(_turn):
        clients[1].delete_object(Bucket=bucket, Key="k")
        time.sleep(0.002)

    def read(number):
        def job(_turn):
            try:
                body = clients[number].get_object(Bucket=bucket, Key="k")["Body"].read()
            except ClientError as error:
                assert error.response["Error"]["Code"] == "NoSuchKey"
            else:
                assert hashlib.sha256(body).digest() == digest

        return job

    Race().run([("writer", write), ("deleter", delete), ("reader 2", read(2)), ("reader 3", read(3))])


def test_a_slow_reader_keeps_the_object_it_began(node, client, bucket):
    """Space of an overwritten object is reused only after its last reader has gone."""
    old = payload(16 * MIB, seed=12)
    client.put_object(Bucket=bucket, Key="k", Body=old)
    stream = client.get_object(Bucket=bucket, Key="k")["Body"]
    begun = stream.read(64 * KIB)
    for seed in range(20, 28):
        client.put_object(Bucket=bucket, Key="k", Body=payload(16 * MIB, seed))
        client.put_object(Bucket=bucket, Key="other", Body=payload(8 * MIB, seed))
        client.delete_object(Bucket=bucket, Key="other")
    assert begun + stream.read() == old
