"""DeleteObject and DeleteObjects."""

import pytest

from support import checksums, s3, wire
from support.payload import KIB, payload
from support.s3 import refused


def test_delete_removes_the_object(client, bucket):
    for size in (0, 100, 300 * KIB):
        client.put_object(Bucket=bucket, Key="k", Body=payload(size))
        answer = client.delete_object(Bucket=bucket, Key="k")
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 204
        assert "DeleteMarker" not in answer and "VersionId" not in answer
        with refused(404, "NoSuchKey"):
            client.get_object(Bucket=bucket, Key="k")
        assert s3.all_keys(client, bucket) == []


def test_delete_of_a_missing_key_succeeds(client, bucket):
    assert client.delete_object(Bucket=bucket, Key="never")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_delete_in_a_missing_bucket_is_refused(client):
    with refused(404, "NoSuchBucket"):
        client.delete_object(Bucket=s3.new_bucket_name("missing"), Key="k")


def test_delete_leaves_neighbours(client, bucket):
    for key in ("a", "a/", "a/b", "ab"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    client.delete_object(Bucket=bucket, Key="a")
    assert s3.all_keys(client, bucket) == ["a/", "a/b", "ab"]


def test_delete_objects_reports_every_key(client, bucket):
    for key in ("one", "two", "three"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    objects = [{"Key": key} for key in ("one", "absent", "two")]
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert sorted(entry["Key"] for entry in answer["Deleted"]) == ["absent", "one", "two"]
    assert "Errors" not in answer
    assert s3.all_keys(client, bucket) == ["three"]


def test_quiet_delete_objects_reports_nothing(client, bucket):
    client.put_object(Bucket=bucket, Key="one", Body=b"x")
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "one"}], "Quiet": True})
    assert "Deleted" not in answer and "Errors" not in answer
    assert s3.all_keys(client, bucket) == []


def test_delete_objects_takes_1000_keys(client, bucket):
    keys = [f"key-{number:04}" for number in range(1000)]
    for key in keys[::100]:
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert sorted(entry["Key"] for entry in answer["Deleted"]) == keys
    assert s3.all_keys(client, bucket) == []


def test_delete_objects_takes_1000_keys_of_1024_bytes(client, bucket):
    keys = [f"{number:04}" + "k" * 1020 for number in range(1000)]
    client.put_object(Bucket=bucket, Key=keys[500], Body=b"x")
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert len(answer["Deleted"]) == 1000
    assert s3.all_keys(client, bucket) == []


def test_delete_objects_refuses_1001_keys(client, bucket):
    client.put_object(Bucket=bucket, Key="key-0", Body=b"x")
    objects = [{"Key": f"key-{number}"} for number in range(1001)]
    with refused(400, "MalformedXML"):
        client.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert s3.exists(client, bucket, "key-0")


def test_duplicate_keys_are_tolerated(client, bucket):
    client.put_object(Bucket=bucket, Key="one", Body=b"x")
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "one"}, {"Key": "one"}]})
    assert {entry["Key"] for entry in answer["Deleted"]} == {"one"} and "Errors" not in answer


def test_keys_with_control_characters_and_markup(client, bucket):
    keys = ["new\nline", "carriage\rreturn", "tab\t", " spaced ", "<&>\"'", "ünïcödé", "a+b", "100%"]
    for key in keys:
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys]})
    assert sorted(entry["Key"] for entry in answer["Deleted"]) == sorted(keys)
    assert s3.all_keys(client, bucket) == []


def delete_document(*keys: str) -> bytes:
    return ("<Delete>" + "".join(f"<Object><Key>{key}</Key></Object>" for key in keys) + "</Delete>").encode()


def post_delete(address, bucket, body, headers):
    return wire.call(address, "POST", f"/{bucket}", query=[("delete", "")], body=body, headers=headers)


def test_keys_as_numeric_references(address, client, bucket):
    client.put_object(Bucket=bucket, Key="a\nb\x01c", Body=b"x")
    body = delete_document("a&#x0A;b&#1;c")
    response = post_delete(address, bucket, body, {"content-md5": checksums.content_md5(body)})
    assert response.status == 200
    assert s3.all_keys(client, bucket) == []


@pytest.mark.parametrize("algorithm", checksums.ALGORITHMS)
def test_any_one_checksum_is_enough(address, bucket, algorithm):
    body = delete_document("k")
    headers = {checksums.header(algorithm): checksums.checksum(algorithm, body)}
    assert post_delete(address, bucket, body, headers).status == 200


def test_without_md5_and_checksum_it_is_refused(address, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert post_delete(address, bucket, delete_document("k"), {}).refusal() == (400, "InvalidRequest")
    assert s3.exists(client, bucket, "k")


@pytest.mark.parametrize(
    "headers",
    [
        {"content-md5": checksums.content_md5(b"other")},
        {"x-amz-checksum-crc32": checksums.checksum("CRC32", b"other")},
    ],
)
def test_a_wrong_digest_deletes_nothing(address, client, bucket, headers):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert post_delete(address, bucket, delete_document("k"), headers).refusal() == (400, "BadDigest")
    assert s3.exists(client, bucket, "k")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<Delete></Delete>",
        b"<Delete><Object></Object></Delete>",
        b"<Delete><Object><Key>k</Key></Object>",
        b"<Other><Object><Key>k</Key></Object></Other>",
        b'<!DOCTYPE d [<!ENTITY e "k">]><Delete><Object><Key>&e;</Key></Object></Delete>',
        b"<Delete>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</Delete>",
    ],
)
def test_a_malformed_document_is_refused(address, client, bucket, body):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    response = post_delete(address, bucket, body, {"content-md5": checksums.content_md5(body)})
    assert response.status == 400
    assert response.error()["Code"] in ("MalformedXML", "MissingRequestBodyError")
    assert s3.exists(client, bucket, "k")


def test_a_key_too_long_fails_alone(client, bucket):
    client.put_object(Bucket=bucket, Key="good", Body=b"x")
    objects = [{"Key": "k" * 1025}, {"Key": "good"}]
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": objects})
    assert [entry["Key"] for entry in answer["Deleted"]] == ["good"]
    assert [entry["Code"] for entry in answer["Errors"]] == ["KeyTooLongError"]


def test_the_answer_is_a_delete_result(address, bucket):
    body = delete_document("k")
    response = post_delete(address, bucket, body, {"content-md5": checksums.content_md5(body)})
    assert response.xml().tag == f"{wire.NAMESPACE}DeleteResult"
    assert response.get("content-type") == "application/xml"
