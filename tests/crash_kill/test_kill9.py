"""kill -9 under mixed load: what was acknowledged stands, what was deleted stays away.

    CRASH_ROUNDS=20 CRASH_SEED=7 ../target/venv/bin/python -m pytest -s crash_kill/test_kill9.py

Each thread writes keys of its own, one request at a time, so for every key there is one acknowledged
state and at most one request in flight when the server dies. After the restart a key must hold the
acknowledged state or, wholly, the state in flight. The rounds share one data directory.
"""

import hashlib
import os
import random
import threading
import time
from dataclasses import dataclass, field

import pytest

from support import s3, wire
from support.accounts import MAIN
from support.payload import KIB, MIB
from support.server import Server

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "3"))
SEED = int(os.environ.get("CRASH_SEED", random.randrange(1 << 32)))
RESTART_S_MAX = 2.0
THREADS = 6
KEYS_PER_THREAD = 40
# From inside the index record over one block and one frame to many frames.
SIZES = [0, 1, 100, 4 * KIB, 8 * KIB, 8 * KIB + 1, 20 * KIB, 64 * KIB, 65 * KIB, 300 * KIB, MIB, 3 * MIB + 17]
SIZE_WEIGHTS = [2, 2, 6, 8, 4, 4, 6, 4, 4, 4, 2, 1]
BUCKET = "crash-bucket"

_NOISE = random.Random("noise").randbytes(max(SIZES) + 64 * KIB)


@dataclass(frozen=True)
class Stored:
    """What one PUT wrote: enough to make its bytes again."""

    name: str
    size: int

    def content(self) -> bytes:
        """A digest of the name, then noise from an offset of its own: no two writes share a frame."""
        digest = hashlib.sha256(self.name.encode()).digest()
        offset = int.from_bytes(digest[:2], "big")
        return (digest + _NOISE[offset : offset + self.size])[: self.size]


# The state of a key that holds nothing.
ABSENT = None


@dataclass
class Ledger:
    """What the clients know: acknowledged states, requests without an answer, counts."""

    acknowledged: dict[str, Stored | None] = field(default_factory=dict)
    in_flight: dict[str, Stored | None] = field(default_factory=dict)
    puts: int = 0
    overwrites: int = 0
    deletes: int = 0

    def allowed(self, key: str) -> list[Stored | None]:
        states = [self.acknowledged.get(key, ABSENT)]
        if key in self.in_flight:
            states.append(self.in_flight[key])
        return states


class Writer(threading.Thread):
    """Puts, overwrites and deletes its own keys until the server goes away."""

    def __init__(self, number: int, round_number: int, address, ledger: Ledger, seed: int):
        super().__init__(daemon=True)
        self.stem = f"{number}"
        self.round_number = round_number
        self.address = address
        self.ledger = ledger
        self.choose = random.Random(seed)
        self.failure: Exception | None = None

    def run(self) -> None:
        turn = 0
        try:
            with wire.Connection(self.address, timeout_s=20) as connection:
                while True:
                    self._one_request(connection, turn)
                    turn += 1
        except (OSError, wire.Closed):
            pass  # the kill; the ledger knows what was in flight
        except Exception as failure:
            self.failure = failure

    def _one_request(self, connection, turn: int) -> None:
        key = f"{self.stem}/{self.choose.randrange(KEYS_PER_THREAD):03}"
        before = self.ledger.acknowledged.get(key, ABSENT)
        if before is not ABSENT and self.choose.random() < 0.3:
            after, method, body = ABSENT, "DELETE", b""
        else:
            size = self.choose.choices(SIZES, SIZE_WEIGHTS)[0]
            after, method = Stored(f"{key} round {self.round_number} turn {turn}", size), "PUT"
            body = after.content()
        head = wire.prepare(
            self.address,
            method,
            f"/{BUCKET}/{key}",
            body_bytes=len(body) if method == "PUT" else None,
        ).head()
        self.ledger.in_flight[key] = after
        connection.send(head + body)
        response = connection.response(method)
        assert response.status == (204 if method == "DELETE" else 200), response
        self.ledger.acknowledged[key] = after
        del self.ledger.in_flight[key]
        if method == "DELETE":
            self.ledger.deletes += 1
        elif before is ABSENT:
            self.ledger.puts += 1
        else:
            self.ledger.overwrites += 1


def load_and_kill(server: Server, ledgers: list[Ledger], round_number: int, choose: random.Random) -> float:
    """Runs the writers and kills the server at a random moment; returns after how many seconds."""
    writers = [
        Writer(number, round_number, server.address, ledger, choose.randrange(1 << 32))
        for number, ledger in enumerate(ledgers)
    ]
    for writer in writers:
        writer.start()
    moment_s = choose.uniform(0.2, 3.0)
    time.sleep(moment_s)
    server.kill()
    for writer in writers:
        writer.join(timeout=30)
        assert not writer.is_alive(), "a writer hangs after the kill"
    for writer in writers:
        if writer.failure:
            raise writer.failure
    return moment_s


def kill_during_start(server: Server, choose: random.Random) -> None:
    """Now and then the server dies again while it recovers."""
    server.spawn()
    time.sleep(choose.uniform(0.0, 0.15))
    server.kill()


def read_state(connection, address, key: str, allowed: list[Stored | None]) -> Stored | None:
    """Which of the allowed states the key holds; fails on any other."""
    connection.send(wire.prepare(address, "GET", f"/{BUCKET}/{key}").head())
    response = connection.response()
    if response.status == 404:
        assert ABSENT in allowed, f"{key}: lost; allowed {allowed}"
        return ABSENT
    assert response.status == 200, f"{key}: {response.status} {response.body[:300]!r}"
    assert response.get("etag") == f'"{hashlib.md5(response.body).hexdigest()}"', f"{key}: ETag of other bytes"
    for state in allowed:
        if state is not ABSENT and response.body == state.content():
            return state
    pytest.fail(f"{key}: {len(response.body)} bytes that no allowed state holds; allowed {allowed}")


def verify(server: Server, client, ledgers: list[Ledger]) -> tuple[int, int]:
    """Checks every key and the listing; what is found becomes the acknowledged state of the next round."""
    objects = adopted = 0
    expected_keys = []
    with wire.Connection(server.address) as connection:
        for number, ledger in enumerate(ledgers):
            for key in sorted({*ledger.acknowledged, *ledger.in_flight}):
                found = read_state(connection, server.address, key, ledger.allowed(key))
                adopted += key in ledger.in_flight and found == ledger.in_flight[key]
                ledger.acknowledged[key] = found
                if found is not ABSENT:
                    objects += 1
                    expected_keys.append(key)
            ledger.in_flight.clear()
    assert s3.all_keys(client, BUCKET) == sorted(expected_keys), "the listing differs from the reads"
    return objects, adopted


@pytest.mark.timeout(60 + 60 * ROUNDS)
def test_acknowledged_writes_and_deletes_survive_kill_9(capsys):
    choose = random.Random(SEED)
    server = Server("crash_kill")
    ledgers = [Ledger() for _ in range(THREADS)]
    try:
        server.start()
        client = s3.make_client(server.endpoint, MAIN)
        s3.create_bucket(client, BUCKET)
        for round_number in range(ROUNDS):
            moment_s = load_and_kill(server, ledgers, round_number, choose)
            waiting = sum(len(ledger.in_flight) for ledger in ledgers)
            if choose.random() < 0.3:
                kill_during_start(server, choose)
            restart_s = server.start()
            objects, adopted = verify(server, client, ledgers)
            with capsys.disabled():
                print(
                    f"\nkill -9: seed {SEED} round {round_number + 1}/{ROUNDS} after {moment_s:.2f} s: "
                    f"{sum(l.puts for l in ledgers)} puts, {sum(l.overwrites for l in ledgers)} overwrites, "
                    f"{sum(l.deletes for l in ledgers)} deletes acknowledged so far; {waiting} in flight, "
                    f"{adopted} of them landed; {objects} objects whole; restart {restart_s:.2f} s",
                    end="",
                )
            assert restart_s < RESTART_S_MAX, f"the restart took {restart_s:.2f} s"
        server.stop()
        server.remove_data()
    except BaseException:
        print(f"seed {SEED}; log:\n{server.log_tail()}")
        raise
    finally:
        server.kill()
