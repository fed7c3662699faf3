"""What each call needs of a bucket policy, and what a refusal tells."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from support import multipart, s3, wire
from support.accounts import ALT, MAIN, TENANT, Account
from support.policy import Guarded
from support.s3 import ClientError, refused
from support.server import REPOSITORY

TAG = {"TagSet": [{"Key": "a", "Value": "b"}]}
ENABLED = {"Status": "Enabled"}


class Furnished(Guarded):
    """A bucket in which every call has something to do: an object `k` with a tag, one without, an upload of one part."""

    upload = ""
    part: dict = {}

    def furnish(self) -> None:
        """Makes it anew, whatever calls have left of it."""
        s3.delete_bucket_with_objects(self.client, self.name)
        s3.create_bucket(self.client, self.name)
        self.client.put_bucket_tagging(Bucket=self.name, Tagging=TAG)
        self.fill("k", Tagging="a=b")
        self.fill("plain")
        self.upload = multipart.begin(self.client, self.name, "up")
        self.part = multipart.put_part(self.client, self.name, "up", self.upload, 1, b"part")

    def contents(self) -> list:
        """All that calls could have changed."""
        of_k = {"Bucket": self.name, "Key": "k"}
        return [
            [(entry["Key"], entry["VersionId"], entry["ETag"]) for entry in s3.versions(self.client, self.name)],
            self.client.get_object_tagging(**of_k)["TagSet"],
            self.client.get_bucket_tagging(Bucket=self.name)["TagSet"],
            self.client.get_bucket_versioning(Bucket=self.name).get("Status"),
            [entry["UploadId"] for entry in self.client.list_multipart_uploads(Bucket=self.name)["Uploads"]],
            multipart.listed(self.client, self.name, "up", self.upload),
        ]

    def source(self, key: str = "plain", **more) -> dict:
        return {"Bucket": self.name, "Key": key, **more}


@dataclass(frozen=True)
class Needs:
    """A call, the actions that it needs, all of them, and the name that AWS has for the one it needs."""

    call: Callable
    actions: tuple[str, ...]
    finer: str | None = None
    # How it ends where it is allowed; None: well.
    ends: str | None = None


def needs(call: Callable, *actions: str, finer: str | None = None, ends: str | None = None) -> Needs:
    return Needs(call, actions, finer, ends)


def of_bucket(name: str, **parameters) -> Callable:
    return lambda client, place: getattr(client, name)(Bucket=place.name, **parameters)


def of_object(name: str, key: str = "k", **parameters) -> Callable:
    return lambda client, place: getattr(client, name)(Bucket=place.name, Key=key, **parameters)


def of_upload(name: str, **parameters) -> Callable:
    return lambda client, place: getattr(client, name)(
        Bucket=place.name, Key="up", UploadId=place.upload, **parameters
    )


OF_NULL = {"VersionId": "null"}
RULE = {"ID": "r", "Status": "Enabled", "Filter": {"Prefix": "never"}, "Expiration": {"Days": 3650}}
TABLE = {
    "AbortMultipartUpload": needs(of_upload("abort_multipart_upload"), "AbortMultipartUpload"),
    "CompleteMultipartUpload": needs(
        lambda client, place: multipart.complete(client, place.name, "up", place.upload, [place.part]), "PutObject"
    ),
    "CopyObject": needs(
        lambda client, place: client.copy_object(Bucket=place.name, Key="copy", CopySource=place.source()),
        "GetObject",
        "PutObject",
    ),
    # Its tags come along, which needs no leave of its own.
    "CopyObject of what has tags": needs(
        lambda client, place: client.copy_object(Bucket=place.name, Key="copy", CopySource=place.source("k")),
        "GetObject",
        "PutObject",
    ),
    "CopyObject without the tags": needs(
        lambda client, place: client.copy_object(
            Bucket=place.name, Key="copy", CopySource=place.source("k"), TaggingDirective="REPLACE"
        ),
        "GetObject",
        "PutObject",
    ),
    "CopyObject of a version": needs(
        lambda client, place: client.copy_object(Bucket=place.name, Key="copy", CopySource=place.source(**OF_NULL)),
        "GetObject",
        "PutObject",
    ),
    "CreateMultipartUpload": needs(of_object("create_multipart_upload"), "PutObject"),
    "DeleteBucket": needs(of_bucket("delete_bucket"), "DeleteBucket", ends="BucketNotEmpty"),
    "DeleteBucketLifecycle": needs(of_bucket("delete_bucket_lifecycle"), "DeleteLifecycleConfiguration"),
    "DeleteBucketPolicy": needs(of_bucket("delete_bucket_policy"), "DeleteBucketPolicy"),
    "DeleteBucketTagging": needs(of_bucket("delete_bucket_tagging"), "DeleteBucketTagging"),
    "DeleteObject": needs(of_object("delete_object"), "DeleteObject"),
    "DeleteObject of a version": needs(of_object("delete_object", **OF_NULL), "DeleteObject", "DeleteObjectVersion"),
    "DeleteObjectTagging": needs(of_object("delete_object_tagging"), "DeleteObjectTagging"),
    "DeleteObjectTagging of a version": needs(
        of_object("delete_object_tagging", **OF_NULL), "DeleteObjectTagging", finer="DeleteObjectVersionTagging"
    ),
    "GetBucketAcl": needs(of_bucket("get_bucket_acl"), "ListBucket", finer="GetBucketAcl"),
    "GetBucketLifecycleConfiguration": needs(
        of_bucket("get_bucket_lifecycle_configuration"),
        "GetLifecycleConfiguration",
        ends="NoSuchLifecycleConfiguration",
    ),
    "GetBucketLocation": needs(of_bucket("get_bucket_location"), "GetBucketLocation"),
    "GetBucketPolicy": needs(of_bucket("get_bucket_policy"), "GetBucketPolicy"),
    "GetBucketTagging": needs(of_bucket("get_bucket_tagging"), "GetBucketTagging"),
    "GetBucketVersioning": needs(of_bucket("get_bucket_versioning"), "GetBucketVersioning"),
    "GetObject": needs(of_object("get_object"), "GetObject"),
    "GetObject of a version": needs(of_object("get_object", **OF_NULL), "GetObject", finer="GetObjectVersion"),
    "GetObject of a part": needs(of_object("get_object", PartNumber=1), "GetObject"),
    "GetObjectAcl": needs(of_object("get_object_acl"), "GetObject", finer="GetObjectAcl"),
    "GetObjectAcl of a version": needs(
        of_object("get_object_acl", **OF_NULL), "GetObject", finer="GetObjectVersionAcl"
    ),
    "GetObjectAttributes": needs(
        of_object("get_object_attributes", ObjectAttributes=["ETag"]), "GetObject", finer="GetObjectAttributes"
    ),
    "GetObjectAttributes of a version": needs(
        of_object("get_object_attributes", ObjectAttributes=["ETag"], **OF_NULL),
        "GetObject",
        finer="GetObjectVersionAttributes",
    ),
    "GetObjectAttributes of a version, by its other name": needs(
        of_object("get_object_attributes", ObjectAttributes=["ETag"], **OF_NULL), "GetObject", finer="GetObjectVersion"
    ),
    "GetObjectTagging": needs(of_object("get_object_tagging"), "GetObjectTagging"),
    "GetObjectTagging of a version": needs(
        of_object("get_object_tagging", **OF_NULL), "GetObjectTagging", finer="GetObjectVersionTagging"
    ),
    "HeadBucket": needs(of_bucket("head_bucket"), "ListBucket"),
    "HeadObject": needs(of_object("head_object"), "GetObject"),
    "HeadObject of a version": needs(of_object("head_object", **OF_NULL), "GetObject", finer="GetObjectVersion"),
    "ListMultipartUploads": needs(of_bucket("list_multipart_uploads"), "ListBucketMultipartUploads"),
    "ListObjectVersions": needs(of_bucket("list_object_versions"), "ListBucket", finer="ListBucketVersions"),
    "ListObjects": needs(of_bucket("list_objects"), "ListBucket"),
    "ListObjectsV2": needs(of_bucket("list_objects_v2"), "ListBucket"),
    "ListParts": needs(of_upload("list_parts"), "ListMultipartUploadParts"),
    "PutBucketLifecycleConfiguration": needs(
        of_bucket("put_bucket_lifecycle_configuration", LifecycleConfiguration={"Rules": [RULE]}),
        "PutLifecycleConfiguration",
    ),
    "PutBucketTagging": needs(of_bucket("put_bucket_tagging", Tagging={"TagSet": []}), "PutBucketTagging"),
    "PutBucketVersioning": needs(
        of_bucket("put_bucket_versioning", VersioningConfiguration=ENABLED), "PutBucketVersioning"
    ),
    "PutObject": needs(of_object("put_object", Body=b"new"), "PutObject"),
    "PutObject of a new key": needs(of_object("put_object", "new", Body=b"new"), "PutObject"),
    "PutObject with tags": needs(of_object("put_object", Body=b"new", Tagging="x=y"), "PutObject"),
    "PutObjectTagging": needs(of_object("put_object_tagging", Tagging={"TagSet": []}), "PutObjectTagging"),
    "PutObjectTagging of a version": needs(
        of_object("put_object_tagging", Tagging={"TagSet": []}, **OF_NULL),
        "PutObjectTagging",
        finer="PutObjectVersionTagging",
    ),
    "RenameObject": needs(of_object("rename_object", "renamed", RenameSource="k"), "PutObject", "DeleteObject"),
    "UploadPart": needs(of_upload("upload_part", PartNumber=1, Body=b"another"), "PutObject"),
    "UploadPartCopy": needs(
        lambda client, place: of_upload("upload_part_copy", PartNumber=1, CopySource=place.source())(client, place),
        "GetObject",
        "PutObject",
    ),
}
# Calls that the README says are served.
SERVED = {
    cells[1].strip()
    for line in (REPOSITORY / "README.md").read_text().splitlines()
    if len(cells := line.split("|")) == 4 and cells[2].strip() == "yes"
}
OPERATIONS = {name: row for name, row in TABLE.items() if name.partition(" ")[0] in SERVED}


@pytest.fixture
def furnished(client, guarded) -> Furnished:
    return Furnished(client, guarded.name)


def outcome(call: Callable, client, place: Furnished) -> str | None:
    """The code of a refusal; for a HEAD it is the status."""
    try:
        call(client, place)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return None


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_a_call_of_another_organisation_needs(alt_client, furnished, name):
    operation = OPERATIONS[name]
    actions = [f"s3:{action}" for action in operation.actions]
    finer = [f"s3:{operation.finer}"] if operation.finer else []
    furnished.furnish()
    before = furnished.contents()

    def judged(*statements: dict) -> str | None:
        furnished.set(*statements)
        return outcome(operation.call, alt_client, furnished)

    everything, others = furnished.allow(), furnished.allow("s3:*", TENANT)
    for statements in (
        [],
        [others],
        [furnished.allow(NotAction=[*actions, *finer])],
        *([furnished.allow(NotAction=[action, *finer])] for action in actions),
        *([everything, furnished.deny(action)] for action in [*actions, *finer]),
    ):
        assert judged(*statements) in ("AccessDenied", "403"), statements
    furnished.set()
    assert furnished.contents() == before

    assert judged(furnished.allow(actions)) == operation.ends
    for name in finer:
        furnished.furnish()
        assert judged(furnished.allow(name), others) == operation.ends
    # What others are denied is their matter.
    furnished.furnish()
    assert judged(everything, furnished.deny("s3:*", TENANT)) == operation.ends


@pytest.mark.parametrize("name", OPERATIONS)
def test_what_a_call_of_a_member_can_be_denied(client, furnished, name):
    operation = OPERATIONS[name]
    furnished.furnish()
    for action in [*operation.actions, *([operation.finer] if operation.finer else [])]:
        furnished.set(furnished.deny(f"s3:{action}", MAIN))
        assert outcome(operation.call, client, furnished) in ("AccessDenied", "403"), action
    # A member needs no Allow.
    furnished.set(furnished.allow("s3:GetBucketLocation"))
    assert outcome(operation.call, client, furnished) == operation.ends


def test_every_operation_is_in_the_table():
    """A new operation belongs into the table above; the others are judged by tests of their own."""
    elsewhere = {"CreateBucket", "DeleteObjects", "ListBuckets", "PutBucketPolicy"}
    assert {name.partition(" ")[0] for name in OPERATIONS} | elsewhere == SERVED


# ----------------------------------------------------------------------------------------------------- versions


@pytest.fixture
def versioned(client, guarded):
    """The bucket, with two versions of `k`; the ids of the elder and the newer."""
    s3.set_versioning(client, guarded.name, "Enabled")
    ids = [client.put_object(Bucket=guarded.name, Key="k", Body=body)["VersionId"] for body in (b"1", b"2")]
    return guarded, *ids


def test_reads_of_versions(alt_client, versioned):
    guarded, old, new = versioned

    def may_read() -> set:
        found = set()
        for version in (None, old, new):
            named = {"VersionId": version} if version else {}
            if outcome(of_object("get_object", **named), alt_client, guarded) is None:
                found.add(version)
        return found

    guarded.set(guarded.allow("s3:GetObject"))
    assert may_read() == {None, old, new}
    guarded.set(guarded.allow("s3:GetObjectVersion"))
    assert may_read() == {old, new}
    guarded.set(guarded.allow("s3:GetObject"), guarded.deny("s3:GetObjectVersion"))
    assert may_read() == {None}
    guarded.set(guarded.allow("s3:GetObject*"), guarded.deny("s3:GetObject"))
    assert may_read() == set()


def test_deletes_of_versions(alt_client, versioned):
    guarded, old, new = versioned
    guarded.set(guarded.allow("s3:DeleteObjectVersion"))
    for named in ({}, {"VersionId": old}):
        with refused(403, "AccessDenied"):
            alt_client.delete_object(Bucket=guarded.name, Key="k", **named)
    guarded.set(guarded.allow("s3:DeleteObject"))
    with refused(403, "AccessDenied"):
        alt_client.delete_object(Bucket=guarded.name, Key="k", VersionId=old)
    marker = alt_client.delete_object(Bucket=guarded.name, Key="k")["VersionId"]
    guarded.set(guarded.allow(["s3:DeleteObject", "s3:DeleteObjectVersion"]))
    alt_client.delete_object(Bucket=guarded.name, Key="k", VersionId=old)
    alt_client.delete_object(Bucket=guarded.name, Key="k", VersionId=marker)
    assert [entry["VersionId"] for entry in s3.versions(guarded.client, guarded.name)] == [new]


def test_an_id_that_is_none_is_a_version_all_the_same(alt_client, versioned):
    """It is judged before it is looked at."""
    guarded, *_ = versioned
    guarded.set(guarded.allow("s3:GetObject"), guarded.deny("s3:GetObjectVersion"))
    for named in ("no version", "null", ""):
        with refused(403, "AccessDenied"):
            alt_client.get_object(Bucket=guarded.name, Key="k", VersionId=named)


# ------------------------------------------------------------------------------------------------------- copies


@pytest.fixture
def alt_bucket(alt_client):
    """A bucket of `alt` with one object."""
    name = s3.create_bucket(alt_client, s3.new_bucket_name("alt"))
    alt_client.put_object(Bucket=name, Key="own", Body=b"own")
    yield name
    s3.delete_bucket_with_objects(alt_client, name)


def test_copies_between_organisations(client, alt_client, guarded, alt_bucket):
    guarded.fill("open/k", "k")

    def take(key: str):
        return alt_client.copy_object(Bucket=alt_bucket, Key="taken", CopySource={"Bucket": guarded.name, "Key": key})

    def bring(key: str):
        return alt_client.copy_object(Bucket=guarded.name, Key=key, CopySource={"Bucket": alt_bucket, "Key": "own"})

    for call in (take, bring):
        with refused(403, "AccessDenied"):
            call("open/k")
    guarded.set(guarded.allow("s3:GetObject", on="open/*"), guarded.allow("s3:PutObject", on="in/*"))
    take("open/k")
    assert s3.body_of(alt_client, alt_bucket, "taken") == b"open/k"
    bring("in/k")
    assert s3.body_of(client, guarded.name, "in/k") == b"own"
    with refused(403, "AccessDenied"):
        take("k")
    with refused(403, "AccessDenied"):
        bring("open/k")
    # The destination's owner cannot read for others what he may not.
    with refused(403, "AccessDenied"):
        client.copy_object(Bucket=guarded.name, Key="k", CopySource={"Bucket": alt_bucket, "Key": "own"})
    assert s3.body_of(client, guarded.name, "open/k") == b"open/k"


def test_copies_of_versions(alt_client, versioned, alt_bucket):
    guarded, old, _ = versioned

    def take(**version):
        source = {"Bucket": guarded.name, "Key": "k", **version}
        alt_client.copy_object(Bucket=alt_bucket, Key="taken", CopySource=source)
        return s3.body_of(alt_client, alt_bucket, "taken")

    guarded.set(guarded.allow("s3:GetObject"))
    assert (take(), take(VersionId=old)) == (b"2", b"1")
    guarded.set(guarded.allow("s3:GetObject"), guarded.deny("s3:GetObjectVersion"))
    assert take() == b"2"
    with refused(403, "AccessDenied"):
        take(VersionId=old)
    guarded.set(guarded.allow("s3:GetObjectVersion"))
    assert take(VersionId=old) == b"1"
    with refused(403, "AccessDenied"):
        take()


def test_copies_of_parts_between_organisations(alt_client, guarded, alt_bucket):
    guarded.fill("open/k", "k")
    upload = multipart.begin(alt_client, alt_bucket, "up")

    def take(key: str):
        return alt_client.upload_part_copy(
            Bucket=alt_bucket,
            Key="up",
            UploadId=upload,
            PartNumber=1,
            CopySource={"Bucket": guarded.name, "Key": key},
        )

    guarded.set(guarded.allow("s3:GetObject", on="open/*"))
    take("open/k")
    with refused(403, "AccessDenied"):
        take("k")


def test_a_copy_onto_a_denied_key_leaves_no_trace(alt_client, furnished):
    furnished.furnish()
    before = furnished.contents()
    furnished.set(furnished.allow(["s3:GetObject", "s3:PutObject"]), furnished.deny("s3:PutObject", on="copy"))
    with refused(403, "AccessDenied"):
        alt_client.copy_object(Bucket=furnished.name, Key="copy", CopySource=furnished.source())
    furnished.set()
    assert furnished.contents() == before


# ------------------------------------------------------------------------------------------------------- renames


def test_a_rename_deletes_its_source(client, alt_client, guarded):
    guarded.fill("from/k", "kept/k")

    def rename(source: str, key: str):
        alt_client.rename_object(Bucket=guarded.name, Key=key, RenameSource=source)

    guarded.set(guarded.allow("s3:PutObject", on="to/*"), guarded.allow("s3:DeleteObject", on="from/*"))
    for source, key in (("kept/k", "to/k"), ("from/k", "from/other"), ("from/k", "kept/k"), ("to/k", "to/other")):
        with refused(403, "AccessDenied"):
            rename(source, key)
    rename("from/k", "to/k")
    assert s3.all_keys(client, guarded.name) == ["kept/k", "to/k"]
    # What a rename overwrites it does not need to be allowed to delete.
    guarded.set(guarded.allow("s3:PutObject", on="kept/*"), guarded.allow("s3:DeleteObject", on="to/*"))
    rename("to/k", "kept/k")
    assert s3.all_keys(client, guarded.name) == ["kept/k"]


def test_a_rename_that_was_denied_can_be_sent_again(client, guarded):
    """Its token is not used up."""
    guarded.fill("k")
    rename = {"Bucket": guarded.name, "Key": "to", "RenameSource": "k", "ClientToken": "a-token"}
    guarded.set(guarded.deny("s3:DeleteObject", MAIN))
    with refused(403, "AccessDenied"):
        client.rename_object(**rename)
    guarded.set()
    client.rename_object(**rename)
    assert s3.all_keys(client, guarded.name) == ["to"]
    # And one that was done is not told to who may no longer do it.
    guarded.set(guarded.deny("s3:DeleteObject", MAIN))
    with refused(403, "AccessDenied"):
        client.rename_object(**rename)


# --------------------------------------------------------------------------------------------- deletes of many


def delete_all(client, bucket: str, objects: list[dict], quiet: bool = False) -> tuple[set, dict]:
    """What was deleted, and the code of each refusal; by key and version."""
    answer = client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": quiet})
    deleted = {(entry["Key"], entry.get("VersionId")) for entry in answer.get("Deleted", [])}
    errors = {(entry["Key"], entry.get("VersionId")): entry["Code"] for entry in answer.get("Errors", [])}
    return deleted, errors


@pytest.mark.parametrize("quiet", [False, True])
def test_deletes_of_many_are_judged_one_by_one(client, alt_client, guarded, quiet):
    keys = ["mine/1", "mine/2", "theirs/1", "mine/absent", "theirs/absent"]
    guarded.fill("mine/1", "mine/2", "theirs/1")
    guarded.set(guarded.allow("s3:DeleteObject", on="mine/*"))
    deleted, errors = delete_all(alt_client, guarded.name, [{"Key": key} for key in keys], quiet)
    assert deleted == (set() if quiet else {("mine/1", None), ("mine/2", None), ("mine/absent", None)})
    assert errors == {("theirs/1", None): "AccessDenied", ("theirs/absent", None): "AccessDenied"}
    assert s3.all_keys(client, guarded.name) == ["theirs/1"]


def test_a_member_can_be_denied_some_of_many(client, guarded):
    guarded.fill("a", "b", "c")
    guarded.set(guarded.deny("s3:DeleteObject", "*", on="b"))
    deleted, errors = delete_all(client, guarded.name, [{"Key": key} for key in "abc"])
    assert (deleted, errors) == ({("a", None), ("c", None)}, {("b", None): "AccessDenied"})
    assert s3.all_keys(client, guarded.name) == ["b"]


def test_deletes_of_many_versions(client, alt_client, versioned):
    guarded, old, new = versioned
    objects = [{"Key": "k", "VersionId": old}, {"Key": "k"}]
    guarded.set(guarded.allow("s3:DeleteObject"))
    deleted, errors = delete_all(alt_client, guarded.name, objects)
    assert (deleted, errors) == ({("k", None)}, {("k", old): "AccessDenied"})
    guarded.set(guarded.allow("s3:DeleteObjectVersion"))
    deleted, errors = delete_all(alt_client, guarded.name, objects)
    assert (deleted, errors) == (set(), {("k", old): "AccessDenied", ("k", None): "AccessDenied"})
    guarded.set(guarded.allow(["s3:DeleteObject", "s3:DeleteObjectVersion"]))
    deleted, errors = delete_all(alt_client, guarded.name, objects)
    assert deleted == {("k", old), ("k", None)} and not errors
    versions = {entry["VersionId"] for entry in s3.versions(client, guarded.name)}
    assert old not in versions and new in versions


def test_deletes_of_many_by_strangers(client, alt_client, guarded):
    guarded.fill("a", "b")
    objects = [{"Key": "a"}, {"Key": "b"}]
    with refused(403, "AccessDenied"):
        delete_all(alt_client, guarded.name, objects)
    guarded.set(guarded.allow("s3:GetObject"))
    deleted, errors = delete_all(alt_client, guarded.name, objects)
    assert (deleted, errors) == (set(), {("a", None): "AccessDenied", ("b", None): "AccessDenied"})
    assert s3.all_keys(client, guarded.name) == ["a", "b"]


def test_conditions_of_deletes_of_many(client, guarded):
    """Tags are those of each object."""
    guarded.fill("kept", Tagging="keep=yes")
    guarded.fill("free", Tagging="keep=no")
    guarded.set(guarded.deny("s3:DeleteObject", "*", when={"StringEquals": {"s3:ExistingObjectTag/keep": "yes"}}))
    deleted, errors = delete_all(client, guarded.name, [{"Key": "kept"}, {"Key": "free"}])
    assert (deleted, errors) == ({("free", None)}, {("kept", None): "AccessDenied"})


# ----------------------------------------------------------------------------------------------- uploads in parts


def test_an_upload_of_another_organisation(client, alt_client, guarded):
    guarded.set(guarded.allow("s3:PutObject", on="in/*"))
    content = [b"p" * multipart.MIN_PART, b"end"]
    upload = multipart.begin(alt_client, guarded.name, "in/k")
    parts = [multipart.put_part(alt_client, guarded.name, "in/k", upload, n, part) for n, part in enumerate(content, 1)]
    for name in ("list_parts", "abort_multipart_upload"):
        with refused(403, "AccessDenied"):
            getattr(alt_client, name)(Bucket=guarded.name, Key="in/k", UploadId=upload)
    with refused(403, "AccessDenied"):
        alt_client.list_multipart_uploads(Bucket=guarded.name)
    with refused(403, "AccessDenied"):
        multipart.begin(alt_client, guarded.name, "elsewhere")
    multipart.complete(alt_client, guarded.name, "in/k", upload, parts)
    assert s3.body_of(client, guarded.name, "in/k") == b"".join(content)

    upload = multipart.begin(alt_client, guarded.name, "in/k")
    guarded.set(guarded.allow(["s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"], on="in/*"))
    assert multipart.listed(alt_client, guarded.name, "in/k", upload) == []
    with refused(403, "AccessDenied"):
        multipart.put_part(alt_client, guarded.name, "in/k", upload, 1, b"x")
    alt_client.abort_multipart_upload(Bucket=guarded.name, Key="in/k", UploadId=upload)


def test_a_policy_that_changes_during_an_upload(client, alt_client, guarded):
    guarded.set(guarded.allow("s3:PutObject"))
    upload = multipart.begin(alt_client, guarded.name, "k")
    part = multipart.put_part(alt_client, guarded.name, "k", upload, 1, b"x")
    guarded.set()
    with refused(403, "AccessDenied"):
        multipart.complete(alt_client, guarded.name, "k", upload, [part])
    assert s3.all_keys(client, guarded.name) == []
    multipart.complete(client, guarded.name, "k", upload, [part])


# --------------------------------------------------------------------------------------- tags that a write brings


def test_an_explicit_deny_of_tagging_counts_for_tags_in_headers(client, alt_client, guarded):
    guarded.fill("source", Tagging="colour=red")
    tagged = {"Bucket": guarded.name, "Key": "k", "Tagging": "colour=green"}
    copied = {**tagged, "CopySource": f"{guarded.name}/source", "TaggingDirective": "REPLACE"}

    def write_all(writer, **parameters):
        yield lambda: writer.put_object(**{**tagged, "Body": b"x", **parameters})
        yield lambda: writer.create_multipart_upload(**{**tagged, **parameters})
        yield lambda: writer.copy_object(**{**copied, **parameters})

    # Nothing but PutObject is needed.
    guarded.set(guarded.allow(["s3:GetObject", "s3:PutObject"]))
    for write in write_all(alt_client):
        write()
    client.delete_object(Bucket=guarded.name, Key="k")
    for who, writer in ((ALT, alt_client), (MAIN, client)):
        guarded.set(guarded.allow(["s3:GetObject", "s3:PutObject"]), guarded.deny("s3:PutObjectTagging", who))
        for write in write_all(writer):
            with refused(403, "AccessDenied"):
                write()
        assert not s3.exists(client, guarded.name, "k")
        writer.put_object(Bucket=guarded.name, Key="untagged", Body=b"x")
    guarded.set(guarded.deny("s3:PutObjectTagging", MAIN, on="denied/*"))
    client.put_object(**tagged, Body=b"x")


# ------------------------------------------------------------------------------------- what a refusal does not tell


def seen(address, guarded, key: str, account: Account = ALT, method: str = "GET", **request) -> tuple[int, str | None]:
    """Status and code of a request for a key."""
    answer = wire.call(address, method, wire.object_path(guarded.name, key), account=account, **request)
    if method == "HEAD":
        assert answer.body == b"" and answer.get("content-length") in (None, "0")
        return answer.status, None
    return (answer.status, None) if answer.status < 300 else answer.refusal()


DENIED, ABSENT = (403, "AccessDenied"), (404, "NoSuchKey")


@pytest.mark.parametrize(
    "query, headers",
    [([], {}), ([("acl", "")], {}), ([("tagging", "")], {}), ([("attributes", "")], {"x-amz-object-attributes": "ETag"})],
)
def test_who_may_not_list_is_not_told_what_is_absent(address, guarded, query, headers):
    reads = ["s3:GetObject", "s3:GetObjectTagging"]
    guarded.fill("k")

    def absent(account=ALT):
        return seen(address, guarded, "absent", account, query=query, headers=headers)

    assert absent() == DENIED and absent(MAIN) == ABSENT
    guarded.set(guarded.allow(reads))
    assert absent() == DENIED and absent(MAIN) == ABSENT
    guarded.set(guarded.allow([*reads, "s3:ListBucket"]))
    assert absent() == ABSENT
    # Also who may not read: the listing tells as much.
    guarded.set(guarded.allow("s3:ListBucket"))
    assert absent() == ABSENT
    assert seen(address, guarded, "k", query=query, headers=headers) == DENIED
    guarded.set(guarded.allow([*reads, "s3:ListBucket"]), guarded.deny("s3:ListBucket", "*"))
    assert absent() == DENIED and absent(MAIN) == DENIED


def test_the_prefix_of_the_right_to_list_is_asked_of_the_key(address, guarded):
    guarded.fill("open/k")
    for when in (
        {"StringLike": {"s3:prefix": "open/*"}},
        {"StringNotLike": {"s3:prefix": "secret/*"}},
        {"StringEquals": {"s3:prefix": "open/absent"}},
    ):
        guarded.set(guarded.allow("s3:GetObject"), guarded.allow("s3:ListBucket", when=when))
        for method in ("GET", "HEAD"):
            code = {"GET": lambda code: code, "HEAD": lambda code: None}[method]
            assert seen(address, guarded, "open/absent", method=method) == (404, code("NoSuchKey"))
            assert seen(address, guarded, "secret/absent", method=method) == (403, code("AccessDenied"))
    # The prefix is the key, whatever the query says.
    query = [("prefix", "open/")]
    guarded.set(guarded.allow("s3:GetObject"), guarded.allow("s3:ListBucket", when={"StringLike": {"s3:prefix": "open/*"}}))
    assert seen(address, guarded, "secret/absent", query=query) == DENIED


def test_absent_versions_and_markers(address, client, versioned):
    guarded, old, new = versioned
    marker = client.delete_object(Bucket=guarded.name, Key="k")["VersionId"]
    client.delete_object(Bucket=guarded.name, Key="k", VersionId=old)

    def ask(*query):
        return wire.call(address, "GET", f"/{guarded.name}/k", query=query, account=ALT)

    guarded.set(guarded.allow("s3:GetObject"))
    assert ask(("versionId", old)).refusal() == DENIED
    assert ask(("versionId", marker)).refusal() == DENIED
    answer = ask()
    assert answer.refusal() == DENIED
    # Nor that it was deleted.
    for name in ("x-amz-delete-marker", "x-amz-version-id", "last-modified"):
        assert answer.get(name) is None
    assert ask(("versionId", new)).status == 200
    guarded.set(guarded.allow(["s3:GetObject", "s3:ListBucket"]))
    assert ask(("versionId", old)).refusal() == (404, "NoSuchVersion")
    assert ask(("versionId", marker)).refusal() == (405, "MethodNotAllowed")
    answer = ask()
    assert answer.refusal() == ABSENT and answer.get("x-amz-version-id") == marker


def test_absent_sources_of_copies(alt_client, guarded, alt_bucket):
    guarded.fill("k")

    def take(key: str, **version):
        source = {"Bucket": guarded.name, "Key": key, **version}
        alt_client.copy_object(Bucket=alt_bucket, Key="taken", CopySource=source)

    upload = multipart.begin(alt_client, alt_bucket, "up")

    def take_part(key: str, **version):
        source = {"Bucket": guarded.name, "Key": key, **version}
        alt_client.upload_part_copy(Bucket=alt_bucket, Key="up", UploadId=upload, PartNumber=1, CopySource=source)

    for call in (take, take_part):
        guarded.set(guarded.allow("s3:GetObject"))
        for version in ({}, {"VersionId": "null"}):
            with refused(403, "AccessDenied"):
                call("absent", **version)
        guarded.set(guarded.allow(["s3:GetObject", "s3:ListBucket"]))
        with refused(404, "NoSuchKey"):
            call("absent")
        with refused(404, "NoSuchVersion"):
            call("absent", VersionId="null")
        # The right to list the destination is another matter.
        with refused(404, "NoSuchBucket"):
            alt_client.copy_object(Bucket=alt_bucket, Key="taken", CopySource=f"{s3.new_bucket_name('missing')}/k")


def test_absent_keys_of_writes(alt_client, guarded):
    """Where a write says whether there is something, it says it to those alone who may list."""
    calls = (
        (of_object("put_object_tagging", "absent", Tagging=TAG), ["s3:PutObjectTagging"]),
        (of_object("delete_object_tagging", "absent"), ["s3:DeleteObjectTagging"]),
        (of_object("rename_object", "to", RenameSource="absent"), ["s3:PutObject", "s3:DeleteObject"]),
    )
    for call, actions in calls:
        guarded.set(guarded.allow(actions))
        with refused(403, "AccessDenied"):
            call(alt_client, guarded)
        guarded.set(guarded.allow([*actions, "s3:ListBucket"]))
        with refused(404, "NoSuchKey"):
            call(alt_client, guarded)
    guarded.set(guarded.allow("s3:DeleteObject"))
    assert alt_client.delete_object(Bucket=guarded.name, Key="absent")["ResponseMetadata"]["HTTPStatusCode"] == 204


def test_a_refusal_is_the_same_whatever_its_reason(address, guarded):
    guarded.fill("k")

    def body(key: str = "k", method: str = "GET", **request) -> dict[str, str]:
        answer = wire.call(address, method, f"/{guarded.name}/{key}", account=ALT, **request)
        assert answer.refusal() == DENIED
        fields = answer.error()
        for name in ("RequestId", "HostId", "Resource"):
            del fields[name]
        return fields

    plain = body()
    assert set(plain) == {"Code", "Message"}
    never = {"Null": {"aws:SourceIp": "true"}}
    reasons = [
        [guarded.allow("s3:PutBucketTagging")],
        [guarded.allow("s3:GetObject", TENANT)],
        [guarded.allow("s3:GetObject", on="other")],
        [guarded.allow("s3:GetObject", when=never)],
        [guarded.allow("s3:GetObject"), guarded.deny("s3:GetObject", Sid="why")],
        [guarded.allow("s3:GetObject"), guarded.deny(when={"StringEquals": {"aws:username": "alt"}}, Sid="why")],
    ]
    for statements in reasons:
        guarded.set(*statements)
        assert body() == plain, statements
        assert body("absent") == plain, statements
    guarded.set(guarded.allow("s3:GetObject"))
    assert body("absent") == plain
    assert body("k", "PUT", body=b"x") == plain
    assert body("k", "DELETE") == plain


def test_a_head_that_is_refused_has_no_body(address, guarded):
    guarded.fill("k")
    for path in (f"/{guarded.name}", f"/{guarded.name}/k", f"/{guarded.name}/absent"):
        with wire.Connection(address) as connection:
            connection.send(wire.prepare(address, "HEAD", path, account=ALT).head())
            answer = connection.response("HEAD")
            assert answer.status == 403 and answer.get("content-length") in (None, "0")
            # The connection goes on with the next answer.
            connection.send(wire.prepare(address, "HEAD", f"/{guarded.name}/k", account=MAIN).head())
            assert connection.response("HEAD").status == 200


def test_what_others_write_belongs_to_the_owner_of_the_bucket(client, alt_client, guarded):
    guarded.set(guarded.allow("s3:PutObject"))
    alt_client.put_object(Bucket=guarded.name, Key="k", Body=b"x")
    upload = multipart.begin(alt_client, guarded.name, "up")
    assert client.get_object_acl(Bucket=guarded.name, Key="k")["Owner"]["ID"] == MAIN.user
    assert client.list_parts(Bucket=guarded.name, Key="up", UploadId=upload)["Owner"]["ID"] == MAIN.user
    # Nor is it theirs to read.
    with s3.refused(403, "AccessDenied"):
        alt_client.get_object(Bucket=guarded.name, Key="k")


# -------------------------------------------------------------------------------- the body of a write that is denied


def test_a_denied_write_is_not_asked_for_its_body(address, guarded):
    fields = {"expect": "100-continue"}
    for path, query in ((f"/{guarded.name}/k", []), (f"/{guarded.name}/k", [("tagging", "")])):
        prepared = wire.prepare(
            address, "PUT", path, query=query, headers=fields, body_bytes=100, account=ALT
        )
        with wire.Connection(address) as connection:
            connection.send(prepared.head())
            answer = connection.response()
        assert (answer.interim, answer.refusal()) == ([], DENIED)


def test_a_denied_write_stores_nothing(node, address, client, guarded):
    guarded.set(guarded.allow("s3:GetObject"))
    before = node.extent_bytes_in_use()
    for size in (1, 100_000, 5_000_000):
        with wire.Connection(address) as connection:
            path = f"/{guarded.name}/k"
            connection.send(wire.prepare(address, "PUT", path, body_bytes=size, account=ALT).head())
            # It may close while it is still sent to.
            try:
                connection.send(b"x" * size)
            except OSError:
                pass
            assert connection.response().refusal() == DENIED
    assert s3.all_keys(client, guarded.name) == []
    node.wait_for_extent_bytes(before)
