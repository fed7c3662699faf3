"""Policies of organisations by the command line and by the configuration: kept as given, judged before they are kept."""

import json
import re

import pytest

from support import keys, s3
from support.accounts import ALT, MAIN
from support.s3 import refused
from support.server import Server

POLICY = """{
  "Version": "2012-10-17",
  "Statement": [{"Sid": "é", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}]
}

""".replace("é", "all")


@pytest.fixture
def server(request):
    """A server of this test alone, not yet started."""
    made = Server(re.sub(r"\W+", "_", request.node.name))
    yield made
    made.kill()
    made.remove_data()


def configure(server: Server, org: str, content: str):
    """Names a policy in the configuration; returns its file."""
    file = server.directory / f"{org}.json"
    file.write_text(content)
    with server.config_path.open("a") as configuration:
        configuration.write(f'\n[[org_policies]]\norg = "{org}"\nfile = "{file}"\n')
    return file


def put(server: Server, org: str, content: str) -> None:
    keys.ask(server, "policy", "put", "--org", org, "-", stdin=content.encode())


def listed(server: Server) -> list[list[str]]:
    header, *lines = keys.ask(server, "policy", "list").splitlines()
    assert header.split() == ["ORGANISATION", "BYTES", "SOURCE"]
    return [line.split() for line in lines]


def test_a_policy_is_kept_as_it_was_given(server):
    server.start()
    assert listed(server) == []
    file = server.directory / "policy.json"
    file.write_text(POLICY)
    keys.ask(server, "policy", "put", "--org", "org-a", file)
    put(server, "org-b", POLICY + " ")
    put(server, "org-b", POLICY + "  ")
    for start in ("first", "after kill -9"):
        if start != "first":
            server.kill()
            server.start()
        assert keys.ask(server, "policy", "get", "--org", "org-a") == POLICY
        assert keys.ask(server, "policy", "get", "--org", "org-b") == POLICY + "  "
        assert listed(server) == [["org-a", str(len(POLICY)), "stored"], ["org-b", str(len(POLICY) + 2), "stored"]]
    keys.ask(server, "policy", "delete", "--org", "org-a")
    for command in ("get", "delete"):
        assert "no stored policy" in keys.refusal(server, "policy", command, "--org", "org-a")
    server.kill()
    server.start()
    assert [line[0] for line in listed(server)] == ["org-b"]
    server.stop()


def test_what_is_no_policy_is_refused_with_its_place(server):
    server.start()
    put(server, "org-a", POLICY)
    wrong = json.loads(POLICY)
    wrong["Statement"][0]["Effect"] = "Perhaps"
    for content, named in [
        ("", "JSON"),
        ("no policy", "JSON"),
        ("{", "Json"),
        (json.dumps(wrong), "Statement[0]"),
        ("{" + " " * 30_000, "maximum allowed document size"),
    ]:
        said = keys.refusal(server, "policy", "put", "--org", "org-a", "-", stdin=content.encode())
        assert named in said
    said = keys.refusal(server, "policy", "put", "--org", "org-a", "-", stdin=b'{"\xff"}')
    assert "UTF-8" in said
    assert "absent.json" in keys.refusal(server, "policy", "put", "--org", "org-a", "absent.json")
    assert "organisation must be" in keys.refusal(server, "policy", "put", "--org", "", "-", stdin=POLICY.encode())
    assert keys.ask(server, "policy", "get", "--org", "org-a") == POLICY
    server.stop()


def test_the_largest_policy_with_every_byte_escaped_is_taken(server):
    server.start()
    largest = POLICY + "\n" * (20 * 1024 - len(POLICY))
    put(server, "org-a", largest)
    assert keys.ask(server, "policy", "get", "--org", "org-a") == largest
    server.stop()


def test_policies_of_the_configuration_stand_beside_the_stored_one(server):
    file = configure(server, "org-a", POLICY)
    server.start()
    of_file = ["org-a", str(len(POLICY)), str(file)]
    assert listed(server) == [of_file]
    assert "no stored policy" in keys.refusal(server, "policy", "delete", "--org", "org-a")
    put(server, "org-a", POLICY)
    assert listed(server) == [of_file, ["org-a", str(len(POLICY)), "stored"]]
    keys.ask(server, "policy", "delete", "--org", "org-a")
    assert listed(server) == [of_file]
    server.stop()


@pytest.mark.parametrize("content", ["", "no policy", "{}", "{" + " " * 30_000])
def test_a_bad_policy_of_the_configuration_stops_the_start(server, content):
    file = configure(server, "org-a", content)
    said = server.fails_to_start()
    assert str(file) in said and "org-a" in said
    file.unlink()
    assert str(file) in server.fails_to_start()
    file.write_text(POLICY)
    server.start()
    server.stop()


def policy_of(*statements) -> str:
    filled = [{"Effect": effect, "Action": action, "Resource": "*"} for effect, action in statements]
    return json.dumps({"Version": "2012-10-17", "Statement": filled})


def test_a_policy_binds_its_members_from_the_next_request_on(server):
    server.start()
    main, alt = (s3.make_client(server.endpoint, account) for account in (MAIN, ALT))
    s3.create_bucket(main, "bound")
    main.put_object(Bucket="bound", Key="k", Body=b"content")
    put(server, MAIN.org, policy_of(("Allow", "s3:Get*")))
    assert s3.body_of(main, "bound", "k") == b"content"
    for call in (lambda: main.put_object(Bucket="bound", Key="k", Body=b"x"), main.list_buckets):
        with refused(403, "AccessDenied"):
            call()
    alt.list_buckets()
    put(server, MAIN.org, policy_of(("Allow", "s3:*"), ("Deny", "s3:GetObject")))
    main.put_object(Bucket="bound", Key="k", Body=b"other")
    with refused(403, "AccessDenied"):
        main.get_object(Bucket="bound", Key="k")
    # In force after a kill, too.
    server.kill()
    server.start()
    with refused(403, "AccessDenied"):
        main.get_object(Bucket="bound", Key="k")
    keys.ask(server, "policy", "delete", "--org", MAIN.org)
    assert s3.body_of(main, "bound", "k") == b"other"
    server.stop()


def test_a_policy_of_the_owner_denies_others_what_the_bucket_allows(server):
    server.start()
    main, alt = (s3.make_client(server.endpoint, account) for account in (MAIN, ALT))
    s3.create_bucket(main, "open")
    main.put_object(Bucket="open", Key="k", Body=b"content")
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::open/*"}
    main.put_bucket_policy(Bucket="open", Policy=json.dumps({"Version": "2012-10-17", "Statement": everybody}))
    assert s3.body_of(alt, "open", "k") == b"content"
    denial = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    put(server, MAIN.org, json.dumps({"Version": "2012-10-17", "Statement": denial}))
    with refused(403, "AccessDenied"):
        alt.get_object(Bucket="open", Key="k")
    keys.ask(server, "policy", "delete", "--org", MAIN.org)
    assert s3.body_of(alt, "open", "k") == b"content"
    server.stop()


def test_a_policy_of_the_configuration_binds_from_the_start(server):
    configure(server, MAIN.org, policy_of(("Allow", "s3:*"), ("Deny", "s3:CreateBucket")))
    server.start()
    main = s3.make_client(server.endpoint, MAIN)
    main.list_buckets()
    with refused(403, "AccessDenied"):
        s3.create_bucket(main, "never")
    # A stored one stands beside it and cannot take the denial away.
    put(server, MAIN.org, policy_of(("Allow", "s3:CreateBucket")))
    with refused(403, "AccessDenied"):
        s3.create_bucket(main, "never")
    server.stop()
