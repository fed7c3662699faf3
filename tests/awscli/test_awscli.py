"""The real aws-cli against the node: `aws s3` and `aws s3api`."""

import json

import pytest

from support import s3
from support.accounts import MAIN, REGION
from support.command import Command, VENV_BIN
from support.payload import KIB, MIB, etag, payload

# From 8 MB on aws-cli uploads in parts.
BELOW_MULTIPART = 7 * MIB
# Three parts of 8 MB.
LARGE = 20 * MIB
# What CompleteMultipartUpload takes of an entry of ListParts.
PART_NAMED = ("PartNumber", "ETag", "ChecksumCRC32", "ChecksumCRC64NVME")


@pytest.fixture
def aws(node, tmp_path):
    (tmp_path / "config").write_text("[default]\ns3 =\n  addressing_style = path\n")
    environment = {
        "AWS_ACCESS_KEY_ID": MAIN.access_key,
        "AWS_SECRET_ACCESS_KEY": MAIN.secret_key,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": str(tmp_path / "config"),
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
    }
    arguments = ["--endpoint-url", node.endpoint]
    return Command(VENV_BIN / "aws", *arguments, home=tmp_path, environment=environment)


def api(aws, *arguments) -> dict:
    """An `s3api` call and its parsed answer."""
    output = aws("s3api", *arguments, "--output", "json")
    return json.loads(output) if output.strip() else {}


@pytest.fixture
def tree(tmp_path):
    """A folder of files with awkward names and sizes."""
    files = {
        "small.txt": b"small",
        "empty": b"",
        "with space+plus.bin": payload(100 * KIB),
        "sub/deep/é.txt": "ünïcode".encode(),
        "sub/big.bin": payload(BELOW_MULTIPART),
    }
    root = tmp_path / "tree"
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(content)
    return root, files


def parts_of(client, bucket: str, key: str) -> int:
    """How many parts the object was uploaded in, told by its ETag; 1 for a plain object."""
    return int(client.head_object(Bucket=bucket, Key=key)["ETag"].strip('"').partition("-")[2] or 1)


@pytest.fixture
def other_bucket(client):
    name = s3.create_bucket(client, s3.new_bucket_name("other"))
    yield name
    s3.delete_bucket_with_objects(client, name)


def test_mb_ls_and_rb(aws):
    name = s3.new_bucket_name("awscli")
    aws("s3", "mb", f"s3://{name}")
    assert name in aws("s3", "ls")
    aws("s3", "rb", f"s3://{name}")
    assert name not in aws("s3", "ls")


def test_cp_up_and_down(aws, bucket, tmp_path):
    for size in (0, 1, 8 * KIB, 65 * KIB, BELOW_MULTIPART):
        content = payload(size)
        (tmp_path / "up").write_bytes(content)
        aws("s3", "cp", "up", f"s3://{bucket}/dir/file")
        aws("s3", "cp", f"s3://{bucket}/dir/file", "down")
        assert (tmp_path / "down").read_bytes() == content


def test_cp_from_and_to_a_pipe(aws, bucket):
    aws("s3", "cp", "-", f"s3://{bucket}/piped", stdin=b"through a pipe")
    assert aws("s3", "cp", f"s3://{bucket}/piped", "-") == "through a pipe"


def test_cp_keeps_metadata_and_guesses_the_type(aws, client, bucket, tmp_path):
    (tmp_path / "page.html").write_text("<p>")
    aws("s3", "cp", "page.html", f"s3://{bucket}/page.html", "--metadata", "a=1,b=two", "--cache-control", "no-cache")
    headed = client.head_object(Bucket=bucket, Key="page.html")
    assert headed["Metadata"] == {"a": "1", "b": "two"}
    assert headed["ContentType"] == "text/html" and headed["CacheControl"] == "no-cache"


def test_ls_shows_prefixes_and_sizes(aws, client, bucket):
    for key in ("a/1", "a/2", "top file"):
        client.put_object(Bucket=bucket, Key=key, Body=b"12345")
    lines = aws("s3", "ls", f"s3://{bucket}/").splitlines()
    assert lines[0].split() == ["PRE", "a/"]
    assert lines[1].endswith("5 top file")
    recursive = aws("s3", "ls", f"s3://{bucket}", "--recursive", "--summarize")
    assert "Total Objects: 3" in recursive and "Total Size: 15" in recursive


def test_sync_both_ways_and_delete(aws, client, bucket, tree, tmp_path):
    root, files = tree
    aws("s3", "sync", root, f"s3://{bucket}/copy")
    assert s3.all_keys(client, bucket) == sorted((f"copy/{name}" for name in files), key=str.encode)
    assert aws("s3", "sync", root, f"s3://{bucket}/copy").strip() == ""
    aws("s3", "sync", f"s3://{bucket}/copy", "back")
    for name, content in files.items():
        assert (tmp_path / "back" / name).read_bytes() == content
    (root / "small.txt").unlink()
    aws("s3", "sync", "--delete", root, f"s3://{bucket}/copy")
    assert "copy/small.txt" not in s3.all_keys(client, bucket)


def test_cp_recursive_and_rm_recursive(aws, client, bucket, tree):
    root, files = tree
    aws("s3", "cp", "--recursive", root, f"s3://{bucket}/")
    assert len(s3.all_keys(client, bucket)) == len(files)
    aws("s3", "rm", "--recursive", f"s3://{bucket}/sub/")
    assert s3.all_keys(client, bucket) == ["empty", "small.txt", "with space+plus.bin"]
    aws("s3", "rm", f"s3://{bucket}/empty")
    aws("s3", "rm", "--recursive", f"s3://{bucket}")
    assert s3.all_keys(client, bucket) == []


def test_rb_force_empties_the_bucket(aws, client):
    name = s3.create_bucket(client, s3.new_bucket_name("awscli"))
    for number in range(5):
        client.put_object(Bucket=name, Key=f"k{number}", Body=b"x")
    refused = aws.run("s3", "rb", f"s3://{name}")
    assert refused.status != 0 and "BucketNotEmpty" in refused.errors
    aws("s3", "rb", "--force", f"s3://{name}")
    assert name not in aws("s3", "ls")


def test_presign(aws, client, bucket, address):
    from support import wire

    client.put_object(Bucket=bucket, Key="k", Body=b"signed link")
    url = aws("s3", "presign", f"s3://{bucket}/k").strip()
    target = url.split(f":{address[1]}", 1)[1]
    assert wire.send_plain(address, "GET", target).body == b"signed link"


def test_mv_of_a_file_up_and_down(aws, client, bucket, tmp_path):
    (tmp_path / "moved").write_bytes(b"moving")
    aws("s3", "mv", "moved", f"s3://{bucket}/moved")
    assert not (tmp_path / "moved").exists()
    aws("s3", "mv", f"s3://{bucket}/moved", "back")
    assert (tmp_path / "back").read_bytes() == b"moving"
    assert s3.all_keys(client, bucket) == []


def test_s3api_objects(aws, bucket, tmp_path):
    content = payload(70 * KIB)
    (tmp_path / "body").write_bytes(content)
    put = api(aws, "put-object", "--bucket", bucket, "--key", "a/b", "--body", "body", "--metadata", "x=1")
    assert put["ETag"] == etag(content)
    headed = api(aws, "head-object", "--bucket", bucket, "--key", "a/b", "--checksum-mode", "ENABLED")
    assert headed["ContentLength"] == len(content) and headed["Metadata"] == {"x": "1"}
    assert len([name for name in headed if name.startswith("Checksum") and name != "ChecksumType"]) == 1
    got = api(aws, "get-object", "--bucket", bucket, "--key", "a/b", "--range", "bytes=10-19", "part")
    assert got["ContentRange"] == f"bytes 10-19/{len(content)}"
    assert (tmp_path / "part").read_bytes() == content[10:20]
    listed = api(aws, "list-objects-v2", "--bucket", bucket, "--delimiter", "/")
    assert listed["CommonPrefixes"] == [{"Prefix": "a/"}]
    listed = api(aws, "list-objects", "--bucket", bucket)
    assert [entry["Key"] for entry in listed["Contents"]] == ["a/b"]
    deleted = api(aws, "delete-objects", "--bucket", bucket, "--delete", '{"Objects":[{"Key":"a/b"},{"Key":"none"}]}')
    assert len(deleted["Deleted"]) == 2


def test_s3api_buckets(aws, bucket):
    assert api(aws, "head-bucket", "--bucket", bucket)["BucketRegion"] == REGION
    assert api(aws, "get-bucket-location", "--bucket", bucket)["LocationConstraint"] == REGION
    assert bucket in [entry["Name"] for entry in api(aws, "list-buckets")["Buckets"]]


def test_s3api_names_the_error(aws, bucket):
    missing = aws.run("s3api", "get-object", "--bucket", bucket, "--key", "absent", "out")
    assert missing.status != 0 and "NoSuchKey" in missing.errors
    cors = aws.run("s3api", "get-bucket-cors", "--bucket", bucket)
    assert cors.status != 0 and "NoSuchCORSConfiguration" in cors.errors


def test_pages_of_a_long_listing(aws, client, bucket):
    for number in range(25):
        client.put_object(Bucket=bucket, Key=f"{number:02}", Body=b"x")
    listed = api(aws, "list-objects-v2", "--bucket", bucket, "--page-size", "7")
    assert len(listed["Contents"]) == 25
    assert len(aws("s3", "ls", f"s3://{bucket}/", "--page-size", "4").splitlines()) == 25


def test_cp_of_a_large_file_goes_in_parts(aws, client, bucket, tmp_path):
    content = payload(LARGE)
    (tmp_path / "up").write_bytes(content)
    aws("s3", "cp", "up", f"s3://{bucket}/large", "--metadata", "a=1", "--content-type", "text/x-large")
    headed = client.head_object(Bucket=bucket, Key="large")
    assert headed["Metadata"] == {"a": "1"} and headed["ContentType"] == "text/x-large"
    assert parts_of(client, bucket, "large") == 3
    aws("s3", "cp", f"s3://{bucket}/large", "down")
    assert (tmp_path / "down").read_bytes() == content
    aws("s3", "cp", "-", f"s3://{bucket}/piped", stdin=content)
    assert s3.body_of(client, bucket, "piped") == content


def test_sync_of_nested_folders_with_a_large_file(aws, client, bucket, tree, tmp_path):
    root, files = tree
    files["sub/deep/down/large.bin"] = payload(LARGE)
    (root / "sub/deep/down").mkdir()
    (root / "sub/deep/down/large.bin").write_bytes(files["sub/deep/down/large.bin"])
    aws("s3", "sync", root, f"s3://{bucket}")
    assert s3.all_keys(client, bucket) == sorted(files, key=str.encode)
    assert parts_of(client, bucket, "sub/deep/down/large.bin") == 3
    assert aws("s3", "sync", root, f"s3://{bucket}").strip() == ""
    aws("s3", "sync", f"s3://{bucket}", "back")
    for name, content in files.items():
        assert (tmp_path / "back" / name).read_bytes() == content
    # What is gone on one side goes on the other.
    client.delete_object(Bucket=bucket, Key="sub/deep/down/large.bin")
    aws("s3", "sync", "--delete", f"s3://{bucket}", "back")
    assert not (tmp_path / "back/sub/deep/down/large.bin").exists()
    (tmp_path / "back/empty").unlink()
    aws("s3", "sync", "--delete", "back", f"s3://{bucket}")
    assert "empty" not in s3.all_keys(client, bucket)


def test_cp_within_the_server(aws, client, bucket, other_bucket):
    content = payload(100 * KIB)
    client.put_object(Bucket=bucket, Key="a b+é", Body=content, Metadata={"a": "1"}, Tagging="colour=green")
    aws("s3", "cp", f"s3://{bucket}/a b+é", f"s3://{other_bucket}/copy")
    assert s3.body_of(client, other_bucket, "copy") == content
    assert client.head_object(Bucket=other_bucket, Key="copy")["Metadata"] == {"a": "1"}
    tags = client.get_object_tagging(Bucket=other_bucket, Key="copy")["TagSet"]
    assert tags == [{"Key": "colour", "Value": "green"}]


def test_cp_of_a_large_object_within_the_server_goes_in_parts(aws, client, bucket, other_bucket):
    content = payload(LARGE)
    client.put_object(Bucket=bucket, Key="large", Body=content)
    aws("s3", "cp", f"s3://{bucket}/large", f"s3://{other_bucket}/copy")
    assert parts_of(client, other_bucket, "copy") == 3
    assert s3.body_of(client, other_bucket, "copy") == content


def test_mv_and_sync_within_the_server(aws, client, bucket, other_bucket):
    for key in ("dir/1", "dir/sub/2", "top"):
        client.put_object(Bucket=bucket, Key=key, Body=key.encode())
    aws("s3", "mv", f"s3://{bucket}/top", f"s3://{bucket}/renamed")
    assert s3.all_keys(client, bucket) == ["dir/1", "dir/sub/2", "renamed"]
    aws("s3", "sync", f"s3://{bucket}", f"s3://{other_bucket}/mirror")
    assert s3.all_keys(client, other_bucket) == ["mirror/dir/1", "mirror/dir/sub/2", "mirror/renamed"]
    assert aws("s3", "sync", f"s3://{bucket}", f"s3://{other_bucket}/mirror").strip() == ""
    aws("s3", "mv", "--recursive", f"s3://{bucket}/dir", f"s3://{other_bucket}/moved")
    assert s3.all_keys(client, bucket) == ["renamed"]
    assert s3.body_of(client, other_bucket, "moved/sub/2") == b"dir/sub/2"


def test_cp_with_a_customer_provided_key(aws, client, bucket, tmp_path):
    content = payload(LARGE)
    (tmp_path / "up").write_bytes(content)
    (tmp_path / "key").write_bytes(bytes(range(32)))
    key = ["--sse-c", "AES256", "--sse-c-key", "fileb://key"]
    aws("s3", "cp", *key, "up", f"s3://{bucket}/secret")
    aws("s3", "cp", *key, f"s3://{bucket}/secret", "down")
    assert (tmp_path / "down").read_bytes() == content
    refused = aws.run("s3", "cp", f"s3://{bucket}/secret", "without")
    assert refused.status != 0 and "(400)" in refused.errors


def test_s3api_upload_in_parts(aws, bucket, tmp_path):
    target = ["--bucket", bucket, "--key", "k"]
    parts = [payload(5 * MIB, seed=1), payload(10, seed=2)]
    upload = ["--upload-id", api(aws, "create-multipart-upload", *target)["UploadId"]]
    listed = api(aws, "list-multipart-uploads", "--bucket", bucket)
    assert [entry["UploadId"] for entry in listed["Uploads"]] == upload[1:]
    for number, content in enumerate(parts, 1):
        (tmp_path / "part").write_bytes(content)
        api(aws, "upload-part", *target, *upload, "--part-number", str(number), "--body", "part")
    stored = api(aws, "list-parts", *target, *upload)["Parts"]
    named = {"Parts": [{name: part[name] for name in part if name in PART_NAMED} for part in stored]}
    api(aws, "complete-multipart-upload", *target, *upload, "--multipart-upload", json.dumps(named))
    api(aws, "get-object", *target, "whole")
    assert (tmp_path / "whole").read_bytes() == b"".join(parts)
    attributes = api(aws, "get-object-attributes", *target, "--object-attributes", "ObjectSize", "ObjectParts")
    assert attributes["ObjectSize"] == 5 * MIB + 10 and attributes["ObjectParts"]["TotalPartsCount"] == 2


def test_s3api_lifecycle(aws, bucket):
    rules = {
        "Rules": [
            {
                "ID": "logs",
                "Filter": {"And": {"Prefix": "logs/", "Tags": [{"Key": "a", "Value": "1"}]}},
                "Status": "Enabled",
                "Expiration": {"Days": 30},
            },
            {
                "ID": "versions",
                "Filter": {"Prefix": ""},
                "Status": "Disabled",
                "Expiration": {"Date": "2027-01-01T00:00:00.000Z"},
                "NoncurrentVersionExpiration": {"NoncurrentDays": 7, "NewerNoncurrentVersions": 2},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1},
            },
        ]
    }
    configuration = ["--lifecycle-configuration", json.dumps(rules)]
    api(aws, "put-bucket-lifecycle-configuration", "--bucket", bucket, *configuration)
    assert api(aws, "get-bucket-lifecycle-configuration", "--bucket", bucket) == rules
    api(aws, "delete-bucket-lifecycle", "--bucket", bucket)
    none = aws.run("s3api", "get-bucket-lifecycle-configuration", "--bucket", bucket)
    assert none.status != 0 and "NoSuchLifecycleConfiguration" in none.errors


def test_s3api_bucket_policy(aws, client, alt_client, bucket, tmp_path):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
    (tmp_path / "policy.json").write_text(document)
    missing = aws.run("s3api", "get-bucket-policy", "--bucket", bucket)
    assert missing.status != 0 and "NoSuchBucketPolicy" in missing.errors
    api(aws, "put-bucket-policy", "--bucket", bucket, "--policy", "file://policy.json")
    assert api(aws, "get-bucket-policy", "--bucket", bucket)["Policy"] == document
    assert s3.body_of(alt_client, bucket, "k") == b"x"
    assert aws("--no-sign-request", "s3", "cp", f"s3://{bucket}/k", "-") == "x"
    closed = aws.run("--no-sign-request", "s3", "ls", f"s3://{bucket}")
    assert closed.status != 0 and "AccessDenied" in closed.errors
    malformed = aws.run("s3api", "put-bucket-policy", "--bucket", bucket, "--policy", '{"Statement":[]}')
    assert malformed.status != 0 and "MalformedPolicy" in malformed.errors
    api(aws, "delete-bucket-policy", "--bucket", bucket)
    with s3.refused(403, "AccessDenied"):
        alt_client.get_object(Bucket=bucket, Key="k")
