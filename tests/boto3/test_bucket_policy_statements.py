"""What the statements of a bucket policy are about: effect, principals, actions and resources."""

import pytest

from support import policy, s3, wire
from support.accounts import ALT, MAIN, TENANT, Account
from support.s3 import refused

EVERYBODY = (MAIN, ALT, TENANT, None)


def status(address, method: str, path: str, account: Account | None, **request) -> int:
    """Status of a request; without an account it is not signed."""
    if account is None:
        return wire.send_plain(address, method, path).status
    return wire.call(address, method, path, account=account, **request).status


def readers(address, guarded, key: str = "k") -> set[Account | None]:
    """Who may read an object."""
    path = wire.object_path(guarded.name, key)
    found = {account: status(address, "GET", path, account) for account in EVERYBODY}
    assert set(found.values()) <= {200, 403}, found
    return {account for account, answered in found.items() if answered == 200}


def readable(address, guarded, keys, account: Account = ALT) -> set[str]:
    """Which of these keys an account may read."""
    found = {key: status(address, "GET", wire.object_path(guarded.name, key), account) for key in keys}
    assert set(found.values()) <= {200, 403}, found
    return {key for key, answered in found.items() if answered == 200}


# ------------------------------------------------------------------------------------------------------ effects


def test_without_a_policy_members_alone_may(address, guarded):
    guarded.fill("k")
    assert readers(address, guarded) == {MAIN}


def test_others_need_an_allow_and_members_none(address, guarded):
    guarded.fill("k")
    guarded.set(guarded.allow("s3:ListBucket", "*"))
    assert readers(address, guarded) == {MAIN}
    guarded.set(guarded.allow("s3:GetObject", ALT))
    assert readers(address, guarded) == {MAIN, ALT}
    guarded.set(guarded.allow("s3:GetObject", "*"))
    assert readers(address, guarded) == set(EVERYBODY)


def test_a_deny_wins_wherever_it_stands(address, guarded):
    guarded.fill("k", "other")
    allow, deny = guarded.allow("s3:GetObject", "*"), guarded.deny("s3:GetObject", ALT, on="k")
    for statements in ((allow, deny), (deny, allow), (allow, deny, allow), (deny, allow, deny), (allow, allow, deny)):
        guarded.set(*statements)
        assert readers(address, guarded) == {MAIN, TENANT, None}
        assert readers(address, guarded, "other") == set(EVERYBODY)


def test_a_deny_holds_for_the_owner_too(client, address, guarded):
    guarded.fill("k")
    guarded.set(guarded.deny("s3:GetObject", MAIN))
    assert readers(address, guarded) == set()
    with refused(403, "AccessDenied"):
        client.get_object(Bucket=guarded.name, Key="k")
    # What is not denied stays allowed.
    client.put_object(Bucket=guarded.name, Key="k", Body=b"x")
    client.list_objects_v2(Bucket=guarded.name)


def test_the_owner_cannot_be_locked_out(client, alt_client, guarded):
    guarded.fill("k")
    guarded.set(guarded.deny("s3:*", "*"))
    for call in (client.get_bucket_policy, client.delete_bucket_policy, client.list_objects_v2, client.delete_bucket):
        with refused(403, "AccessDenied"):
            call(Bucket=guarded.name)
    with refused(403, "403"):
        client.head_bucket(Bucket=guarded.name)
    guarded.set(guarded.allow("s3:GetObject"))
    assert s3.body_of(client, guarded.name, "k") == b"k"
    assert s3.body_of(alt_client, guarded.name, "k") == b"k"


def test_a_bucket_whose_policy_denies_all_is_still_listed(client, guarded):
    guarded.set(guarded.deny("s3:*", "*"), guarded.deny("*", "*"))
    assert guarded.name in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


def test_other_organisations_never_put_a_policy(client, alt_client, guarded):
    guarded.set(guarded.allow("s3:*", "*"), guarded.allow("s3:PutBucketPolicy", ALT))
    document = policy.document(guarded.allow("s3:*", ALT))
    with refused(403, "AccessDenied"):
        alt_client.put_bucket_policy(Bucket=guarded.name, Policy=document)
    # Refused before it is looked at.
    with refused(403, "AccessDenied"):
        alt_client.put_bucket_policy(Bucket=guarded.name, Policy="no policy")
    assert client.get_bucket_policy(Bucket=guarded.name)["Policy"] != document


def test_a_bucket_is_not_seen_in_the_list_of_others(alt_client, guarded):
    guarded.set(guarded.allow("s3:*", "*"))
    assert guarded.name not in [bucket["Name"] for bucket in alt_client.list_buckets()["Buckets"]]
    alt_client.head_bucket(Bucket=guarded.name)


# --------------------------------------------------------------------------------------------------- principals

# Each with those whom it names.
PRINCIPALS = [
    ("*", EVERYBODY),
    ({"AWS": "*"}, EVERYBODY),
    ({"CW": "*"}, EVERYBODY),
    ({"AWS": ["*"]}, EVERYBODY),
    # CoreWeave's forms: a user of an organisation, a group, an access key.
    ({"AWS": "arn:aws:iam::org-alt:coreweave/alt"}, [ALT]),
    ({"CW": "arn:aws:iam::org-alt:coreweave/alt"}, [ALT]),
    ({"AWS": ["arn:aws:iam::org-alt:coreweave/alt", "arn:aws:iam::org-tenant:coreweave/tenant"]}, [ALT, TENANT]),
    ({"AWS": "arn:aws:iam::org-alt:coreweave/alt", "CW": "arn:aws:iam::org-tenant:coreweave/tenant"}, [ALT, TENANT]),
    ({"AWS": "arn:aws:iam::org-tenant:coreweave/alt"}, []),
    ({"AWS": "arn:aws:iam::org-alt:coreweave/tenant"}, []),
    ({"AWS": "arn:aws:iam::org-alt:coreweave/ALT"}, []),
    ({"AWS": "arn:aws:iam::org-alt:saml/alt"}, []),
    ({"AWS": f"arn:aws:iam:::user/{ALT.access_key}"}, [ALT]),
    ({"AWS": f"arn:aws:iam:::user/{ALT.access_key.lower()}"}, []),
    # AWS's: a whole organisation, a user of it.
    ({"AWS": "org-alt"}, [ALT]),
    ({"AWS": ["org-alt", "org-tenant"]}, [ALT, TENANT]),
    ({"AWS": "arn:aws:iam::org-alt:root"}, [ALT]),
    ({"AWS": "arn:aws:iam::org-alt:user/alt"}, [ALT]),
    ({"AWS": "arn:aws:iam::org-alt:user/tenant"}, []),
    ({"AWS": "org-nobody"}, []),
]


@pytest.mark.parametrize("principal, named", PRINCIPALS, ids=range(len(PRINCIPALS)))
def test_principals(address, guarded, principal, named):
    guarded.fill("k")
    guarded.set(guarded.allow("s3:GetObject", Principal=principal))
    assert readers(address, guarded) == {MAIN, *named}
    guarded.set(guarded.allow("s3:GetObject", "*"), guarded.deny("s3:GetObject", Principal=principal))
    assert readers(address, guarded) == set(EVERYBODY) - set(named)


@pytest.mark.parametrize(
    "principal, spared",
    [
        ({"AWS": policy.user_arn(MAIN)}, [MAIN]),
        ({"AWS": [policy.user_arn(MAIN), "org-alt"]}, [MAIN, ALT]),
        ({"CW": policy.user_arn(TENANT)}, [TENANT]),
        ({"AWS": "org-nobody"}, []),
        ("*", EVERYBODY),
    ],
)
def test_a_deny_of_all_but_some(address, guarded, principal, spared):
    guarded.fill("k")
    guarded.set(guarded.allow("s3:GetObject", "*"), guarded.deny("s3:GetObject", NotPrincipal=principal))
    assert readers(address, guarded) == set(spared)


# ------------------------------------------------------------------------------------------------------ actions


@pytest.mark.parametrize(
    "action, allowed",
    [
        ("s3:GetObject", {"GET"}),
        ("S3:getobject", {"GET"}),
        ("s3:GETOBJECT", {"GET"}),
        (["s3:GetObject", "s3:PutObject"], {"GET", "PUT"}),
        ("s3:GetObject*", {"GET"}),
        ("s3:Get*", {"GET"}),
        ("s3:???Object", {"GET", "PUT"}),
        ("s3:*Object", {"GET", "PUT", "DELETE"}),
        ("s3:*e*t*Object", {"GET", "DELETE"}),
        ("s3:*", {"GET", "PUT", "DELETE", "LIST"}),
        ("*", {"GET", "PUT", "DELETE", "LIST"}),
        ("s3:List*", {"LIST"}),
        ("s3:ListBucket", {"LIST"}),
        (["s3:PutObjectAcl", "s3:RestoreObject"], set()),
        ("s3:GetObjectTagging", set()),
    ],
)
def test_actions(address, guarded, action, allowed):
    guarded.set(guarded.allow(action))
    assert allowed_methods(address, guarded) == allowed
    guarded.set(guarded.allow("s3:*"), guarded.deny(action))
    assert allowed_methods(address, guarded) == {"GET", "PUT", "DELETE", "LIST"} - allowed


@pytest.mark.parametrize(
    "action, excluded",
    [
        ("s3:GetObject", {"GET"}),
        (["s3:getobject", "s3:List*"], {"GET", "LIST"}),
        ("s3:*", {"GET", "PUT", "DELETE", "LIST"}),
        ("s3:RestoreObject", set()),
    ],
)
def test_all_actions_but_some(address, guarded, action, excluded):
    every = {"GET", "PUT", "DELETE", "LIST"}
    guarded.set(guarded.allow(NotAction=action))
    assert allowed_methods(address, guarded) == every - excluded
    guarded.set(guarded.allow("s3:*"), guarded.deny(NotAction=action))
    assert allowed_methods(address, guarded) == excluded


def allowed_methods(address, guarded) -> set[str]:
    """What `alt` may do."""
    guarded_path, key_path = f"/{guarded.name}", f"/{guarded.name}/probe"
    # A missing key is a 403 for a reader who may not list and a 404 for one who may, so it exists.
    guarded_before = guarded.client.get_bucket_policy(Bucket=guarded.name)["Policy"]
    guarded.free()
    guarded.fill("probe")
    guarded.client.put_bucket_policy(Bucket=guarded.name, Policy=guarded_before)
    found = {
        "GET": status(address, "GET", key_path, ALT),
        "LIST": status(address, "GET", guarded_path, ALT, query=[("list-type", "2")]),
        "PUT": status(address, "PUT", key_path, ALT, body=b"x"),
        "DELETE": status(address, "DELETE", key_path, ALT),
    }
    assert set(found.values()) <= {200, 204, 403}, found
    return {name for name, answered in found.items() if answered != 403}


# ---------------------------------------------------------------------------------------------------- resources

KEYS = ["a", "b", "ab", "dir/a", "dir/sub/a", "dir/", "logs/2026-01-31.gz", "é", "雪", "a b", "a+b", "A"]


@pytest.mark.parametrize(
    "pattern, named",
    [
        ("*", KEYS),
        ("a", ["a"]),
        ("?", ["a", "b", "é", "雪", "A"]),
        ("??", ["ab"]),
        ("a*", ["a", "ab", "a b", "a+b"]),
        ("*a", ["a", "dir/a", "dir/sub/a"]),
        ("dir/*", ["dir/a", "dir/sub/a", "dir/"]),
        ("dir/?", ["dir/a"]),
        ("dir/?*", ["dir/a", "dir/sub/a"]),
        ("dir/*/a", ["dir/sub/a"]),
        ("*/*", ["dir/a", "dir/sub/a", "dir/", "logs/2026-01-31.gz"]),
        ("logs/????-??-??.gz", ["logs/2026-01-31.gz"]),
        ("logs/*-*-*.g?", ["logs/2026-01-31.gz"]),
        ("**b", ["b", "ab", "a b", "a+b"]),
        ("a?b", ["a b", "a+b"]),
        ("a b", ["a b"]),
        ("a%20b", []),
        ("a+b", ["a+b"]),
        ("é", ["é"]),
        ("[ab]", []),
        ("nothing", []),
    ],
)
def test_patterns_of_keys(address, guarded, pattern, named):
    guarded.fill(*KEYS)
    guarded.set(guarded.allow("s3:GetObject", on=pattern))
    assert readable(address, guarded, KEYS) == set(named)
    guarded.set(guarded.allow("s3:GetObject"), guarded.deny("s3:GetObject", on=pattern))
    assert readable(address, guarded, KEYS) == set(KEYS) - set(named)


ODD_KEYS = [
    "with*star",
    "with?mark",
    "with$dollar",
    "${aws:username}",
    '"quotes" and \\backslashes\\',
    "//two//slashes",
    "../up",
    "./here",
    "tab\tand\nline",
    "per%20cent",
    "colon:and,comma;",
    "<&>",
    "e\u0301",
    "\U0001f600",
    "ends with space ",
    "k" * 1024,
]


@pytest.mark.parametrize("key", ODD_KEYS, ids=range(len(ODD_KEYS)))
def test_odd_keys(address, guarded, key):
    """Written out, with `${*}`, `${?}` and `${$}` for the signs that mean something else."""
    pattern = "".join("${" + sign + "}" if sign in "*?$" else sign for sign in key)
    neighbours = [key[:-1] + "!", "x" + key[1:]]
    guarded.fill(key, *neighbours)
    guarded.set(guarded.allow("s3:GetObject", on=pattern))
    assert readable(address, guarded, [key, *neighbours]) == {key}


def test_signs_that_are_no_wildcards(address, guarded):
    keys = ["a*", "a?", "a$", "ab", "abc"]
    guarded.fill(*keys)
    guarded.set(guarded.allow("s3:GetObject", on="a${*}"))
    assert readable(address, guarded, keys) == {"a*"}
    guarded.set(guarded.allow("s3:GetObject", on="a${?}"))
    assert readable(address, guarded, keys) == {"a?"}
    guarded.set(guarded.allow("s3:GetObject", on="a*"))
    assert readable(address, guarded, keys) == set(keys)


def test_the_elder_version_knows_no_variables(address, guarded):
    keys = ["${aws:username}", "alt", "${*}", "*", "${anything}"]
    guarded.fill(*keys)
    mine = guarded.allow("s3:GetObject", on="${aws:username}")
    star = guarded.allow("s3:GetObject", on="${*}")
    for version in (policy.ELDER, None):
        guarded.set(mine, version=version)
        assert readable(address, guarded, keys) == {"${aws:username}"}
        guarded.set(star, version=version)
        # A wildcard like any other.
        assert readable(address, guarded, keys) == {"${aws:username}", "${*}", "${anything}"}
    guarded.set(mine)
    assert readable(address, guarded, keys) == {"alt"}
    guarded.set(star)
    assert readable(address, guarded, keys) == {"*"}


def test_a_bucket_and_its_objects_are_two_things(address, guarded):
    guarded.fill("k")
    paths = {"list": f"/{guarded.name}", "read": f"/{guarded.name}/k"}

    def may() -> set[str]:
        return {name for name, path in paths.items() if status(address, "GET", path, ALT) == 200}

    of_bucket, of_objects = policy.ARN + guarded.name, guarded.arn("*")
    actions = ["s3:ListBucket", "s3:GetObject"]
    guarded.set(guarded.allow(actions, Resource=of_bucket))
    assert may() == {"list"}
    guarded.set(guarded.allow(actions, Resource=of_objects))
    assert may() == {"read"}
    any_first_letter = policy.ARN + "?" + guarded.name[1:] + "*"
    for both in ([of_bucket, of_objects], of_bucket + "*", policy.ARN + "*", "*", any_first_letter):
        guarded.set(guarded.allow(actions, Resource=both))
        assert may() == {"list", "read"}, both
    guarded.set(guarded.allow(actions), guarded.deny("s3:*", Resource=of_bucket))
    assert may() == {"read"}
    guarded.set(guarded.allow(actions), guarded.deny("s3:*", Resource=of_objects))
    assert may() == {"list"}


def test_all_resources_but_some(address, guarded):
    keys = ["open/a", "secret/a", "secret"]
    guarded.fill(*keys)
    guarded.set(guarded.allow("s3:GetObject", NotResource=guarded.arn("secret/*")))
    assert readable(address, guarded, keys) == {"open/a", "secret"}
    guarded.set(guarded.allow("s3:GetObject"), guarded.deny("s3:GetObject", NotResource=guarded.arn("open/*")))
    assert readable(address, guarded, keys) == {"open/a"}
    # Also what is elsewhere may be named: nothing here is spared by it.
    guarded.set(guarded.allow("s3:GetObject", NotResource="arn:aws:s3:::another-bucket/*"))
    assert readable(address, guarded, keys) == set(keys)


def test_a_policy_says_nothing_of_other_buckets(client, alt_client, guarded, bucket):
    client.put_object(Bucket=bucket, Key="k", Body=b"x")
    guarded.set(guarded.allow("s3:*", Resource="*"), guarded.deny("s3:PutObject", MAIN, Resource=policy.ARN + "*"))
    with refused(403, "AccessDenied"):
        alt_client.get_object(Bucket=bucket, Key="k")
    client.put_object(Bucket=bucket, Key="k", Body=b"x")


def test_a_policy_of_as_many_statements_as_fit(address, guarded):
    guarded.fill("k")
    never = {"Null": {"aws:SourceIp": "true"}}
    statements = [guarded.deny("s3:*", "*", Resource="*", when=never)] * 150
    guarded.set(*statements, guarded.allow("s3:GetObject"))
    assert readers(address, guarded) == {MAIN, ALT}
    guarded.set(*statements, guarded.allow("s3:GetObject"), guarded.deny("s3:GetObject", ALT))
    assert readers(address, guarded) == {MAIN}
