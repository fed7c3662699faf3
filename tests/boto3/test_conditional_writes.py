"""Conditions on writes: the table for each kind of write, judged at the commit, and races of many writers."""

import os

import pytest

from support import multipart, race, s3, wire
from support.accounts import MAIN
from support.payload import KIB, MIB, etag, payload
from support.s3 import refused
from support.sse_c import CustomerKey

RACE_ROUNDS = int(os.environ.get("RACE_ROUNDS", 3))
RACERS = 64
COUNTERS, INCREMENTS = 16, 12
OTHER = '"00000000000000000000000000000000"'
OLD, NEW = b"old", b"new"
FAILED = (412, "PreconditionFailed")
CONFLICT = (409, "ConditionalRequestConflict")
GONE = (404, "NoSuchKey")


def prepare_put(client, bucket, key, content):
    return lambda **conditions: client.put_object(Bucket=bucket, Key=key, Body=content, **conditions)


def prepare_complete(client, bucket, key, content):
    upload = multipart.begin(client, bucket, key)
    part = multipart.put_part(client, bucket, key, upload, 1, content)
    return lambda **conditions: multipart.complete(client, bucket, key, upload, [part], **conditions)


def prepare_copy(client, bucket, key, content):
    source = f"source/{etag(content)}"
    client.put_object(Bucket=bucket, Key=source, Body=content)
    return lambda **conditions: client.copy_object(
        Bucket=bucket, Key=key, CopySource={"Bucket": bucket, "Key": source}, **conditions
    )


WRITES = {"put": prepare_put, "complete": prepare_complete, "copy": prepare_copy}


@pytest.fixture(params=WRITES)
def prepare(request):
    """Readies one kind of write and returns the call that commits it under conditions."""
    return WRITES[request.param]


CASES = [
    # conditions, the key exists, refusal, the condition that the refusal names
    ({"IfNoneMatch": "*"}, False, None, None),
    ({"IfNoneMatch": "*"}, True, FAILED, "If-None-Match"),
    ({"IfNoneMatch": etag(OLD)}, True, (400, "InvalidRequest"), None),
    ({"IfNoneMatch": OTHER}, True, (400, "InvalidRequest"), None),
    ({"IfNoneMatch": OTHER}, False, (400, "InvalidRequest"), None),
    ({"IfMatch": etag(OLD)}, True, None, None),
    ({"IfMatch": etag(OLD).strip('"')}, True, None, None),
    ({"IfMatch": "*"}, True, None, None),
    ({"IfMatch": OTHER}, True, FAILED, "If-Match"),
    ({"IfMatch": etag(OLD)[:-2] + '"'}, True, FAILED, "If-Match"),
    ({"IfMatch": etag(OLD)}, False, GONE, None),
    ({"IfMatch": "*"}, False, GONE, None),
]


@pytest.mark.parametrize("conditions, exists, refusal, named", CASES, ids=str)
def test_the_condition_table(client, bucket, prepare, conditions, exists, refusal, named):
    if exists:
        client.put_object(Bucket=bucket, Key="k", Body=OLD)
    write = prepare(client, bucket, "k", NEW)
    if refusal is None:
        write(**conditions)
        assert s3.body_of(client, bucket, "k") == NEW
        return
    with refused(*refusal) as caught:
        write(**conditions)
    if named:
        assert caught.value.response["Error"]["Condition"] == named
    assert s3.exists(client, bucket, "k") == exists
    if exists:
        assert s3.body_of(client, bucket, "k") == OLD
        # What was refused can be tried again: an upload is still there.
        write(IfMatch=etag(OLD))
        assert s3.body_of(client, bucket, "k") == NEW


@pytest.mark.parametrize(
    "conditions, statuses",
    [
        ({"IfMatch": etag(OLD), "IfNoneMatch": "*"}, (400, 501)),
        ({"IfMatch": "W/" + etag(OLD)}, (400, 412)),
        ({"IfMatch": f"{OTHER}, {etag(OLD)}"}, (400, 412)),
        ({"IfMatch": ""}, (400, 412)),
        ({"IfNoneMatch": ""}, (400, 412)),
    ],
    ids=str,
)
def test_a_condition_that_makes_no_sense_is_never_ignored(client, bucket, prepare, conditions, statuses):
    client.put_object(Bucket=bucket, Key="k", Body=OLD)
    write = prepare(client, bucket, "k", NEW)
    with pytest.raises(s3.ClientError) as caught:
        write(**conditions)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in statuses
    assert s3.body_of(client, bucket, "k") == OLD


def test_only_the_current_version_counts(client, bucket, prepare):
    s3.set_versioning(client, bucket, "Enabled")
    client.put_object(Bucket=bucket, Key="k", Body=b"older")
    client.put_object(Bucket=bucket, Key="k", Body=OLD)
    write = prepare(client, bucket, "k", NEW)
    with refused(*FAILED):
        write(IfMatch=etag(b"older"))
    write(IfMatch=etag(OLD))
    client.delete_object(Bucket=bucket, Key="k")
    # A delete marker is no object.
    again = prepare(client, bucket, "k", b"again")
    with refused(*GONE):
        again(IfMatch=etag(NEW))
    with refused(*GONE):
        again(IfMatch="*")
    again(IfNoneMatch="*")
    assert s3.body_of(client, bucket, "k") == b"again"
    assert len(s3.versions(client, bucket, Prefix="k")) == 5


def test_the_etag_of_a_multipart_object_matches(client, bucket, prepare):
    tag = multipart.store(client, bucket, "k", [OLD])["ETag"]
    write = prepare(client, bucket, "k", NEW)
    with refused(*FAILED):
        write(IfMatch=etag(OLD))
    write(IfMatch=tag)
    assert s3.body_of(client, bucket, "k") == NEW


def test_the_etag_of_an_encrypted_object_matches(client, bucket, prepare):
    client.put_object(Bucket=bucket, Key="k", Body=OLD, **CustomerKey.of("c").parameters)
    (entry,) = client.list_objects_v2(Bucket=bucket)["Contents"]
    write = prepare(client, bucket, "k", NEW)
    with refused(*FAILED):
        write(IfMatch=etag(OLD))
    write(IfMatch=entry["ETag"])
    assert s3.body_of(client, bucket, "k") == NEW


def test_a_write_that_will_fail_is_refused_before_its_body(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=OLD)
    headers = {"if-none-match": "*", "expect": "100-continue"}
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", headers=headers, body_bytes=MIB)
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        response = connection.response()
    assert response.refusal() == FAILED and response.interim == []


@pytest.mark.parametrize("size", [100, 300 * KIB])
@pytest.mark.parametrize(
    "exists, condition, meanwhile, refusals",
    [
        (False, {"if-none-match": "*"}, "put", [FAILED, CONFLICT]),
        (True, {"if-match": etag(OLD)}, "put", [FAILED, CONFLICT]),
        (True, {"if-match": etag(OLD)}, "delete", [GONE, FAILED, CONFLICT]),
        (True, {"if-match": "*"}, "delete", [GONE, FAILED, CONFLICT]),
    ],
    ids=str,
)
def test_a_condition_is_judged_at_the_commit(address, client, bucket, size, exists, condition, meanwhile, refusals):
    """The condition holds when the request begins and no longer when its body has come."""
    if exists:
        client.put_object(Bucket=bucket, Key="k", Body=OLD)
    body = payload(size)
    headers = {**condition, "expect": "100-continue"}
    prepared = wire.prepare(address, "PUT", f"/{bucket}/k", headers=headers, body_bytes=size)
    with wire.Connection(address) as connection:
        # Bytes that came with the head would make the 100 Continue needless.
        connection.send(prepared.head())
        while b"100 Continue" not in connection.unread:
            connection.unread += connection.socket.recv(4096)
        connection.send(body[:50])
        if meanwhile == "put":
            client.put_object(Bucket=bucket, Key="k", Body=b"between")
        else:
            client.delete_object(Bucket=bucket, Key="k")
        connection.send(body[50:])
        assert connection.response().refusal() in refusals
    if meanwhile == "put":
        assert s3.body_of(client, bucket, "k") == b"between"
    else:
        assert not s3.exists(client, bucket, "k")


def test_conditional_deletes(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=OLD)
    with refused(*FAILED):
        client.delete_object(Bucket=bucket, Key="k", IfMatch=OTHER)
    assert s3.body_of(client, bucket, "k") == OLD
    client.delete_object(Bucket=bucket, Key="k", IfMatch=etag(OLD))
    assert not s3.exists(client, bucket, "k")
    client.put_object(Bucket=bucket, Key="k", Body=OLD)
    client.delete_object(Bucket=bucket, Key="k", IfMatch="*")
    assert not s3.exists(client, bucket, "k")


def test_conditions_of_single_keys_in_delete_objects(client, bucket):
    for key in ("right", "wrong", "size"):
        client.put_object(Bucket=bucket, Key=key, Body=OLD)
    objects = [
        {"Key": "right", "ETag": etag(OLD)},
        {"Key": "wrong", "ETag": OTHER},
        {"Key": "size", "Size": 999},
    ]
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["right"]
    assert {entry["Key"]: entry["Code"] for entry in answer["Errors"]} == {
        "wrong": "PreconditionFailed",
        "size": "PreconditionFailed",
    }
    assert s3.all_keys(client, bucket) == ["size", "wrong"]


# --- races


@pytest.fixture(scope="module")
def many(node):
    """A client with a connection for each racer."""
    return s3.make_client(node.endpoint, MAIN, max_pool_connections=RACERS)


def race_to_create(many, bucket, key, prepares) -> bytes:
    """Every racer creates the key if it is absent; exactly one may. Returns the winner's content."""
    contents = [payload(2 * KIB if index % 2 else 20 * KIB, index) for index in range(RACERS)]
    writes = [
        prepares[index % len(prepares)](many, bucket, key, content) for index, content in enumerate(contents)
    ]
    outcomes = race.at_once([lambda write=write: write(IfNoneMatch="*") for write in writes])
    winners = [index for index, outcome in enumerate(outcomes) if not race.is_refusal(outcome)]
    assert len(winners) == 1, f"{len(winners)} writers won"
    losses = {race.refusal(outcome) for outcome in outcomes if race.is_refusal(outcome)}
    assert losses <= {FAILED, CONFLICT}
    return contents[winners[0]]


def test_of_many_creators_exactly_one_wins(many, bucket, prepare):
    for turn in range(RACE_ROUNDS):
        winner = race_to_create(many, bucket, f"k{turn}", [prepare])
        assert s3.body_of(many, bucket, f"k{turn}") == winner


def test_of_creators_of_every_kind_exactly_one_wins(many, bucket):
    s3.set_versioning(many, bucket, "Enabled")
    for turn in range(RACE_ROUNDS):
        winner = race_to_create(many, bucket, f"k{turn}", list(WRITES.values()))
        assert s3.body_of(many, bucket, f"k{turn}") == winner
        assert len(s3.versions(many, bucket, Prefix=f"k{turn}")) == 1


def test_a_counter_by_compare_and_swap_loses_no_step(many, bucket, prepare):
    many.put_object(Bucket=bucket, Key="counter", Body=b"0")

    def count():
        for _ in range(INCREMENTS):
            while True:
                got = many.get_object(Bucket=bucket, Key="counter")
                value = int(got["Body"].read()) + 1
                write = prepare(many, bucket, "counter", str(value).encode())
                try:
                    write(IfMatch=got["ETag"])
                    break
                except s3.ClientError as error:
                    assert race.refusal(error) in (FAILED, CONFLICT)

    racers = COUNTERS if prepare is prepare_put else COUNTERS // 4
    assert not any(map(race.is_refusal, race.at_once([count] * racers)))
    assert s3.body_of(many, bucket, "counter") == str(racers * INCREMENTS).encode()
