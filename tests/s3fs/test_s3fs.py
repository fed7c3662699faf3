"""The real s3fs: a bucket mounted as a folder, used through the file system."""

import os
import shutil

import pytest

from support import s3
from support.accounts import MAIN, REGION
from support.mount import mounted, needs_fuse
from support.payload import KIB, MIB, payload

pytestmark = needs_fuse

# s3fs uploads and copies in parts above these sizes.
PART_MIB = 5
COPY_LIMIT_MIB = 10


@pytest.fixture
def mount_bucket(node, bucket, tmp_path):
    """Mounts the bucket under a name in the test's folder; nothing is kept outside the bucket."""
    program = shutil.which("s3fs")
    assert program, "s3fs is missing: run scripts/install_clients"
    secret = tmp_path / "passwd-s3fs"
    secret.touch(mode=0o600)
    secret.write_text(f"{MAIN.access_key}:{MAIN.secret_key}\n")
    options = {
        "url": node.endpoint,
        "endpoint": REGION,
        "passwd_file": secret,
        "tmpdir": tmp_path,
        "multipart_size": PART_MIB,
        "singlepart_copy_limit": COPY_LIMIT_MIB,
        "retries": 1,
        "dbglevel": "warn",
    }

    def mount(name: str = "mount"):
        command = [program, bucket, tmp_path / name, "-f", "-o", "sigv4", "-o", "use_path_request_style"]
        for option, value in options.items():
            command += ["-o", f"{option}={value}"]
        return mounted(tmp_path / name, command, {"HOME": str(tmp_path)}, tmp_path / f"{name}.log")

    return mount


@pytest.fixture
def folder(mount_bucket):
    with mount_bucket() as directory:
        yield directory


def test_a_written_file_is_an_object(folder, client, bucket):
    for name, content in (("empty", b""), ("small", b"small"), ("é with space", payload(100 * KIB))):
        (folder / name).write_bytes(content)
        assert (folder / name).read_bytes() == content
        assert s3.body_of(client, bucket, name) == content


def test_an_object_is_a_file(folder, client, bucket):
    content = payload(300 * KIB)
    client.put_object(Bucket=bucket, Key="put", Body=content)
    assert [path.name for path in folder.iterdir()] == ["put"]
    assert (folder / "put").stat().st_size == len(content)
    with open(folder / "put", "rb") as file:
        file.seek(200 * KIB)
        assert file.read(10) == content[200 * KIB :][:10]


def test_a_large_file_goes_in_parts(folder, client, bucket):
    # The rest that is below a part goes with the last one.
    content = payload(17 * MIB)
    (folder / "large").write_bytes(content)
    assert client.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')
    assert s3.body_of(client, bucket, "large") == content


def test_append_and_overwrite_in_the_middle(folder, client, bucket):
    with open(folder / "log", "wb") as file:
        file.write(b"first line\n")
    with open(folder / "log", "ab") as file:
        file.write(b"second line\n")
    with open(folder / "log", "r+b") as file:
        file.seek(6)
        file.write(b"LINE")
    assert s3.body_of(client, bucket, "log") == b"first LINE\nsecond line\n"


def test_a_large_file_changed_in_one_place_keeps_the_rest(folder, client, bucket):
    # s3fs uploads the changed part and copies the others on the server.
    content = bytearray(payload(16 * MIB))
    (folder / "large").write_bytes(content)
    with open(folder / "large", "r+b") as file:
        file.seek(8 * MIB)
        file.write(b"changed")
    content[8 * MIB : 8 * MIB + 7] = b"changed"
    assert s3.body_of(client, bucket, "large") == content


def test_truncate(folder, client, bucket):
    (folder / "file").write_bytes(payload(100 * KIB))
    with open(folder / "file", "r+b") as file:
        file.truncate(10)
    assert s3.body_of(client, bucket, "file") == payload(100 * KIB)[:10]
    with open(folder / "file", "r+b") as file:
        file.truncate(20)
    assert s3.body_of(client, bucket, "file") == payload(100 * KIB)[:10] + bytes(10)


@pytest.mark.parametrize("size", [5 * KIB, (COPY_LIMIT_MIB + 5) * MIB])
def test_rename_of_a_file(folder, client, bucket, size):
    content = payload(size)
    (folder / "old").write_bytes(content)
    (folder / "old").rename(folder / "new")
    assert s3.all_keys(client, bucket) == ["new"]
    assert (folder / "new").read_bytes() == content
    assert s3.body_of(client, bucket, "new") == content


def test_rename_over_another_file(folder, client, bucket):
    (folder / "old").write_bytes(b"old")
    (folder / "other").write_bytes(b"other")
    (folder / "old").replace(folder / "other")
    assert s3.all_keys(client, bucket) == ["other"]
    assert s3.body_of(client, bucket, "other") == b"old"


def test_remove(folder, client, bucket):
    (folder / "file").write_bytes(b"x")
    (folder / "file").unlink()
    assert not (folder / "file").exists()
    assert s3.all_keys(client, bucket) == []


def test_directories(folder, client, bucket):
    (folder / "a/b").mkdir(parents=True)
    (folder / "a/b/file").write_bytes(b"deep")
    assert s3.body_of(client, bucket, "a/b/file") == b"deep"
    assert [path.name for path in (folder / "a").iterdir()] == ["b"]
    with pytest.raises(OSError, match="not empty"):
        (folder / "a/b").rmdir()
    (folder / "a").rename(folder / "moved")
    assert (folder / "moved/b/file").read_bytes() == b"deep"
    shutil.rmtree(folder / "moved")
    assert s3.all_keys(client, bucket) == []


def test_mode_and_time_are_kept_across_mounts(mount_bucket):
    with mount_bucket("first") as folder:
        (folder / "script").write_bytes(b"#!/bin/sh\n")
        (folder / "script").chmod(0o751)
        os.utime(folder / "script", (1_000_000_000, 1_000_000_000))
    with mount_bucket("second") as folder:
        status = (folder / "script").stat()
        assert status.st_mode & 0o777 == 0o751
        assert status.st_mtime == 1_000_000_000
        assert (folder / "script").read_bytes() == b"#!/bin/sh\n"


def test_symbolic_link(folder):
    (folder / "file").write_bytes(b"pointed at")
    (folder / "link").symlink_to("file")
    assert (folder / "link").readlink().name == "file"
    assert (folder / "link").read_bytes() == b"pointed at"
