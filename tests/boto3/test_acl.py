"""Access control lists: read only, and always the owner's full control."""

import pytest

from support import multipart, s3, wire
from support.accounts import MAIN
from support.s3 import refused

OWNER = {"ID": MAIN.user, "DisplayName": MAIN.display_name}
XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


def assert_owner_alone(answer):
    assert answer["Owner"] == OWNER
    (grant,) = answer["Grants"]
    assert grant == {"Grantee": {**OWNER, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"}


def test_the_acl_of_a_bucket(client, bucket):
    assert_owner_alone(client.get_bucket_acl(Bucket=bucket))


def test_the_acl_of_an_object(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    assert_owner_alone(client.get_object_acl(Bucket=bucket, Key="k"))


@pytest.mark.parametrize("path", ["/{bucket}", "/{bucket}/k"])
def test_the_document_declares_the_type_of_the_grantee(address, client, bucket, path):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    response = wire.call(address, "GET", path.format(bucket=bucket), query=[("acl", "")])
    root = response.xml()
    assert root.tag == f"{wire.NAMESPACE}AccessControlPolicy" and response.get("content-type") == "application/xml"
    grant = root.find(f"{wire.NAMESPACE}AccessControlList/{wire.NAMESPACE}Grant")
    assert grant.find(f"{wire.NAMESPACE}Grantee").get(f"{XSI}type") == "CanonicalUser"


def test_versions_and_markers(client, bucket):
    s3.set_versioning(client, bucket, "Enabled")
    version = client.put_object(Bucket=bucket, Key="k", Body=b"x")["VersionId"]
    marker = client.delete_object(Bucket=bucket, Key="k")["VersionId"]
    assert_owner_alone(client.get_object_acl(Bucket=bucket, Key="k", VersionId=version))
    with refused(404, "NoSuchKey"):
        client.get_object_acl(Bucket=bucket, Key="k")
    with refused(405, "MethodNotAllowed"):
        client.get_object_acl(Bucket=bucket, Key="k", VersionId=marker)
    with refused(400, "InvalidArgument"):
        client.get_object_acl(Bucket=bucket, Key="k", VersionId="not a version")


def test_what_is_missing(client, bucket):
    with refused(404, "NoSuchKey"):
        client.get_object_acl(Bucket=bucket, Key="absent")
    with refused(404, "NoSuchBucket"):
        client.get_bucket_acl(Bucket=s3.new_bucket_name("missing"))


def test_another_organisation_is_denied(client, alt_client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused(403, "AccessDenied"):
        alt_client.get_bucket_acl(Bucket=bucket)
    with refused(403, "AccessDenied"):
        alt_client.get_object_acl(Bucket=bucket, Key="k")


@pytest.mark.parametrize("acl", ["private", "bucket-owner-full-control"])
def test_harmless_canned_acls_are_taken_by_every_write(client, bucket, acl):
    client.put_object(Bucket=bucket, Key="a", Body=b"x", ACL=acl)
    client.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a", ACL=acl)
    multipart.store(client, bucket, "c", [b"x"], ACL=acl)
    for key in "abc":
        assert_owner_alone(client.get_object_acl(Bucket=bucket, Key=key))


@pytest.mark.parametrize("acl", ["public-read", "public-read-write", "authenticated-read", "aws-exec-read"])
def test_other_canned_acls_are_refused_by_every_write(client, bucket, acl):
    client.put_object(Bucket=bucket, Key="a", Body=b"x")
    with refused(400, "AccessControlListNotSupported"):
        client.put_object(Bucket=bucket, Key="b", Body=b"x", ACL=acl)
    with refused(400, "AccessControlListNotSupported"):
        client.copy_object(Bucket=bucket, Key="b", CopySource=f"{bucket}/a", ACL=acl)
    with refused(400, "AccessControlListNotSupported"):
        client.create_multipart_upload(Bucket=bucket, Key="b", ACL=acl)
    assert s3.all_keys(client, bucket) == ["a"]


def test_acls_cannot_be_written(client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    with refused(501, "NotImplemented"):
        client.put_bucket_acl(Bucket=bucket, ACL="private")
    with refused(501, "NotImplemented"):
        client.put_object_acl(Bucket=bucket, Key="k", ACL="private")
