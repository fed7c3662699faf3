"""boto3 clients of the server under test, and how a refusal is expected."""

import contextlib
import itertools
import os

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from support.accounts import REGION, Account

_bucket_numbers = itertools.count(1)


def make_client(endpoint: str, account: Account, verify=None, **overrides):
    """A path-style client that never retries, so that a test sees the first answer."""
    settings = {
        "signature_version": "s3v4",
        "s3": {"addressing_style": "path"},
        "retries": {"total_max_attempts": 1},
        "connect_timeout": 5,
        "read_timeout": 60,
        "max_pool_connections": 32,
        **overrides,
    }
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=REGION,
        aws_access_key_id=account.access_key,
        aws_secret_access_key=account.secret_key,
        verify=verify,
        config=Config(**settings),
    )


def new_bucket_name(stem: str = "test") -> str:
    """A name that no other test of this run uses."""
    return f"{stem}-{os.getpid()}-{next(_bucket_numbers)}"


def create_bucket(client, name: str) -> str:
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


def all_keys(client, bucket: str, **query) -> list[str]:
    """Every key of the bucket in listing order."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, **query)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def set_versioning(client, bucket: str, status: str) -> None:
    """`status` is Enabled or Suspended."""
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": status})


def versions(client, bucket: str, **query) -> list[dict]:
    """Every version and delete marker; the SDK has split what the wire interleaves (see support/history.py)."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, **query)
    return [entry for page in pages for kind in ("Versions", "DeleteMarkers") for entry in page.get(kind, [])]


def delete_bucket_with_objects(client, bucket: str) -> None:
    """Empties and deletes a bucket; a bucket that is gone already is fine."""
    try:
        keys = all_keys(client, bucket)
        for start in range(0, len(keys), 1000):
            objects = [{"Key": key} for key in keys[start : start + 1000]]
            client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        client.delete_bucket(Bucket=bucket)
    except ClientError as error:
        match error.response["Error"]["Code"]:
            case "NoSuchBucket":
                return
            case "BucketNotEmpty":
                _delete_versions_and_uploads(client, bucket)
                client.delete_bucket(Bucket=bucket)
            case _:
                raise


def _delete_versions_and_uploads(client, bucket: str) -> None:
    entries = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in versions(client, bucket)]
    for start in range(0, len(entries), 1000):
        batch = entries[start : start + 1000]
        client.delete_objects(Bucket=bucket, Delete={"Objects": batch, "Quiet": True})
    for page in client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket):
        for upload in page.get("Uploads", []):
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


@contextlib.contextmanager
def refused(status: int, code: str):
    """The block must raise a ClientError of this status and code (for HEAD the code is the status)."""
    with pytest.raises(ClientError) as caught:
        yield caught
    response = caught.value.response
    assert (response["ResponseMetadata"]["HTTPStatusCode"], response["Error"]["Code"]) == (status, code)


def body_of(client, bucket: str, key: str, **parameters) -> bytes:
    return client.get_object(Bucket=bucket, Key=key, **parameters)["Body"].read()


def exists(client, bucket: str, key: str) -> bool:
    try:
        client.head_object(Bucket=bucket, Key=key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return True
