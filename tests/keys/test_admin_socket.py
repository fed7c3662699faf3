"""The admin socket itself: who may use it, what it answers to junk, where it lies."""

import json
import os
import re
import socket
import stat
import tempfile
import time
from pathlib import Path

import pytest

from support import keys, wire
from support.accounts import MAIN
from support.server import Server

NOBODY = 65534
LIST = b'{"list_keys":{"org":null}}\n'
NEEDS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="takes another user's place, which root alone can")

@pytest.fixture(scope="module")
def server(start_server) -> Server:
    return start_server("admin_socket")


@pytest.fixture
def own_server(request):
    """A server of this test alone, not yet started."""
    made = Server(re.sub(r"\W+", "_", request.node.name))
    yield made
    made.kill()
    made.remove_data()


def place(server: Server):
    return server.directory / "data/admin.sock"


def connect(server: Server) -> socket.socket:
    """Through the directory's descriptor: the path may be longer than an address."""
    directory = os.open(place(server).parent, os.O_RDONLY)
    try:
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(30)
        client.connect(f"/proc/self/fd/{directory}/admin.sock")
        return client
    finally:
        os.close(directory)


def exchange(server: Server, question: bytes) -> bytes:
    """Sends these bytes and an end; returns all that comes back."""
    with connect(server) as client:
        try:
            client.sendall(question)
            client.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # refused before all of it was taken
        answer = b""
        try:
            while piece := client.recv(1 << 16):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def ask_as(user: int, path) -> str:
    """What a child of another user sees: the answer, or the name of the failure."""
    receiving, sending = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(10)
                client.connect(str(path))
                client.sendall(LIST)
                seen = client.recv(1 << 16).decode()
        except OSError as failure:
            seen = type(failure).__name__
        os.write(sending, seen.encode())
        os._exit(0)
    os.close(sending)
    os.waitpid(child, 0)
    with os.fdopen(receiving) as pipe:
        return pipe.read()


def test_it_is_for_its_owner_alone(server):
    status = place(server).stat()
    assert stat.S_ISSOCK(status.st_mode) and status.st_mode & 0o777 == 0o600
    assert status.st_uid == os.geteuid()
    assert [path.name for path in place(server).parent.iterdir() if "admin" in path.name] == ["admin.sock"]


@NEEDS_ROOT
def test_another_user_is_refused_by_the_mode_and_by_the_node(own_server):
    with tempfile.TemporaryDirectory(dir="/tmp") as top:
        # Where everybody can get to, so that nothing but the socket itself is in the way.
        os.chmod(top, 0o755)
        text = own_server.config_path.read_text()
        own_server.config_path.write_text(text.replace(str(own_server.directory / "data"), top))
        own_server.start()
        path = Path(top) / "admin.sock"
        assert MAIN.access_key in ask_as(os.geteuid(), path), "the control must be answered"
        assert ask_as(NOBODY, path) == "PermissionError"
        # Also where somebody has opened it by mistake.
        path.chmod(0o666)
        assert ask_as(NOBODY, path) in ("", "ConnectionResetError", "BrokenPipeError")
        assert f"uid={NOBODY}" in own_server.log_path.read_text()
        own_server.stop()


def test_one_line_is_asked_and_one_answered(server):
    answer = exchange(server, LIST)
    assert answer.count(b"\n") == 1 and answer.endswith(b"\n")
    shown = json.loads(answer)["keys"]
    assert MAIN.access_key in [key["access_key"] for key in shown]
    assert exchange(server, LIST + LIST) == answer, "one question for each connection"


@pytest.mark.parametrize(
    "junk",
    [
        b"\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",
        b"{}\n",
        b'{"list_keys":{}} x\n',
        b'{"drop_everything":{}}\n',
        b'{"create_key":{"user":["topsecret"]}}\n',
        b'{"create_key":{"secret_key":{"topsecret":1}}}\n',
        b'{"delete_key":{"access_key":"a","topsecret":"b"}}\n',
        b"\xff\xfe\x00\n",
        b"[" * 60_000 + b"\n",
        b" " * 70_000,
        b"x" * 5_000_000,
    ],
)
def test_junk_is_refused_and_not_repeated(server, junk):
    answer = exchange(server, junk)
    assert list(json.loads(answer)) == ["refused"], answer
    assert b"topsecret" not in answer and len(answer) < 200
    assert b"topsecret" not in server.log_path.read_bytes()
    assert json.loads(exchange(server, LIST))["keys"]


@pytest.mark.parametrize("cut", [b"", LIST[:-1], b'{"create_key":'])
def test_half_a_line_does_nothing(server, cut):
    assert exchange(server, cut) == b""


def test_silent_connections_hold_up_neither_others_nor_the_stop(own_server):
    own_server.start()
    silent = [connect(own_server) for _ in range(5)]
    silent[0].sendall(b'{"list_keys"')
    started = time.monotonic()
    assert MAIN.access_key in keys.listed(own_server)
    own_server.stop()
    assert time.monotonic() - started < 5
    assert silent[0].recv(1) == b"" and not place(own_server).exists()
    for client in silent:
        client.close()


@pytest.mark.slow
def test_a_silent_connection_ends_by_itself(server):
    with connect(server) as client:
        client.sendall(b'{"list_keys"')
        started = time.monotonic()
        assert client.recv(1) == b""
        assert 5 < time.monotonic() - started < 20


def test_a_socket_that_a_killed_node_left_is_replaced(own_server):
    own_server.start()
    account = keys.create(own_server, "u", "o")
    for _ in range(2):
        own_server.kill()
        assert stat.S_ISSOCK(place(own_server).stat().st_mode), "it is left behind"
        own_server.start()
        assert account.access_key in keys.listed(own_server)
        assert place(own_server).stat().st_mode & 0o777 == 0o600
    own_server.stop()


def test_a_second_process_leaves_the_socket_alone(own_server):
    own_server.start()
    refused = own_server.command("serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0")
    assert refused.returncode == 1 and b"lock" in refused.stderr
    assert MAIN.access_key in keys.listed(own_server)
    own_server.stop()


@pytest.mark.parametrize("length", [100, 107, 108, 150, 400])
def test_a_long_path_of_the_data_directory_works(own_server, length):
    top = own_server.directory / "data"
    missing = max(length - len(str(top / "admin.sock")), 0)
    data = top
    while missing > 0:
        name = "d" * min(missing, 100)
        data, missing = data / name, missing - len(name) - 1
    text = own_server.config_path.read_text()
    own_server.config_path.write_text(text.replace(f'"{top}"', f'"{data}"'))
    own_server.start()
    assert (data / "admin.sock").stat().st_mode & 0o777 == 0o600
    account = keys.create(own_server, "u", "o")
    assert wire.call(own_server.address, "GET", "/", account=account).status == 200
    own_server.stop()
