"""Measures the lifecycle's work on a bucket of a million objects; run by scripts/measure_lifecycle.

All objects are made within one lifecycle day, so that rules of one day make theirs due at one moment: the day's length
is chosen, and the server restarted with it, when the bucket is full.
"""

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from dataclasses import dataclass

from support import s3
from support.accounts import MAIN, REGION
from support.server import Server
from support.wire import prepare

CONNECTIONS = 64
# GETs a second, by the clock: a fifth of what a core can serve.
RATE = 10_000
PREFIX_KEYS = 1000
SMALL, LARGE = 16, 300
# From the restart to the moment: a sweep of a million objects and two measurements fit.
AHEAD_S_MIN = 90
AHEAD_S_PER_KEY = 250e-6
WARMUP_S = 2
POLL_S = 5


@dataclass
class Rule:
    """A rule on current objects: what it says to S3, and what it must do."""

    days: int
    prefix: str = ""
    tag: str | None = None
    larger_than: int | None = None
    smaller_than: int | None = None
    enabled: bool = True

    def covers(self, made: "Made") -> bool:
        return (
            self.enabled
            and made.key.startswith(self.prefix)
            and (self.tag is None or made.tag == self.tag)
            and (self.larger_than is None or made.size > self.larger_than)
            and (self.smaller_than is None or made.size < self.smaller_than)
        )

    def configured(self, number: int) -> dict:
        predicates = {"Prefix": self.prefix}
        if self.tag is not None:
            predicates["Tags"] = [{"Key": "class", "Value": self.tag}]
        if self.larger_than is not None:
            predicates["ObjectSizeGreaterThan"] = self.larger_than
        if self.smaller_than is not None:
            predicates["ObjectSizeLessThan"] = self.smaller_than
        return {
            "ID": f"rule {number}",
            "Status": "Enabled" if self.enabled else "Disabled",
            "Filter": {"And": predicates} if len(predicates) > 1 else predicates,
            "Expiration": {"Days": self.days},
        }


# About one object in a hundred has a rule of one day.
RULES = [
    Rule(1, tag="c50", larger_than=100),
    Rule(1, tag="c51", smaller_than=100, prefix="p"),
    Rule(1, prefix="p00", tag="c52"),
    Rule(1, prefix="p01", tag="c53", larger_than=200, smaller_than=400),
    Rule(1, enabled=False),
    Rule(30, prefix="p02"),
    Rule(90, tag="c1"),
    Rule(200, larger_than=100),
]
OTHERS = [
    {"NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2}},
    {"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}},
]


@dataclass
class Made:
    """An object, as its number says."""

    key: str
    tag: str
    size: int

    @classmethod
    def of(cls, number: int) -> "Made":
        key = f"p{number // PREFIX_KEYS:04}/k{number % PREFIX_KEYS:04}"
        return cls(key, f"c{number % 100}", LARGE if number // 100 % 2 else SMALL)

    def is_due(self) -> bool:
        return any(rule.days == 1 and rule.covers(self) for rule in RULES)


def fill(address: tuple[str, int], bucket: str, keys: int) -> None:
    """Puts the objects over many connections at once, so that the server commits them in groups."""
    requests = map(Made.of, range(keys))
    ready = selectors.DefaultSelector()

    def send_next(connection: socket.socket) -> bool:
        made = next(requests, None)
        if made is None:
            return False
        headers = {"x-amz-tagging": f"class={made.tag}"}
        path = f"/{bucket}/{made.key}"
        head = prepare(address, "PUT", path, headers=headers, body_bytes=made.size).head()
        connection.sendall(head + b"x" * made.size)
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


def short_day(began_s: float, keys: int) -> tuple[int, int]:
    """The length of a day in which all was made, and the moment at which it ends, which is soon."""
    soonest = int(time.time() + max(AHEAD_S_MIN, AHEAD_S_PER_KEY * keys)) + 1
    for moment in range(soonest, soonest + 3600):
        for day_s in range(moment - int(began_s) + 2, 86_400):
            if moment % day_s == 0:
                return day_s, moment
    raise AssertionError("the bucket took too long to fill")


class Load:
    """GETs of 4 KiB from a bucket of their own."""

    def __init__(self, server: Server, seconds: int):
        binary = os.environ["PERF_BINARY"]
        self.process = subprocess.Popen(
            [
                *(binary, "run", "--endpoint", server.endpoint, "--bucket", "load", "--operation", "get"),
                *("--access-key", MAIN.access_key, "--secret-key", MAIN.secret_key, "--region", REGION),
                *("--size", "4KiB", "--connections", "16", "--rate", str(RATE), "--duration", f"{seconds}s", "--json"),
                *("--warmup", f"{WARMUP_S}s", "--server-pid", str(server.pid)),
            ],
            stdout=subprocess.PIPE,
        )

    def report(self, what: str) -> None:
        output, _ = self.process.communicate()
        assert self.process.returncode == 0, f"the load ended with {self.process.returncode}"
        figures = json.loads(output)
        latency = figures["latency_us"]
        print(
            f"GET 4 KiB {what}: {figures['requests_per_s']:,.0f} a second, p50 {latency['p50']:,.0f} us, "
            f"p99 {latency['p99']:,.0f} us, {figures['errors']} errors",
            flush=True,
        )
        assert figures["errors"] == 0


def expired(server: Server) -> int:
    return int(server.metric("ringstone_lifecycle_expired_objects_total"))


def wait_until(moment: float) -> None:
    time.sleep(max(0, moment - time.time()))


def put_rules(client, bucket: str) -> None:
    rules = [rule.configured(number) for number, rule in enumerate(RULES)]
    rules += [
        {"ID": f"other {number}", "Status": "Enabled", "Filter": {"Prefix": ""}, **other}
        for number, other in enumerate(OTHERS)
    ]
    client.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def all_keys(client, bucket: str) -> set[str]:
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return {entry["Key"] for page in pages for entry in page.get("Contents", [])}


def work_through(server: Server, due: int, moment: int, load_s: int) -> None:
    """Sees what is due go, under load."""
    wait_until(moment - WARMUP_S - 1)
    load = Load(server, load_s)
    wait_until(moment)
    began, seen = time.monotonic(), None
    while (done := expired(server)) < due:
        if done and seen is None:
            seen = time.monotonic()
        assert time.monotonic() - began < 3600, f"{done} of {due} after an hour"
        # Seldom: who asks takes from the load's processors.
        time.sleep(POLL_S)
    ended = time.monotonic()
    load.report("while it goes")
    seen = seen or began
    print(
        f"{due} objects gone {ended - began:.1f} s after their moment, in {ended - seen:.1f} s of work; "
        f"the load was measured for {load_s} s from about the moment on",
        flush=True,
    )


def main() -> None:
    keys, load_s = int(sys.argv[1]), int(sys.argv[2])
    server = Server("measure_lifecycle")
    server.start()
    client = s3.make_client(server.endpoint, MAIN)
    bucket = s3.create_bucket(client, s3.new_bucket_name("million"))
    s3.create_bucket(client, "load")
    due = {made.key for made in map(Made.of, range(keys)) if made.is_due()}
    print(f"{keys} objects, {len(due)} of them ({len(due) / keys:.2%}) with a rule of one day", flush=True)
    began_s, began = time.time(), time.monotonic()
    fill(server.address, bucket, keys)
    print(f"filled in {time.monotonic() - began:.0f} s", flush=True)
    server.stop()

    day_s, moment = short_day(began_s, keys)
    with open(server.config_path) as config:
        text = config.read()
    with open(server.config_path, "w") as config:
        config.write(f"allow_test_clock = true\n{text}\n[lifecycle]\ntest_day_s = {day_s}\n")
    server.start()
    print(f"days of {day_s} s; the moment is {moment - time.time():.0f} s ahead", flush=True)
    client = s3.make_client(server.endpoint, MAIN)
    Load(server, load_s).report("without rules")

    load = Load(server, load_s)
    time.sleep(WARMUP_S)
    put_rules(client, bucket)
    began = time.monotonic()
    while server.metric("ringstone_lifecycle_sweeps"):
        time.sleep(POLL_S)
    swept_s = time.monotonic() - began
    load.report("during the sweep")
    print(f"swept in {swept_s:.1f} s; {moment - time.time():.0f} s are left", flush=True)
    Load(server, load_s).report("with rules, nothing due")
    assert expired(server) == 0, "something went before its time"

    work_through(server, len(due), moment, load_s)
    left = all_keys(client, bucket)
    expected = {Made.of(number).key for number in range(keys)} - due
    assert left == expected, f"lost {len(expected - left)}, kept {len(left - expected)}"
    assert expired(server) == len(due)
    print(f"exactly those are gone; {len(left)} are left", flush=True)
    server.stop()
    server.remove_data()


main()
