"""Buckets: names, location constraint, owners, deletion, ListBuckets."""

import pytest

from support import s3, wire
from support.accounts import ALT, MAIN, REGION
from support.s3 import refused

INVALID_NAMES = [
    "ab",
    "a" * 64,
    "Upper-case",
    "has.dot",
    "under_score",
    "-starts-with-hyphen",
    "ends-with-hyphen-",
    "xn--punycode",
    "cw-reserved",
    "vip-reserved",
    "log-stitcher-ch-reserved",
    "int",
]


def create(client, name, location=REGION):
    return client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": location})


def test_create_answers_the_location_header(client):
    name = s3.new_bucket_name()
    assert create(client, name)["Location"] == f"/{name}"
    client.delete_bucket(Bucket=name)


@pytest.mark.parametrize("name", ["a1b", "a" * 63, "int-1", "a--b", "0-9"])
def test_valid_names_are_accepted(client, name):
    create(client, name)
    assert client.head_bucket(Bucket=name)["BucketRegion"] == REGION
    client.delete_bucket(Bucket=name)


@pytest.mark.parametrize("name", INVALID_NAMES)
def test_invalid_names_are_refused(client, name):
    with refused(400, "InvalidBucketName") as caught:
        create(client, name)
    assert caught.value.response["Error"]["BucketName"] == name


def test_create_without_location_constraint_is_refused(client):
    name = s3.new_bucket_name()
    with refused(400, "IllegalLocationConstraintException"):
        client.create_bucket(Bucket=name)
    with refused(404, "404"):
        client.head_bucket(Bucket=name)


def test_create_with_an_empty_location_constraint_is_refused(address):
    body = b"<CreateBucketConfiguration><LocationConstraint></LocationConstraint></CreateBucketConfiguration>"
    response = wire.call(address, "PUT", "/" + s3.new_bucket_name(), body=body)
    assert response.status == 400
    assert response.error()["Code"] in ("IllegalLocationConstraintException", "InvalidLocationConstraint")


def test_create_with_an_unknown_location_constraint_is_refused(client):
    with refused(400, "InvalidLocationConstraint"):
        create(client, s3.new_bucket_name(), "nowhere-9")


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_create_accepts_the_body_with_and_without_namespace(client, address, namespace):
    name = s3.new_bucket_name()
    body = (
        f"<CreateBucketConfiguration{namespace}><LocationConstraint>{REGION}</LocationConstraint>"
        "</CreateBucketConfiguration>"
    )
    assert wire.call(address, "PUT", "/" + name, body=body.encode()).status == 200
    client.delete_bucket(Bucket=name)


@pytest.mark.parametrize(
    "body",
    [
        b"not xml",
        b"<CreateBucketConfiguration><LocationConstraint>local-1</LocationConstraint>",
        b'<!DOCTYPE x [<!ENTITY e "local-1">]><CreateBucketConfiguration><LocationConstraint>&e;'
        b"</LocationConstraint></CreateBucketConfiguration>",
        b"<Other/>",
    ],
)
def test_create_with_a_malformed_body_is_refused(address, body):
    response = wire.call(address, "PUT", "/" + s3.new_bucket_name(), body=body)
    assert response.refusal() == (400, "MalformedXML")


def test_the_name_is_judged_before_the_body(address):
    response = wire.call(address, "PUT", "/has.dot", body=b"not xml")
    assert response.refusal() == (400, "InvalidBucketName")


def test_create_of_an_owned_bucket_conflicts(client, bucket):
    with refused(409, "BucketAlreadyOwnedByYou"):
        create(client, bucket)


def test_create_of_a_taken_name_conflicts(alt_client, bucket):
    with refused(409, "BucketAlreadyExists"):
        create(alt_client, bucket)


def test_create_after_delete_gives_an_empty_bucket(client):
    name = s3.create_bucket(client, s3.new_bucket_name())
    client.put_object(Bucket=name, Key="left", Body=b"x")
    s3.delete_bucket_with_objects(client, name)
    create(client, name)
    assert s3.all_keys(client, name) == []
    client.delete_bucket(Bucket=name)


def test_head_bucket(client, alt_client, bucket):
    assert client.head_bucket(Bucket=bucket)["BucketRegion"] == REGION
    with refused(404, "404"):
        client.head_bucket(Bucket=s3.new_bucket_name("missing"))
    with refused(403, "403"):
        alt_client.head_bucket(Bucket=bucket)
    with refused(400, "400"):
        client.head_bucket(Bucket="Not_A_Name")


def test_delete_of_a_bucket_with_objects_is_refused(client, bucket):
    client.put_object(Bucket=bucket, Key="one", Body=b"x")
    with refused(409, "BucketNotEmpty"):
        client.delete_bucket(Bucket=bucket)
    assert s3.body_of(client, bucket, "one") == b"x"
    client.delete_object(Bucket=bucket, Key="one")
    client.delete_bucket(Bucket=bucket)
    with refused(404, "404"):
        client.head_bucket(Bucket=bucket)


def test_delete_of_a_missing_bucket_is_refused(client):
    with refused(404, "NoSuchBucket"):
        client.delete_bucket(Bucket=s3.new_bucket_name("missing"))


def test_location_is_the_text_of_the_root(client, address, bucket):
    assert client.get_bucket_location(Bucket=bucket)["LocationConstraint"] == REGION
    root = wire.call(address, "GET", "/" + bucket, query=[("location", "")]).xml()
    assert (root.tag, root.text, list(root)) == (f"{wire.NAMESPACE}LocationConstraint", REGION, [])


def test_the_trailing_slash_means_the_bucket(address, bucket):
    assert wire.call(address, "HEAD", f"/{bucket}/").status == 200
    root = wire.call(address, "GET", f"/{bucket}/", query=[("list-type", "2")]).xml()
    assert root.find(f"{wire.NAMESPACE}Name").text == bucket


def test_a_bucket_is_reached_by_its_host_name(address, client, bucket):
    client.put_object(Bucket=bucket, Key="dir/key", Body=b"by host")
    host = {"host": f"{bucket}.localhost:{address[1]}"}
    assert wire.call(address, "GET", "/dir/key", headers=host).body == b"by host"
    root = wire.call(address, "GET", "/", headers=host, query=[("list-type", "2")]).xml()
    assert root.find(f"{wire.NAMESPACE}Name").text == bucket


@pytest.mark.parametrize(
    "operation, parameters",
    [
        ("list_objects_v2", {}),
        ("list_objects", {}),
        ("get_bucket_location", {}),
        ("delete_bucket", {}),
        ("get_object", {"Key": "secret"}),
        ("get_object", {"Key": "absent"}),
        ("put_object", {"Key": "secret", "Body": b"mine now"}),
        ("delete_object", {"Key": "secret"}),
        ("delete_objects", {"Delete": {"Objects": [{"Key": "secret"}]}}),
    ],
)
def test_another_organisation_is_denied(client, alt_client, bucket, operation, parameters):
    client.put_object(Bucket=bucket, Key="secret", Body=b"private")
    try:
        response = getattr(alt_client, operation)(Bucket=bucket, **parameters)
    except s3.ClientError as error:
        assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 403
        assert error.response["Error"]["Code"] == "AccessDenied"
    else:
        # Only DeleteObjects may answer 200, with the refusal of each key inside.
        assert operation == "delete_objects"
        assert [entry["Code"] for entry in response["Errors"]] == ["AccessDenied"]
    assert s3.body_of(client, bucket, "secret") == b"private"


def test_head_of_another_organisations_object_is_denied(client, alt_client, bucket):
    client.put_object(Bucket=bucket, Key="secret", Body=b"private")
    for key in ("secret", "absent"):
        with refused(403, "403"):
            alt_client.head_object(Bucket=bucket, Key=key)


def test_list_buckets_shows_only_the_callers_sorted_by_name(client, alt_client):
    stem = s3.new_bucket_name("mine")
    names = [f"{stem}-{letter}" for letter in "cab"]
    for name in names:
        create(client, name)
    other = s3.create_bucket(alt_client, f"{stem}-alt")
    answer = client.list_buckets()
    listed = [entry["Name"] for entry in answer["Buckets"]]
    assert [name for name in listed if name.startswith(stem)] == sorted(names)
    assert listed == sorted(listed)
    assert answer["Owner"]["ID"] == MAIN.user and answer["Owner"]["DisplayName"] == MAIN.display_name
    assert other in [entry["Name"] for entry in alt_client.list_buckets()["Buckets"]]
    assert all(entry["CreationDate"].tzinfo for entry in answer["Buckets"])
    for name in names:
        client.delete_bucket(Bucket=name)
    alt_client.delete_bucket(Bucket=other)


def test_list_buckets_by_prefix_and_pages(client):
    stem = s3.new_bucket_name("page")
    names = [f"{stem}-{number}" for number in range(5)]
    for name in names:
        create(client, name)
    answer = client.list_buckets(Prefix=stem)
    assert [entry["Name"] for entry in answer["Buckets"]] == names
    assert {entry["BucketRegion"] for entry in answer["Buckets"]} == {REGION}
    assert answer["Prefix"] == stem and "ContinuationToken" not in answer
    seen, token = [], {}
    while True:
        page = client.list_buckets(Prefix=stem, MaxBuckets=2, **token)
        assert len(page["Buckets"]) <= 2
        seen += [entry["Name"] for entry in page["Buckets"]]
        if "ContinuationToken" not in page:
            break
        token = {"ContinuationToken": page["ContinuationToken"]}
    assert seen == names
    for name in names:
        client.delete_bucket(Bucket=name)


def test_list_buckets_by_region(client, bucket):
    names = [entry["Name"] for entry in client.list_buckets(BucketRegion=REGION)["Buckets"]]
    assert bucket in names
    assert client.list_buckets(BucketRegion="elsewhere-1")["Buckets"] == []


@pytest.mark.parametrize("value", ["0", "10001", "-1", "many"])
def test_list_buckets_refuses_a_bad_page_size(address, value):
    response = wire.call(address, "GET", "/", query=[("max-buckets", value)])
    assert response.refusal() == (400, "InvalidArgument")


def test_list_buckets_wire_shape(address, bucket):
    root = wire.call(address, "GET", "/", account=MAIN).xml()
    assert root.tag == f"{wire.NAMESPACE}ListAllMyBucketsResult"
    date = root.find(f"{wire.NAMESPACE}Buckets/{wire.NAMESPACE}Bucket/{wire.NAMESPACE}CreationDate").text
    assert len(date) == len("2026-11-22T21:40:46.000Z") and date.endswith("Z")


def test_an_error_names_bucket_resource_and_request(address):
    name = s3.new_bucket_name("missing")
    response = wire.call(address, "GET", f"/{name}/key", account=ALT)
    fields = response.error()
    assert response.status == 404 and fields["Code"] == "NoSuchBucket" and fields["BucketName"] == name
    assert fields["Resource"].startswith(f"/{name}")
    assert fields["RequestId"] == response.get("x-amz-request-id")
    assert fields["Message"] and fields["HostId"]
