"""The file of the node's key: made once, for its owner alone, and never replaced where it is needed."""

import re

import pytest

from support import keys, s3, wire
from support.accounts import MAIN
from support.server import Server


@pytest.fixture
def server(request):
    """A server of this test alone, not yet started."""
    made = Server(re.sub(r"\W+", "_", request.node.name))
    yield made
    made.kill()
    made.remove_data()


def works(server: Server, account) -> bool:
    return wire.call(server.address, "GET", "/", account=account).status == 200


def test_it_is_made_with_the_first_stored_key(server):
    file = server.directory / "data/node.key"
    server.start()
    assert works(server, MAIN) and not file.exists()
    account = keys.create(server, "u", "o")
    assert file.stat().st_mode & 0o777 == 0o600
    content = file.read_text()
    assert re.fullmatch(r"[0-9a-f]{64}\n", content)
    keys.create(server, "u", "o")
    server.stop()
    server.start()
    assert works(server, account) and file.read_text() == content
    assert [path.name for path in file.parent.iterdir() if "node.key" in path.name] == ["node.key"]
    server.stop()


def test_it_may_be_elsewhere_and_come_from_elsewhere(server):
    file = server.directory / "elsewhere.key"
    server.config_path.write_text(f'node_key_file = "{file}"\n' + server.config_path.read_text())
    file.write_bytes(bytes(range(100, 132)))
    file.chmod(0o400)
    server.start()
    account = keys.create(server, "u", "o")
    assert works(server, account) and not (server.directory / "data/node.key").exists()
    server.stop()
    # The same bytes in hexadecimal.
    file.chmod(0o600)
    file.write_text(bytes(range(100, 132)).hex())
    server.start()
    assert works(server, account)
    server.stop()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_one_that_others_can_use_is_refused(server, mode):
    server.start()
    account = keys.create(server, "u", "o")
    server.stop()
    file = server.directory / "data/node.key"
    file.chmod(mode)
    said = server.fails_to_start()
    assert str(file) in said and f"{mode:o}" in said
    file.chmod(0o600)
    server.start()
    assert works(server, account)
    server.stop()


@pytest.mark.parametrize("content", ["", "ab" * 31, "zz" * 32, "f" * 1000], ids=["none", "short", "text", "long"])
def test_one_that_is_no_key_is_refused_even_before_it_is_needed(server, content):
    (server.directory / "data").mkdir()
    file = server.directory / "data/node.key"
    file.write_text(content)
    file.chmod(0o600)
    said = server.fails_to_start()
    assert str(file) in said and "does not hold a key" in said
    assert not content or content not in said


def test_a_wrong_or_missing_one_stops_the_start(server):
    server.start()
    account = keys.create(server, "u", "o")
    server.stop()
    file = server.directory / "data/node.key"
    right = file.read_text()
    wrong = "ab" * 32
    file.write_text(wrong)
    said = server.fails_to_start()
    assert str(file) in said and account.access_key in said
    assert wrong not in said and account.secret_key not in said and right.strip() not in said
    file.unlink()
    said = server.fails_to_start()
    assert str(file) in said and "missing" in said and not file.exists()
    file.write_text(right)
    file.chmod(0o600)
    server.start()
    assert works(server, account)
    server.stop()


def test_where_it_is_lost_the_stored_keys_can_be_given_up(server):
    absent = server.command("key", "purge", "--yes")
    assert absent.returncode == 1 and not (server.directory / "data").exists()
    server.start()
    accounts = [keys.create(server, "u", "o") for _ in range(3)]
    client = s3.make_client(server.endpoint, MAIN)
    s3.create_bucket(client, "stays")
    client.put_object(Bucket="stays", Key="k", Body=b"content")
    refused = server.command("key", "purge", "--yes")
    assert refused.returncode == 1 and b"lock" in refused.stderr, "not while the node runs"
    server.stop()
    assert server.command("key", "purge").returncode == 2
    (server.directory / "data/node.key").unlink()
    assert "ringstone key purge" in server.fails_to_start()
    assert keys.ask(server, "key", "purge", "--yes") == "deleted 3 access keys\n"
    server.start()
    assert not any(works(server, account) for account in accounts)
    assert s3.body_of(client, "stays", "k") == b"content"
    assert works(server, keys.create(server, "u", "o"))
    server.stop()


def test_without_stored_keys_a_lost_one_is_no_loss(server):
    server.start()
    account = keys.create(server, "u", "o")
    keys.ask(server, "key", "delete", account.access_key)
    server.stop()
    (server.directory / "data/node.key").unlink()
    server.start()
    assert works(server, keys.create(server, "u", "o"))
    server.stop()


def test_one_that_cannot_be_made_fails_the_command_alone(server):
    absent = server.directory / "absent/node.key"
    server.config_path.write_text(f'node_key_file = "{absent}"\n' + server.config_path.read_text())
    server.start()
    said = keys.refusal(server, "key", "create", "--user", "u", "--org", "o")
    assert str(absent) in said
    assert works(server, MAIN)
    absent.parent.mkdir()
    assert works(server, keys.create(server, "u", "o")) and absent.exists()
    server.stop()
