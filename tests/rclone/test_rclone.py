"""The real rclone against the node."""

import shutil

import pytest

from support import s3
from support.accounts import MAIN, REGION
from support.command import Command
from support.payload import KIB, MIB, md5_hex, payload


@pytest.fixture
def rclone(node, tmp_path):
    program = shutil.which("rclone")
    assert program, "rclone is missing: run scripts/install_clients"
    environment = {
        "RCLONE_CONFIG": str(tmp_path / "rclone.conf"),
        "RCLONE_CONFIG_NODE_TYPE": "s3",
        "RCLONE_CONFIG_NODE_PROVIDER": "Other",
        "RCLONE_CONFIG_NODE_ENDPOINT": node.endpoint,
        "RCLONE_CONFIG_NODE_REGION": REGION,
        "RCLONE_CONFIG_NODE_LOCATION_CONSTRAINT": REGION,
        "RCLONE_CONFIG_NODE_ACCESS_KEY_ID": MAIN.access_key,
        "RCLONE_CONFIG_NODE_SECRET_ACCESS_KEY": MAIN.secret_key,
        "RCLONE_CONFIG_NODE_FORCE_PATH_STYLE": "true",
        "RCLONE_RETRIES": "1",
        "RCLONE_LOW_LEVEL_RETRIES": "1",
    }
    (tmp_path / "rclone.conf").touch()
    return Command(program, home=tmp_path, environment=environment)


@pytest.fixture
def tree(tmp_path):
    """A folder of files: names with spaces and umlauts, sizes up to several MiB."""
    files = {
        "empty": b"",
        "small.txt": b"small",
        "with space+plus%.bin": payload(100 * KIB),
        "sub/deep/é.txt": b"e",
        "sub/big.bin": payload(9 * MIB),
    }
    root = tmp_path / "tree"
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return files


def test_mkdir_lsd_and_rmdir(rclone):
    name = s3.new_bucket_name("rclone")
    rclone("mkdir", f"node:{name}")
    assert name in rclone("lsd", "node:")
    rclone("rmdir", f"node:{name}")
    assert name not in rclone("lsd", "node:")


def test_copy_check_and_lsl(rclone, client, bucket, tree, tmp_path):
    rclone("copy", "tree", f"node:{bucket}/copy")
    assert s3.all_keys(client, bucket) == sorted((f"copy/{name}" for name in tree), key=str.encode)
    rclone("check", "tree", f"node:{bucket}/copy")
    rclone("check", "--download", "tree", f"node:{bucket}/copy")
    lines = rclone("lsl", f"node:{bucket}/copy").splitlines()
    assert sorted(int(line.split()[0]) for line in lines) == sorted(len(content) for content in tree.values())
    rclone("copy", f"node:{bucket}/copy", "back")
    for name, content in tree.items():
        assert (tmp_path / "back" / name).read_bytes() == content


def test_modification_times_survive(rclone, bucket, tree, tmp_path):
    rclone("copy", "tree", f"node:{bucket}")
    rclone("copy", f"node:{bucket}", "back")
    for name in tree:
        assert (tmp_path / "back" / name).stat().st_mtime_ns == (tmp_path / "tree" / name).stat().st_mtime_ns


def test_a_second_copy_transfers_nothing(rclone, bucket, tree):
    rclone("copy", "tree", f"node:{bucket}")
    again = rclone.run("copy", "-v", "tree", f"node:{bucket}")
    assert again.status == 0 and "Copied" not in again.errors


def test_cat_whole_and_in_part(rclone, client, bucket):
    client.put_object(Bucket=bucket, Key="dir/k", Body=b"0123456789")
    assert rclone("cat", f"node:{bucket}/dir/k") == "0123456789"
    assert rclone("cat", "--offset", "3", "--count", "4", f"node:{bucket}/dir/k") == "3456"


def test_rcat_streams_an_object_of_unknown_length(rclone, client, bucket):
    content = payload(90 * KIB)
    rclone("rcat", f"node:{bucket}/piped", stdin=content)
    assert s3.body_of(client, bucket, "piped") == content


def test_hashes_are_the_etags(rclone, client, bucket):
    content = payload(50 * KIB)
    client.put_object(Bucket=bucket, Key="k", Body=content)
    assert rclone("md5sum", f"node:{bucket}").split() == [md5_hex(content), "k"]


def test_sync_deletes_what_is_gone(rclone, client, bucket, tree, tmp_path):
    rclone("sync", "tree", f"node:{bucket}")
    (tmp_path / "tree/small.txt").unlink()
    rclone("sync", "tree", f"node:{bucket}")
    assert s3.all_keys(client, bucket) == sorted((name for name in tree if name != "small.txt"), key=str.encode)


def test_delete_and_purge(rclone, client):
    name = s3.create_bucket(client, s3.new_bucket_name("rclone"))
    for key in ("a/1", "a/2", "b"):
        client.put_object(Bucket=name, Key=key, Body=b"x")
    rclone("deletefile", f"node:{name}/b")
    rclone("delete", f"node:{name}/a")
    assert s3.all_keys(client, name) == []
    client.put_object(Bucket=name, Key="again", Body=b"x")
    rclone("purge", f"node:{name}")
    assert name not in rclone("lsd", "node:")


def test_lsf_and_size(rclone, client, bucket):
    for key in ("a/1", "top"):
        client.put_object(Bucket=bucket, Key=key, Body=b"12345")
    assert rclone("lsf", f"node:{bucket}").splitlines() == ["a/", "top"]
    assert "Total objects: 2" in rclone("size", f"node:{bucket}")
