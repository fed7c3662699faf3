"""The real s3cmd against the node, path style."""

import json

import pytest

from support import s3
from support.accounts import MAIN, REGION
from support.command import Command, VENV_BIN
from support.payload import KIB, MIB, md5_hex, payload


@pytest.fixture
def s3cmd(node, tmp_path):
    host = f"127.0.0.1:{node.port}"
    config = tmp_path / "s3cfg"
    config.write_text(
        "[default]\n"
        f"access_key = {MAIN.access_key}\n"
        f"secret_key = {MAIN.secret_key}\n"
        f"host_base = {host}\n"
        f"bucket_location = {REGION}\n"
        "use_https = False\n"
        "signature_v2 = False\n"
        "max_retries = 1\n"
        "multipart_copy_chunk_size_mb = 5\n"
    )
    # Without %(bucket)s in --host-bucket, s3cmd puts the bucket into the path.
    return Command(VENV_BIN / "s3cmd", "-c", config, "--host-bucket", host, "--no-progress", home=tmp_path)


def test_mb_ls_and_rb(s3cmd):
    name = s3.new_bucket_name("s3cmd")
    s3cmd("mb", f"s3://{name}")
    assert f"s3://{name}" in s3cmd("ls")
    s3cmd("rb", f"s3://{name}")
    assert f"s3://{name}" not in s3cmd("ls")


@pytest.mark.parametrize("size", [0, 1, 8 * KIB, 65 * KIB, 14 * MIB])
def test_put_and_get(s3cmd, bucket, tmp_path, size):
    content = payload(size)
    (tmp_path / "up").write_bytes(content)
    s3cmd("put", "up", f"s3://{bucket}/dir/name with space+é")
    s3cmd("get", f"s3://{bucket}/dir/name with space+é", "down")
    assert (tmp_path / "down").read_bytes() == content


def test_put_of_a_large_file_in_one_piece(s3cmd, client, bucket, tmp_path):
    content = payload(20 * MIB)
    (tmp_path / "up").write_bytes(content)
    s3cmd("put", "--disable-multipart", "up", f"s3://{bucket}/large")
    assert client.head_object(Bucket=bucket, Key="large")["ETag"] == f'"{md5_hex(content)}"'
    assert s3.body_of(client, bucket, "large") == content


def test_get_continues_a_broken_download(s3cmd, client, bucket, tmp_path):
    content = payload(300 * KIB)
    client.put_object(Bucket=bucket, Key="k", Body=content)
    (tmp_path / "down").write_bytes(content[: 100 * KIB])
    s3cmd("get", "--continue", f"s3://{bucket}/k", "down")
    assert (tmp_path / "down").read_bytes() == content


def test_ls_la_and_du(s3cmd, client, bucket):
    for key in ("a/1", "a/2", "top"):
        client.put_object(Bucket=bucket, Key=key, Body=b"12345")
    listed = s3cmd("ls", f"s3://{bucket}/")
    assert f"DIR  s3://{bucket}/a/" in listed and f"s3://{bucket}/top" in listed
    assert len(s3cmd("ls", "--recursive", f"s3://{bucket}/").splitlines()) == 3
    assert f"s3://{bucket}/top" in s3cmd("la")
    assert s3cmd("du", f"s3://{bucket}").split()[:2] == ["15", "3"]


def test_info_of_object_and_bucket(s3cmd, bucket, tmp_path):
    (tmp_path / "up.txt").write_bytes(b"described")
    s3cmd("put", "--add-header", "x-amz-meta-colour: green", "up.txt", f"s3://{bucket}/up.txt")
    described = s3cmd.run("info", f"s3://{bucket}/up.txt")
    assert "File size: 9" in described.output and md5_hex(b"described") in described.output
    assert "x-amz-meta-colour: green" in described.output
    described = s3cmd.run("info", f"s3://{bucket}")
    assert f"Location:  {REGION}" in described.output


def test_del_one_many_and_recursive(s3cmd, client, bucket):
    for key in ("one", "two", "dir/1", "dir/2", "rest"):
        client.put_object(Bucket=bucket, Key=key, Body=b"x")
    s3cmd("del", f"s3://{bucket}/one", f"s3://{bucket}/two")
    s3cmd("del", "--recursive", f"s3://{bucket}/dir/")
    assert s3.all_keys(client, bucket) == ["rest"]
    s3cmd("del", "--recursive", "--force", f"s3://{bucket}")
    assert s3.all_keys(client, bucket) == []


def test_sync_both_ways(s3cmd, client, bucket, tmp_path):
    files = {"a.txt": b"a", "sub/b.bin": payload(100 * KIB), "sub/é.txt": b"e"}
    for name, content in files.items():
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_bytes(content)
    s3cmd("sync", "tree/", f"s3://{bucket}/copy/")
    assert s3.all_keys(client, bucket) == sorted((f"copy/{name}" for name in files), key=str.encode)
    assert "upload:" not in s3cmd("sync", "tree/", f"s3://{bucket}/copy/")
    (tmp_path / "back").mkdir()
    s3cmd("sync", f"s3://{bucket}/copy/", "back/")
    for name, content in files.items():
        assert (tmp_path / "back" / name).read_bytes() == content


def test_signurl(s3cmd, client, bucket):
    # s3cmd signs URLs with the old scheme alone; the refusal must be a clear one.
    from support import wire

    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    url = s3cmd("signurl", f"s3://{bucket}/k", "+600").strip()
    address = ("127.0.0.1", int(client.meta.endpoint_url.rsplit(":", 1)[1]))
    target = url.split(f":{address[1]}", 1)[1]
    response = wire.send_plain(address, "GET", target)
    assert response.status in (400, 403)


def test_a_missing_object_is_told(s3cmd, bucket):
    missing = s3cmd.run("get", f"s3://{bucket}/absent", "out")
    assert missing.status != 0 and "does not exist" in missing.errors


def test_put_and_get_in_parts(s3cmd, client, bucket, tmp_path):
    content = payload(12 * MIB)
    (tmp_path / "up").write_bytes(content)
    s3cmd("put", "--multipart-chunk-size-mb=5", "up", f"s3://{bucket}/large")
    assert client.head_object(Bucket=bucket, Key="large")["ETag"].endswith('-3"')
    s3cmd("get", f"s3://{bucket}/large", "down")
    assert (tmp_path / "down").read_bytes() == content


def test_sync_knows_a_file_that_went_in_parts(s3cmd, client, bucket, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/large").write_bytes(payload(12 * MIB))
    (tmp_path / "tree/small").write_bytes(b"small")
    sync = ["sync", "--multipart-chunk-size-mb=5", "tree/", f"s3://{bucket}/"]
    assert "upload:" in s3cmd(*sync)
    assert "upload:" not in s3cmd(*sync)
    (tmp_path / "tree/small").unlink()
    s3cmd(*sync, "--delete-removed")
    assert s3.all_keys(client, bucket) == ["large"]


def test_listing_and_abort_of_uploads_in_parts(s3cmd, client, bucket):
    upload = client.create_multipart_upload(Bucket=bucket, Key="left")["UploadId"]
    client.upload_part(Bucket=bucket, Key="left", UploadId=upload, PartNumber=1, Body=b"12345")
    assert upload in s3cmd("multipart", f"s3://{bucket}")
    assert md5_hex(b"12345") in s3cmd("listmp", f"s3://{bucket}/left", upload)
    s3cmd("abortmp", f"s3://{bucket}/left", upload)
    assert upload not in s3cmd("multipart", f"s3://{bucket}")


def test_cp_and_mv(s3cmd, client, bucket):
    other = s3.create_bucket(client, s3.new_bucket_name("s3cmd"))
    content = payload(100 * KIB)
    client.put_object(Bucket=bucket, Key="dir/a b+é", Body=content, Metadata={"colour": "green"})
    s3cmd("cp", f"s3://{bucket}/dir/a b+é", f"s3://{other}/copy")
    assert s3.body_of(client, other, "copy") == content
    assert client.head_object(Bucket=other, Key="copy")["Metadata"] == {"colour": "green"}
    s3cmd("mv", f"s3://{bucket}/dir/a b+é", f"s3://{bucket}/moved")
    assert s3.all_keys(client, bucket) == ["moved"]
    s3cmd("cp", "--recursive", f"s3://{bucket}/", f"s3://{other}/all/")
    assert s3.all_keys(client, other) == ["all/moved", "copy"]
    s3.delete_bucket_with_objects(client, other)


def test_cp_of_a_large_object_goes_in_parts(s3cmd, client, bucket):
    content = payload(12 * MIB)
    client.put_object(Bucket=bucket, Key="large", Body=content)
    s3cmd("cp", f"s3://{bucket}/large", f"s3://{bucket}/copy")
    assert client.head_object(Bucket=bucket, Key="copy")["ETag"].endswith('-3"')
    assert s3.body_of(client, bucket, "copy") == content


def test_modify_of_metadata(s3cmd, client, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"kept", ContentType="text/plain", Metadata={"old": "1"})
    s3cmd("modify", "--add-header", "x-amz-meta-colour: green", f"s3://{bucket}/k")
    headed = client.head_object(Bucket=bucket, Key="k")
    assert headed["Metadata"]["colour"] == "green" and headed["ContentType"] == "text/plain"
    s3cmd("modify", "--remove-header", "x-amz-meta-colour", f"s3://{bucket}/k")
    assert "colour" not in client.head_object(Bucket=bucket, Key="k")["Metadata"]
    assert s3.body_of(client, bucket, "k") == b"kept"


def test_lifecycle_rules_are_set_shown_and_deleted(s3cmd, client, bucket, tmp_path):
    (tmp_path / "rules.xml").write_text(
        "<LifecycleConfiguration>\n  <Rule>\n    <ID>old</ID>\n    <Prefix>logs/</Prefix>\n    <Status>Enabled</Status>\n"
        "    <Expiration>\n      <Days>30</Days>\n    </Expiration>\n  </Rule>\n</LifecycleConfiguration>\n"
    )
    s3cmd("setlifecycle", "rules.xml", f"s3://{bucket}")
    rules = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rules == [{"ID": "old", "Prefix": "logs/", "Status": "Enabled", "Expiration": {"Days": 30}}]
    shown = s3cmd("getlifecycle", f"s3://{bucket}")
    assert "<ID>old</ID>" in shown and "<Days>30</Days>" in shown
    s3cmd("dellifecycle", f"s3://{bucket}")
    with s3.refused(404, "NoSuchLifecycleConfiguration"):
        client.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_expire(s3cmd, client, bucket):
    s3cmd("expire", "--expiry-days=3", "--expiry-prefix=logs/", f"s3://{bucket}")
    [rule] = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert (rule["Filter"], rule["Expiration"]) == ({"Prefix": "logs/"}, {"Days": 3})
    assert "'3' day(s)" in s3cmd("info", f"s3://{bucket}")
    s3cmd("expire", "--expiry-date=2027-01-01", f"s3://{bucket}")
    [rule] = client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["Expiration"]["Date"].isoformat() == "2027-01-01T00:00:00+00:00"
    s3cmd("expire", f"s3://{bucket}")
    with s3.refused(404, "NoSuchLifecycleConfiguration"):
        client.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_setpolicy_and_delpolicy(s3cmd, client, alt_client, bucket, tmp_path):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": ["s3:GetObject"]}
    statement["Resource"] = [f"arn:aws:s3:::{bucket}/*"]
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    (tmp_path / "policy.json").write_text(document)
    s3cmd("setpolicy", "policy.json", f"s3://{bucket}")
    assert client.get_bucket_policy(Bucket=bucket)["Policy"] == document
    assert s3.body_of(alt_client, bucket, "k") == b"x"
    assert document in s3cmd("info", f"s3://{bucket}")
    (tmp_path / "policy.json").write_text("no policy")
    malformed = s3cmd.run("setpolicy", "policy.json", f"s3://{bucket}")
    assert malformed.status != 0 and "MalformedPolicy" in malformed.errors
    s3cmd("delpolicy", f"s3://{bucket}")
    with s3.refused(403, "AccessDenied"):
        alt_client.get_object(Bucket=bucket, Key="k")
