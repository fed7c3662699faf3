"""Access keys made, disabled and deleted while the node runs: in force at once, durable, and told to nobody."""

import base64
import re
import subprocess
import threading
import time

import pytest

from support import keys, s3, sigv4, wire
from support.accounts import ALT, MAIN, Account
from support.payload import KIB, payload
from support.s3 import refused
from support.server import BINARY, Server

INVALID_KEY = (403, "InvalidAccessKeyId")
MISMATCH = (403, "SignatureDoesNotMatch")


@pytest.fixture(scope="module")
def server(start_server) -> Server:
    return start_server("access_keys", cores=2)


@pytest.fixture
def own_server(request):
    """A server of this test alone, not yet started."""
    made = Server(re.sub(r"\W+", "_", request.node.name))
    yield made
    made.kill()
    made.remove_data()


def answer(server: Server, account: Account, path: str = "/", **request) -> tuple[int, str]:
    """Status and code of a GET on a connection of its own."""
    response = wire.call(server.address, "GET", path, account=account, **request)
    return (200, "") if response.status == 200 else response.refusal()


def presigned(server: Server, account: Account, path: str = "/") -> str:
    return sigv4.presign("GET", path, f"{server.address[0]}:{server.address[1]}", account)


def answer_presigned(server: Server, target: str) -> tuple[int, str]:
    response = wire.send_plain(server.address, "GET", target)
    return (200, "") if response.status == 200 else response.refusal()


def answers(server: Server, account: Account, target: str) -> set[tuple[int, str]]:
    """Of many connections, so that every core has its say; signed in a header and in the URL."""
    found = {answer(server, account) for _ in range(12)}
    return found | {answer_presigned(server, target) for _ in range(12)}


def test_each_change_is_in_force_on_all_cores_when_the_command_returns(server):
    account = keys.create(server, "ann", "org-ann")
    target = presigned(server, account)
    for _ in range(3):
        assert answers(server, account, target) == {(200, "")}
        keys.ask(server, "key", "disable", account.access_key)
        assert answers(server, account, target) == {INVALID_KEY}
        keys.ask(server, "key", "enable", account.access_key)
    assert answers(server, account, target) == {(200, "")}
    keys.ask(server, "key", "delete", account.access_key)
    assert answers(server, account, target) == {INVALID_KEY}


def test_a_key_is_all_that_a_client_needs(server):
    account = keys.create(server, "ben", "org-ben", "--display-name", "Ben Display")
    client = s3.make_client(server.endpoint, account)
    bucket = s3.create_bucket(client, s3.new_bucket_name())
    client.put_object(Bucket=bucket, Key="k", Body=b"content")
    assert s3.body_of(client, bucket, "k") == b"content"
    owner = client.get_bucket_acl(Bucket=bucket)["Owner"]
    assert (owner["ID"], owner["DisplayName"]) == ("ben", "Ben Display")
    with refused(403, "AccessDenied"):
        s3.make_client(server.endpoint, MAIN).get_object(Bucket=bucket, Key="k")
    colleague = s3.make_client(server.endpoint, keys.create(server, "bea", "org-ben"))
    assert s3.body_of(colleague, bucket, "k") == b"content"
    keys.ask(server, "key", "disable", account.access_key)
    with refused(*INVALID_KEY):
        client.get_object(Bucket=bucket, Key="k")
    s3.delete_bucket_with_objects(colleague, bucket)


def test_the_next_request_of_an_open_connection_is_refused(server):
    account = keys.create(server, "cat", "org-cat")
    with wire.Connection(server.address) as connection:
        for change, expected in [(None, 200), ("disable", 403), ("enable", 200), ("delete", 403)]:
            if change:
                keys.ask(server, "key", change, account.access_key)
            connection.send(wire.prepare(server.address, "GET", "/", account=account).head())
            assert connection.response().status == expected, change


def chunked(server: Server, path: str, content: bytes, account: Account) -> tuple[bytes, bytes]:
    """Head and body of an upload whose chunks are signed."""
    headers = {"x-amz-decoded-content-length": str(len(content)), "content-encoding": "aws-chunked"}
    unsigned = sigv4.frame(content, None, chunk_bytes=16 * KIB)
    signed_bytes = len(unsigned) + (len(content) // (16 * KIB) + 2) * len(";chunk-signature=" + "0" * 64)
    for body_bytes in (signed_bytes, 0):
        prepared = wire.prepare(
            server.address,
            "PUT",
            path,
            headers=headers,
            body_bytes=body_bytes or len(body),
            payload_hash=sigv4.STREAMING_SIGNED,
            account=account,
        )
        body = sigv4.frame(content, prepared.signature, chunk_bytes=16 * KIB)
    return prepared.head(), body


@pytest.mark.parametrize("change", ["disable", "delete"])
@pytest.mark.parametrize("form", ["plain", "chunked"])
def test_a_request_in_flight_finishes(server, change, form):
    account = keys.create(server, "dan", "org-dan")
    client = s3.make_client(server.endpoint, account)
    bucket = s3.create_bucket(client, s3.new_bucket_name())
    content = payload(300 * KIB)
    path = f"/{bucket}/k"
    if form == "plain":
        head, body = wire.prepare(server.address, "PUT", path, body_bytes=len(content), account=account).head(), content
    else:
        head, body = chunked(server, path, content, account)
    with wire.Connection(server.address) as connection:
        connection.send(head.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        # Told to go on, so authenticated.
        while b"\r\n\r\n" not in connection.unread:
            assert connection._more()
        connection.send(body[: 100 * KIB])
        keys.ask(server, "key", change, account.access_key)
        assert answer(server, account) == INVALID_KEY
        connection.send(body[100 * KIB :])
        response = connection.response()
        assert (response.status, response.interim) == (200, [100])
        connection.send(wire.prepare(server.address, "GET", path, account=account).head())
        assert connection.response().refusal() == INVALID_KEY
    colleague = s3.make_client(server.endpoint, keys.create(server, "dora", "org-dan"))
    assert s3.body_of(colleague, bucket, "k") == content
    s3.delete_bucket_with_objects(colleague, bucket)


def test_a_name_made_anew_has_nothing_of_the_old_secret(server):
    old = Account("REUSED-NAME", "the-old-secret-000000000000000", "eve", "org-eve")
    keys.take(server, old)
    target = presigned(server, old)
    assert answers(server, old, target) == {(200, "")}
    keys.ask(server, "key", "delete", old.access_key)
    new = keys.create(server, "eve", "org-eve", "--access-key", old.access_key)
    assert new.secret_key != old.secret_key
    # The cores have kept the signing key of the old secret and must not use it.
    assert answers(server, old, target) == {MISMATCH}
    assert answers(server, new, presigned(server, new)) == {(200, "")}
    keys.ask(server, "key", "delete", old.access_key)
    keys.take(server, old)
    assert answers(server, old, target) == {(200, "")}
    assert answer(server, new) == MISMATCH
    keys.ask(server, "key", "delete", old.access_key)


def test_an_older_key_is_rotated_away_under_load(server):
    older, newer = keys.create(server, "finn", "org-finn"), keys.create(server, "finn", "org-finn")
    client = s3.make_client(server.endpoint, newer)
    bucket = s3.create_bucket(client, s3.new_bucket_name())
    ended, failures, done = threading.Event(), [], [0, 0, 0]

    def work(index: int) -> None:
        own = s3.make_client(server.endpoint, newer)
        while not ended.is_set():
            try:
                own.put_object(Bucket=bucket, Key=f"k{index}", Body=b"x" * (index * 5 * KIB))
                assert len(s3.body_of(own, bucket, f"k{index}")) == index * 5 * KIB
                done[index] += 1
            except Exception as failure:
                failures.append(failure)
                return

    workers = [threading.Thread(target=work, args=(index,)) for index in range(3)]
    for worker in workers:
        worker.start()
    try:
        for change in ("disable", "enable", "disable", "delete"):
            before = list(done)
            deadline = time.monotonic() + 30
            while any(now <= then for now, then in zip(done, before)) and not failures:
                assert time.monotonic() < deadline
                time.sleep(0.01)
            keys.ask(server, "key", change, older.access_key)
            assert answer(server, older) == ((200, "") if change == "enable" else INVALID_KEY)
    finally:
        ended.set()
        for worker in workers:
            worker.join()
    assert not failures
    s3.delete_bucket_with_objects(client, bucket)


def test_keys_survive_a_restart(own_server):
    own_server.start()
    enabled, disabled, deleted = (keys.create(own_server, f"u{number}", "org") for number in range(3))
    keys.ask(own_server, "key", "disable", disabled.access_key)
    keys.ask(own_server, "key", "delete", deleted.access_key)
    before = keys.listed(own_server)
    own_server.stop()
    own_server.start()
    assert keys.listed(own_server) == before
    assert answer(own_server, enabled) == answer(own_server, MAIN) == (200, "")
    assert answer(own_server, disabled) == answer(own_server, deleted) == INVALID_KEY
    keys.ask(own_server, "key", "enable", disabled.access_key)
    assert answer(own_server, disabled) == (200, "")
    own_server.stop()


def test_what_was_answered_survives_kill_9(own_server):
    own_server.start()
    enabled, disabled = [], []
    for number in range(4):
        enabled.append(keys.create(own_server, f"u{number}", "org"))
        own_server.kill()
        own_server.start()
        for account in enabled:
            assert answer(own_server, account) == (200, "")
        for account in disabled:
            assert answer(own_server, account) == INVALID_KEY
        disabled.append(enabled.pop(0) if number % 2 else keys.create(own_server, f"gone{number}", "org"))
        keys.ask(own_server, "key", "disable" if number % 2 else "delete", disabled[-1].access_key)
        own_server.kill()
        own_server.start()
        assert answer(own_server, disabled[-1]) == INVALID_KEY
    own_server.stop()


def test_a_new_key_is_printed_to_be_pasted(server):
    printed = keys.ask(server, "key", "create", "--user", "gus", "--org", "org-gus")
    exports = dict(re.findall(r"^export (AWS_\w+)=(\w+)$", printed, re.M))
    account = Account(exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"], "gus", "org-gus")
    assert answer(server, account) == (200, "")
    assert printed.startswith("# ") and "only now" in printed.splitlines()[0]


def test_a_secret_comes_in_by_standard_input_alone_and_is_not_printed(server):
    account = Account("IMPORTED/KEY+1", 'odd"secret\\with$igns', "hal", "org-hal")
    names = ["--user", "hal", "--org", "org-hal", "--access-key", account.access_key, "--secret-key-stdin"]
    for stdin in [b"short\n", b"", b"\n", b"with space\n", b"x" * 129, b"x" * 5000, b"\xff" * 20, "bücherei".encode()]:
        said = keys.refusal(server, "key", "create", *names, stdin=stdin)
        assert "secret" in said and not (len(stdin) > 4 and stdin.strip().decode(errors="replace") in said)
    printed = keys.ask(server, "key", "create", *names, stdin=account.secret_key.encode() + b"\r\nmore\n")
    assert printed == f"created {account.access_key}\n"
    assert answer(server, account) == (200, "")
    json = keys.ask(server, "key", "create", *names[:5], "OTHER", "--secret-key-stdin", "--json", stdin=b"long-enough")
    assert "secret" not in json
    finished = server.command("key", "create", *names[:4], "--secret-key-stdin", stdin=b"long-enough")
    assert finished.returncode == 2, "a secret needs its access key"


def test_the_list_shows_everything_but_secrets(server):
    account = keys.create(server, "ida", "org-ida", "--display-name", "Ida I.")
    keys.create(server, "ida", "org-ida-2")
    keys.ask(server, "key", "disable", account.access_key)
    shown = keys.listed(server, "--org", "org-ida")
    assert list(shown) == [account.access_key]
    created = shown[account.access_key].pop("created")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", created)
    assert shown[account.access_key] == {
        "access_key": account.access_key,
        "user": "ida",
        "display_name": "Ida I.",
        "org": "org-ida",
        "state": "disabled",
        "source": "stored",
    }
    everything = keys.ask(server, "key", "list")
    assert account.secret_key not in everything and MAIN.secret_key not in everything
    lines = [line.split() for line in everything.splitlines()]
    assert lines[0] == ["ACCESS", "KEY", "USER", "ORGANISATION", "CREATED", "STATE", "SOURCE"]
    assert [account.access_key, "ida", "org-ida", created, "disabled", "stored"] in lines
    assert [MAIN.access_key, "main", "org-main", "-", "enabled", "file"] in lines
    assert keys.listed(server)[MAIN.access_key]["created"] is None
    assert keys.listed(server, "--org", "nobody") == {}


def test_what_cannot_be_is_refused(server):
    account = keys.create(server, "jon", "org-jon")
    create = ["key", "create", "--user", "jon", "--org", "org-jon"]
    for taken in (account.access_key, MAIN.access_key):
        assert "exists already" in keys.refusal(server, *create, "--access-key", taken)
    for change in ("disable", "enable", "delete"):
        assert "configuration" in keys.refusal(server, "key", change, ALT.access_key)
        assert "no access key NOBODY" in keys.refusal(server, "key", change, "NOBODY")
    for arguments, named in [
        (["--access-key", "a,b"], "access key"),
        (["--access-key", "ab"], "access key"),
        (["--access-key", "a" * 129], "access key"),
        (["--display-name", ""], "display name"),
        (["--display-name", "a\tb"], "display name"),
    ]:
        assert f"{named} must be" in keys.refusal(server, *create, *arguments)
    assert "user must be" in keys.refusal(server, "key", "create", "--user", "u" * 129, "--org", "o")
    assert "organisation must be" in keys.refusal(server, "key", "create", "--user", "u", "--org", "")
    assert answer(server, ALT) == (200, "")
    for arguments in (["key"], ["key", "create"], ["key", "disable"], ["key", "rename", "x"]):
        assert server.command(*arguments).returncode == 2


def test_without_a_node_every_command_says_so(own_server):
    data = own_server.directory / "data"
    commands = [
        ["key", "create", "--user", "u", "--org", "o"],
        ["key", "list"],
        ["key", "disable", "X"],
        ["policy", "list"],
        ["policy", "get", "--org", "o"],
    ]
    for _ in range(2):
        for command in commands:
            assert f"no node is running on the data directory {data}" in keys.refusal(own_server, *command)
        own_server.start()
        own_server.kill()
    own_server.start()
    keys.ask(own_server, *commands[0])
    own_server.stop()
    assert "no node is running" in keys.refusal(own_server, *commands[0])


def test_the_node_is_found_as_serve_finds_it(server):
    data = str(server.directory / "data")
    for arguments, environment in [
        (["--data-dir", data], {}),
        ([], {"RINGSTONE_DATA_DIR": data}),
        ([], {"RINGSTONE_CONFIG": str(server.config_path)}),
    ]:
        for command in (["key", "list", *arguments], ["key", *arguments, "list"]):
            finished = subprocess.run([BINARY, *command], env=environment, capture_output=True, cwd="/", timeout=30)
            assert finished.returncode == 0 and MAIN.access_key.encode() in finished.stdout
    finished = subprocess.run([BINARY, "key", "list"], env={"RINGSTONE_LISEN": "1"}, capture_output=True, timeout=30)
    assert finished.returncode == 2 and b"RINGSTONE_LISEN" in finished.stderr


def test_of_one_name_the_key_of_the_configuration_counts(own_server):
    configuration = own_server.config_path.read_text()
    head, blocks = configuration.split("[[access_keys]]", 1)
    # Without the blocks the node makes a root key.
    own_server.config_path.write_text(head)
    own_server.start()
    stored = Account(MAIN.access_key, "the-stored-secret", "stored", "org-stored")
    keys.take(own_server, stored)
    assert answer(own_server, stored) == (200, "")
    (root,) = (key for key in keys.listed(own_server).values() if key["source"] == "file")
    assert "configuration" in keys.refusal(own_server, "key", "delete", root["access_key"])
    own_server.stop()
    own_server.config_path.write_text(configuration)
    own_server.start()
    assert answer(own_server, MAIN) == (200, "")
    assert answer(own_server, stored) == MISMATCH
    assert "WARN" in own_server.log_path.read_text()
    states = [line.split()[-2:] for line in keys.ask(own_server, "key", "list").splitlines() if MAIN.access_key in line]
    assert states == [["enabled", "file"], ["hidden", "stored"]]
    assert "configuration" in keys.refusal(own_server, "key", "delete", MAIN.access_key)
    own_server.stop()


def found(server: Server, secret: bytes) -> list[str]:
    """Names of the files of the data directory, and the log, that hold these bytes."""
    files = [path for path in (server.directory / "data").rglob("*") if path.is_file()]
    return [path.name for path in [*files, server.log_path] if secret in path.read_bytes()]


def test_a_secret_is_in_no_file_and_in_no_log(start_server):
    server = start_server("key_secrecy", log="trace")
    made = keys.create(server, "kim-the-control", "org-kim")
    taken = Account("TAKEN-KEY", "a-secret-that-was-brought-along", "kim", "org-kim")
    keys.take(server, taken)
    # Refusals are what is most likely to be logged with the request.
    again = ["key", "create", "--user", "kim", "--org", "org-kim", "--access-key", taken.access_key]
    keys.refusal(server, *again, "--secret-key-stdin", stdin=taken.secret_key.encode())
    for account in (made, taken):
        assert answer(server, account) == (200, "")
        assert answer(server, Account(account.access_key, "wrong-secret", "", "")) == MISMATCH
        for change in ("disable", "enable"):
            keys.ask(server, "key", change, account.access_key)
    keys.ask(server, "key", "list")
    server.stop()
    server.start()
    assert answer(server, made) == (200, "")
    assert {"data.mdb", "server.log"} <= set(found(server, b"kim-the-control")), "the control must be found"
    for account in (made, taken):
        secret = account.secret_key.encode()
        for form in (secret, base64.b64encode(secret)[:-4], secret.hex().encode(), secret[: len(secret) // 2]):
            assert found(server, form) == []
    node_key = (server.directory / "data/node.key").read_bytes().strip()
    assert found(server, node_key) == ["node.key"] and found(server, bytes.fromhex(node_key.decode())) == []


def test_the_log_says_who_asked_for_what(own_server):
    own_server.start()
    account = keys.create(own_server, "lea", "org-lea")
    keys.ask(own_server, "key", "disable", account.access_key)
    keys.refusal(own_server, "key", "delete", "NOBODY")
    lines = [line for line in own_server.log_path.read_text().splitlines() if "administration uid=" in line]
    assert len(lines) == 3
    assert all(" INFO " in line and re.search(r"uid=\d+ pid=\d+ ", line) for line in lines)
    assert "create key" in lines[0] and account.access_key in lines[0] and "lea" in lines[0]
    assert "disable key" in lines[1] and account.access_key in lines[1]
    assert "delete key" in lines[2] and "no access key NOBODY" in lines[2]
    own_server.stop()
