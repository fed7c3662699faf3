"""A filesystem that is really full: writes answer 507, reads and deletes go on, writes come back with the space."""

import os
import subprocess
import time

import pytest

from support import s3
from support.accounts import MAIN
from support.payload import KIB, MIB, payload
from support.server import RUN_DIRECTORY

IMAGE_BYTES = 320 * MIB
RECOVERY_S_MAX = 5


@pytest.fixture
def small_filesystem():
    """A mounted ext4 of its own; needs root and loop devices."""
    image, mount = RUN_DIRECTORY / "full.img", RUN_DIRECTORY / "full"
    mount.mkdir(parents=True, exist_ok=True)
    with open(image, "wb") as file:
        file.truncate(IMAGE_BYTES)
    subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
    mounted = subprocess.run(["mount", "-o", "loop", image, mount], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no loop mounts here: {mounted.stderr.strip()}")
    yield mount
    subprocess.run(["umount", "--lazy", mount], check=True)
    image.unlink()


def put_until_refused(client, bucket: str, size: int) -> list[str]:
    """Puts objects of one size until the node refuses one; returns the keys of those it took."""
    keys = []
    body = payload(size)
    for index in range(20_000):
        try:
            client.put_object(Bucket=bucket, Key=f"{size}/{index}", Body=body)
        except s3.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 507, error
            assert error.response["Error"]["Code"] == "InsufficientStorage"
            return keys
        keys.append(f"{size}/{index}")
    raise AssertionError("the filesystem never filled")


def put_within(client, bucket: str, key: str, body: bytes, seconds: float) -> float:
    """Repeats a put until it is taken; returns how long that took."""
    started = time.monotonic()
    while True:
        try:
            client.put_object(Bucket=bucket, Key=key, Body=body)
            return time.monotonic() - started
        except s3.ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] == 507, error
            assert time.monotonic() - started < seconds, "writes did not come back"
            time.sleep(0.05)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a filesystem needs root")
def test_a_full_disk_refuses_writes_alone_and_recovers(start_server, small_filesystem):
    node = start_server("full_disk", data_dir=str(small_filesystem / "data"))
    client = s3.make_client(node.endpoint, MAIN)
    bucket = s3.create_bucket(client, s3.new_bucket_name("full"))
    keys = put_until_refused(client, bucket, 4 * MIB)
    assert len(keys) > 20, "most of the filesystem is for objects"

    for key in (keys[0], keys[-1]):
        assert s3.body_of(client, bucket, key) == payload(4 * MIB)
    assert len(s3.all_keys(client, bucket)) == len(keys)
    client.delete_object(Bucket=bucket, Key=keys[0])
    assert put_within(client, bucket, "after", payload(3 * MIB), RECOVERY_S_MAX) < RECOVERY_S_MAX
    assert s3.body_of(client, bucket, "after") == payload(3 * MIB)

    # Somebody else fills what is left: the node must still answer, delete, and recover.
    ballast = small_filesystem / "ballast"
    with open(ballast, "wb") as file:
        try:
            while True:
                file.write(bytes(MIB))
                file.flush()
        except OSError:
            pass
    time.sleep(0.5)
    with pytest.raises(s3.ClientError) as caught:
        client.put_object(Bucket=bucket, Key="small", Body=payload(KIB))
    assert caught.value.response["Error"]["Code"] == "InsufficientStorage"
    assert s3.body_of(client, bucket, keys[1]) == payload(4 * MIB)
    client.delete_object(Bucket=bucket, Key=keys[1])
    assert not s3.exists(client, bucket, keys[1])
    ballast.unlink()
    assert put_within(client, bucket, "small", payload(KIB), RECOVERY_S_MAX) < RECOVERY_S_MAX
