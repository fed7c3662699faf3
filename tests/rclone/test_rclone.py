"""The real rclone against the node."""

import os
import shutil

import pytest

from support import s3
from support.accounts import MAIN, REGION
from support.command import Command
from support.mount import mounted, needs_fuse
from support.payload import KIB, MIB, md5_hex, payload
from support.server import RUN_DIRECTORY
from support.tls_proxy import TlsProxy

# Uploads of more than 5 MiB go in parts of 5 MiB.
IN_PARTS = ["--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M"]


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


def copied_in_parts(client, bucket: str, key: str) -> bool:
    return "-" in client.head_object(Bucket=bucket, Key=key)["ETag"]


@pytest.fixture
def other_bucket(client):
    name = s3.create_bucket(client, s3.new_bucket_name("other"))
    yield name
    s3.delete_bucket_with_objects(client, name)


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


def test_copy_in_parts_and_back(rclone, client, bucket, tree, tmp_path):
    rclone("copy", *IN_PARTS, "tree", f"node:{bucket}")
    assert copied_in_parts(client, bucket, "sub/big.bin")
    # An upload in parts carries its MD5 as metadata; --download compares the bytes themselves.
    rclone("check", "tree", f"node:{bucket}")
    rclone("check", "--download", "tree", f"node:{bucket}")
    again = rclone.run("copy", "-v", *IN_PARTS, "tree", f"node:{bucket}")
    assert again.status == 0 and "Copied" not in again.errors
    rclone("copy", f"node:{bucket}", "back")
    for name, content in tree.items():
        assert (tmp_path / "back" / name).read_bytes() == content


def test_rcat_of_unknown_length_goes_in_parts(rclone, client, bucket):
    content = payload(12 * MIB)
    rclone("rcat", *IN_PARTS, f"node:{bucket}/piped", stdin=content)
    assert copied_in_parts(client, bucket, "piped")
    assert s3.body_of(client, bucket, "piped") == content


def test_many_made_files_check_out(rclone, bucket):
    rclone("test", "makefiles", "made", "--files", "150", "--max-file-size", "40Ki", "--seed", "7")
    rclone("sync", "--transfers", "16", "made", f"node:{bucket}/made")
    rclone("check", "made", f"node:{bucket}/made")
    rclone("sync", f"node:{bucket}/made", "again")
    rclone("check", "--download", "made", "again")


@pytest.mark.parametrize("cutoff", [[], ["--s3-copy-cutoff", "5M"]], ids=["whole", "in parts"])
def test_copy_between_buckets_stays_on_the_server(rclone, client, bucket, other_bucket, tree, cutoff):
    rclone("copy", "tree", f"node:{bucket}")
    told = rclone.run("copy", "-v", *cutoff, f"node:{bucket}", f"node:{other_bucket}/copy")
    assert told.status == 0 and told.errors.count("server-side copy") == len(tree), told.errors
    rclone("check", "--download", "tree", f"node:{other_bucket}/copy")


def test_move_between_buckets(rclone, client, bucket, other_bucket, tree):
    rclone("copy", "tree", f"node:{bucket}")
    rclone("move", f"node:{bucket}", f"node:{other_bucket}")
    assert s3.all_keys(client, bucket) == []
    rclone("check", "--download", "tree", f"node:{other_bucket}")
    rclone("moveto", f"node:{other_bucket}/small.txt", f"node:{other_bucket}/sub/renamed.txt")
    assert s3.body_of(client, other_bucket, "sub/renamed.txt") == b"small"
    assert not s3.exists(client, other_bucket, "small.txt")


def test_touch_sets_the_time_and_keeps_the_rest(rclone, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"kept", ContentType="text/x-kept")
    rclone("touch", "--timestamp", "2001-02-03T04:05:06", f"node:{bucket}/k")
    assert rclone("lsf", "--format", "t", f"node:{bucket}/k", "--use-server-modtime=false").startswith("2001-02-03")
    assert s3.body_of(client, bucket, "k") == b"kept"
    assert client.head_object(Bucket=bucket, Key="k")["ContentType"] == "text/x-kept"
    rclone("touch", f"node:{bucket}/new")
    assert s3.body_of(client, bucket, "new") == b""


def test_sync_after_a_changed_time_alone_uploads_nothing(rclone, bucket, tree, tmp_path):
    rclone("sync", "tree", f"node:{bucket}")
    os.utime(tmp_path / "tree/small.txt", (1_000_000_000, 1_000_000_000))
    told = rclone.run("sync", "-v", "tree", f"node:{bucket}")
    assert told.status == 0 and "Updated modification time" in told.errors and "Copied" not in told.errors


def test_cleanup_aborts_uploads_in_parts(rclone, client, bucket):
    upload = client.create_multipart_upload(Bucket=bucket, Key="left")["UploadId"]
    assert upload in rclone("backend", "list-multipart-uploads", f"node:{bucket}")
    rclone("backend", "cleanup", f"node:{bucket}", "-o", "max-age=0")
    assert upload not in rclone("backend", "list-multipart-uploads", f"node:{bucket}")


def test_old_versions(rclone, client):
    name = s3.create_bucket(client, s3.new_bucket_name("rclone"))
    rclone("backend", "versioning", f"node:{name}", "Enabled")
    rclone("rcat", f"node:{name}/k.txt", stdin=b"first")
    rclone("rcat", f"node:{name}/k.txt", stdin=b"second")
    listed = rclone("lsf", "--s3-versions", f"node:{name}").splitlines()
    assert len(listed) == 2 and "k.txt" in listed
    old = next(entry for entry in listed if entry != "k.txt")
    assert rclone("cat", "--s3-versions", f"node:{name}/{old}") == "first"
    rclone("deletefile", f"node:{name}/k.txt")
    assert rclone("lsf", f"node:{name}") == ""
    # Removes every version and marker that is not the newest, then the bucket goes with the rest.
    rclone("backend", "cleanup-hidden", f"node:{name}")
    assert client.list_object_versions(Bucket=name).get("Versions") is None
    for marker in client.list_object_versions(Bucket=name).get("DeleteMarkers", []):
        client.delete_object(Bucket=name, Key=marker["Key"], VersionId=marker["VersionId"])
    client.delete_bucket(Bucket=name)


@pytest.fixture
def tls(node):
    running = TlsProxy(RUN_DIRECTORY / "tls-rclone", node.port)
    yield running
    running.stop()


def test_customer_provided_key(rclone, tls, bucket, tree):
    # rclone sends such a key over TLS alone.
    rclone.environment |= {"RCLONE_CONFIG_NODE_ENDPOINT": tls.endpoint, "RCLONE_CA_CERT": str(tls.certificate)}
    key = ["--s3-sse-customer-algorithm", "AES256", "--s3-sse-customer-key", "0123456789abcdef0123456789abcdef"]
    rclone("copy", *key, *IN_PARTS, "tree", f"node:{bucket}")
    rclone("check", "--download", *key, "tree", f"node:{bucket}")
    without = rclone.run("cat", f"node:{bucket}/small.txt")
    # rclone takes the 400 of its HEAD for a missing object and then lists an empty folder.
    assert "small" not in without.output


@needs_fuse
def test_mount(rclone, client, bucket, tmp_path):
    content = payload(6 * MIB)
    command = [*rclone.leading, "mount", "--vfs-cache-mode", "writes", "--vfs-write-back", "0s"]
    command += ["--dir-cache-time", "0s", "--cache-dir", tmp_path / "cache", f"node:{bucket}", tmp_path / "mount"]
    with mounted(tmp_path / "mount", command, rclone.environment, tmp_path / "mount.log") as folder:
        (folder / "dir").mkdir()
        (folder / "dir/file").write_bytes(content)
        (folder / "dir/file").rename(folder / "dir/renamed")
        assert (folder / "dir/renamed").read_bytes() == content
        client.put_object(Bucket=bucket, Key="put", Body=b"from outside")
        assert (folder / "put").read_bytes() == b"from outside"
        (folder / "put").rename(folder / "moved")
        (folder / "gone").write_bytes(b"x")
        (folder / "gone").unlink()
    assert s3.all_keys(client, bucket) == ["dir/renamed", "moved"]
    assert s3.body_of(client, bucket, "dir/renamed") == content
