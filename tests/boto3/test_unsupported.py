"""Sub-resources and headers that the node does not serve: refused by name, never taken for an object call."""

import pytest

from support import s3, wire

NOT_IMPLEMENTED = (501, "NotImplemented")

# Reads for which clients expect "there is none" rather than a refusal.
ABSENT_CONFIGURATIONS = {
    "cors": (404, "NoSuchCORSConfiguration"),
    "encryption": (404, "ServerSideEncryptionConfigurationNotFoundError"),
    "object-lock": (404, "ObjectLockConfigurationNotFoundError"),
    "replication": (404, "ReplicationConfigurationNotFoundError"),
    "website": (404, "NoSuchWebsiteConfiguration"),
    "publicAccessBlock": (404, "NoSuchPublicAccessBlockConfiguration"),
}

# Sub-resources of a bucket whose calls answer 501.
BUCKET_SUBRESOURCES = [
    "accelerate",
    "analytics",
    "intelligent-tiering",
    "inventory",
    "logging",
    "metrics",
    "notification",
    "requestPayment",
]

# Calls of a bucket that a later version serves: until then 501, or the code of an absent configuration.
BUCKET_LATER = {
    "ownershipControls": (404, "OwnershipControlsNotFoundError"),
    "policyStatus": (404, "NoSuchBucketPolicy"),
}

OBJECT_SUBRESOURCES = [
    ("GET", "legal-hold"),
    ("PUT", "legal-hold"),
    ("GET", "retention"),
    ("PUT", "retention"),
    ("GET", "torrent"),
    ("POST", "restore"),
    ("POST", "select"),
    ("PUT", "acl"),
]

# Methods that a served sub-resource does not have: each must not fall through to the plain call.
METHODS_LACKING = [
    ("POST", "", "policy"),
    ("DELETE", "", "versioning"),
    ("POST", "", "lifecycle"),
    ("HEAD", "", "lifecycle"),
    ("DELETE", "", "versions"),
    ("PUT", "", "uploads"),
    ("PUT", "", "versions"),
    ("PUT", "/k", "uploads"),
    ("PUT", "/k", "versions"),
    ("PUT", "/k", "attributes"),
    ("DELETE", "/k", "attributes"),
    ("DELETE", "/k", "acl"),
    ("DELETE", "/k", "uploads"),
    ("DELETE", "/k", "renameObject"),
    ("POST", "/k", "tagging"),
]


@pytest.fixture
def standing(client, bucket):
    """A bucket with one object that must outlive the test unchanged, alone."""
    client.put_object(Bucket=bucket, Key="k", Body=b"standing", Metadata={"m": "1"})
    before = client.head_object(Bucket=bucket, Key="k")
    yield bucket
    after = client.head_object(Bucket=bucket, Key="k")
    for name in ("ETag", "LastModified", "Metadata", "ContentType", "ContentLength"):
        assert before[name] == after[name]
    assert s3.all_keys(client, bucket) == ["k"]


@pytest.mark.parametrize("name", ABSENT_CONFIGURATIONS)
def test_reads_of_absent_configurations(address, standing, name):
    response = wire.call(address, "GET", f"/{standing}", query=[(name, "")])
    assert response.refusal() == ABSENT_CONFIGURATIONS[name]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("name", [*ABSENT_CONFIGURATIONS, "logging", "notification", "accelerate"])
def test_writes_of_bucket_configurations(address, standing, method, name):
    response = wire.call(address, method, f"/{standing}", query=[(name, "")])
    assert response.refusal() in (NOT_IMPLEMENTED, (405, "MethodNotAllowed"))


@pytest.mark.parametrize("name", BUCKET_SUBRESOURCES)
def test_bucket_subresources(address, standing, name):
    response = wire.call(address, "GET", f"/{standing}", query=[(name, "")])
    assert response.refusal() == NOT_IMPLEMENTED


@pytest.mark.parametrize("name", BUCKET_LATER)
def test_bucket_subresources_of_later_versions(address, standing, name):
    response = wire.call(address, "GET", f"/{standing}", query=[(name, "")])
    assert response.refusal() in (NOT_IMPLEMENTED, BUCKET_LATER[name])


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("name", ["policyStatus", "acl"])
def test_writes_of_later_versions(address, standing, method, name):
    response = wire.call(address, method, f"/{standing}", query=[(name, "")], body=b"<x/>" if method == "PUT" else b"")
    assert response.refusal() in (NOT_IMPLEMENTED, (405, "MethodNotAllowed"))


@pytest.mark.parametrize("method, where, name", METHODS_LACKING)
def test_methods_that_a_subresource_lacks(address, standing, method, where, name):
    response = wire.call(address, method, f"/{standing}{where}", query=[(name, "")])
    assert response.status in (400, 405, 501)


@pytest.mark.parametrize("method, name", OBJECT_SUBRESOURCES)
def test_object_subresources(address, standing, method, name):
    response = wire.call(address, method, f"/{standing}/k", query=[(name, "")])
    assert response.refusal() == NOT_IMPLEMENTED


@pytest.mark.parametrize(
    "headers",
    [
        {"x-amz-server-side-encryption": "aws:kms"},
        {"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2030-01-01T00:00:00Z"},
        {"x-amz-object-lock-legal-hold": "ON"},
        {"x-amz-website-redirect-location": "/elsewhere"},
        {"x-amz-grant-read": "id=someone"},
        {"x-amz-acl": "public-read"},
    ],
)
def test_headers_that_would_change_a_put_are_not_ignored(address, standing, headers):
    response = wire.call(address, "PUT", f"/{standing}/k", headers=headers, body=b"new")
    assert response.status in (400, 403, 501)
    assert response.error()["Code"]


@pytest.mark.parametrize("acl", ["private", "bucket-owner-full-control"])
def test_harmless_canned_acls_are_accepted(client, bucket, acl):
    client.put_object(Bucket=bucket, Key="k", Body=b"x", ACL=acl)
    assert s3.body_of(client, bucket, "k") == b"x"


def test_a_bucket_with_object_lock_is_refused(client):
    name = s3.new_bucket_name()
    with pytest.raises(s3.ClientError) as caught:
        client.create_bucket(
            Bucket=name,
            CreateBucketConfiguration={"LocationConstraint": "local-1"},
            ObjectLockEnabledForBucket=True,
        )
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] in (400, 501)
    with s3.refused(404, "404"):
        client.head_bucket(Bucket=name)


@pytest.mark.parametrize(
    "query, expected",
    [
        ([("partNumber", "1")], (400, "InvalidArgument")),
        ([("uploadId", "x")], (405, "MethodNotAllowed")),
    ],
)
def test_half_of_an_upload_part_never_stores_an_object(address, standing, query, expected):
    assert wire.call(address, "PUT", f"/{standing}/k", query=query, body=b"part").refusal() == expected


@pytest.mark.parametrize("name", ["uploads", "versions"])
def test_bucket_listings_asked_of_an_object_are_refused(address, standing, name):
    response = wire.call(address, "GET", f"/{standing}/k", query=[(name, "")])
    assert response.refusal() == (400, "InvalidRequest")


@pytest.mark.parametrize("path", ["/", "/{bucket}/k"])
def test_post_without_a_subresource_is_not_allowed(address, standing, path):
    response = wire.call(address, "POST", path.format(bucket=standing))
    assert response.refusal() == (405, "MethodNotAllowed")


@pytest.mark.parametrize("method", ["PATCH", "OPTIONS", "PROPFIND", "TRACE", "CONNECT2"])
def test_other_methods_are_refused(address, standing, method):
    response = wire.call(address, method, f"/{standing}/k")
    assert 400 <= response.status <= 501
    assert response.status != 404


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_a_version_id_that_is_none_is_refused(address, standing, method):
    response = wire.call(address, method, f"/{standing}/k", query=[("versionId", "not a version")])
    assert response.status == 400
