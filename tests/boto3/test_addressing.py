"""Virtual-hosted style: the bucket stands in the host name, as SDKs send it by default."""

import socket

import pytest

from support import s3
from support.accounts import ALT, MAIN
from support.payload import KIB, payload
from support.s3 import refused


@pytest.fixture(scope="module")
def named_node(start_server):
    """A node with a domain of its own, so that the bare domain and buckets under it can be told apart."""
    return start_server("addressing", domain="s3.localhost")


@pytest.fixture
def virtual_client(named_node, monkeypatch):
    """Makes boto3 clients that name buckets in the host; every name under localhost leads to the node."""
    resolve = socket.getaddrinfo

    def to_loopback(host, *rest, **options):
        return resolve("127.0.0.1" if str(host).endswith(".localhost") else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", to_loopback)
    endpoint = f"http://s3.localhost:{named_node.port}"
    return lambda account=MAIN: s3.make_client(endpoint, account, s3={"addressing_style": "virtual"})


@pytest.fixture
def path_client(named_node):
    """Names buckets in the path of the same node."""
    return s3.make_client(named_node.endpoint, MAIN)


def test_objects_through_the_host_name(virtual_client, path_client):
    virtual = virtual_client()
    bucket = s3.create_bucket(path_client, s3.new_bucket_name("virtual"))
    body = payload(100 * KIB)
    virtual.put_object(Bucket=bucket, Key="a/b c+d", Body=body)
    assert virtual.get_object(Bucket=bucket, Key="a/b c+d")["Body"].read() == body
    assert s3.body_of(path_client, bucket, "a/b c+d") == body, "path style names the same object"
    assert s3.all_keys(virtual, bucket) == ["a/b c+d"]
    virtual.delete_object(Bucket=bucket, Key="a/b c+d")
    assert not s3.exists(path_client, bucket, "a/b c+d")


def test_buckets_through_the_host_name(virtual_client):
    virtual = virtual_client()
    name = s3.create_bucket(virtual, s3.new_bucket_name("virtual"))
    virtual.head_bucket(Bucket=name)
    assert virtual.get_bucket_location(Bucket=name)["LocationConstraint"] == "local-1"
    with refused(403, "403"):
        virtual_client(ALT).head_bucket(Bucket=name)
    virtual.delete_bucket(Bucket=name)
