"""The process around the objects: first start, configuration errors, SIGTERM, a second process."""

import re
import signal
import subprocess
import threading
import time

import pytest

from support import s3, wire
from support.accounts import MAIN, REGION, Account
from support.payload import KIB, MIB, payload
from support.server import BINARY, Server, free_port

EXIT_TIMEOUT_S = 30


@pytest.fixture
def server(request):
    """A server of this test alone, not yet started."""
    made = Server(re.sub(r"\W+", "_", request.node.name))
    yield made
    made.kill()
    made.remove_data()


def run_binary(server: Server, *arguments, environment=None) -> subprocess.CompletedProcess:
    """Runs the binary to its end."""
    return subprocess.run(
        [BINARY, *map(str, arguments)],
        cwd=server.directory,
        env={"PATH": "/usr/bin", **(environment or {})},
        capture_output=True,
        text=True,
        timeout=EXIT_TIMEOUT_S,
    )


def test_objects_survive_a_clean_restart(server):
    server.start()
    client = s3.make_client(server.endpoint, MAIN)
    s3.create_bucket(client, "kept")
    contents = {f"k{size}": payload(size) for size in (0, 100, 9 * KIB, 300 * KIB, 3 * MIB)}
    for key, content in contents.items():
        client.put_object(Bucket="kept", Key=key, Body=content, Metadata={"size": str(len(content))})
    server.stop()
    server.start()
    for key, content in contents.items():
        got = client.get_object(Bucket="kept", Key=key)
        assert got["Body"].read() == content and got["Metadata"] == {"size": str(len(content))}
    server.stop()


def test_sigterm_lets_requests_in_flight_finish(server):
    server.start()
    client = s3.make_client(server.endpoint, MAIN)
    s3.create_bucket(client, "drained")
    body = payload(MIB)
    prepared = wire.prepare(server.address, "PUT", "/drained/k", body_bytes=len(body))
    with wire.Connection(server.address) as busy, wire.Connection(server.address) as idle:
        idle.send(wire.prepare(server.address, "GET", "/").head())
        assert idle.response().status == 200
        busy.send(prepared.head() + body[:1000])
        time.sleep(0.2)  # the server must have read the head before the signal
        server.terminate()
        assert idle.is_closed_by_server()
        with pytest.raises((OSError, AssertionError)):
            # Readiness is red, or the admin port is gone already.
            assert server.admin_get("/health/ready")[0] == 200
        busy.send(body[1000:])
        assert busy.response().status == 200
        assert busy.is_closed_by_server()
    assert server.wait() == 0
    server.start()
    assert s3.body_of(client, "drained", "k") == body
    server.stop()


def test_sigterm_ends_an_idle_server_at_once(server):
    server.start()
    started = time.monotonic()
    server.stop()
    assert time.monotonic() - started < 5


def test_sigint_stops_like_sigterm(server):
    server.start()
    server.process.send_signal(signal.SIGINT)
    assert server.wait() in (0, 130, -signal.SIGINT)


def test_a_second_process_on_the_same_directory_is_refused(server):
    server.start()
    arguments = ["--config", server.config_path, "--listen", f"127.0.0.1:{free_port()}"]
    arguments += ["--admin-listen", f"127.0.0.1:{free_port()}"]
    second = run_binary(server, "serve", *arguments)
    assert second.returncode != 0
    assert "data" in second.stderr + second.stdout
    client = s3.make_client(server.endpoint, MAIN)
    s3.create_bucket(client, "still-served")
    server.stop()


@pytest.mark.parametrize("line, named", [("lisen = 1", "lisen"), ("[nonsense]", "nonsense")])
def test_an_unknown_key_of_the_file_is_named(server, line, named):
    server.config_path.write_text(line + "\n")
    refused = run_binary(server, "serve", "--config", server.config_path)
    assert refused.returncode != 0 and named in refused.stderr + refused.stdout


def test_an_unknown_environment_variable_is_named(server):
    refused = run_binary(server, "serve", "--config", server.config_path, environment={"RINGSTONE_LISEN": "1"})
    assert refused.returncode != 0
    assert "RINGSTONE_LISEN" in refused.stderr + refused.stdout


def test_the_annotated_default_is_printed_and_loads(server):
    printed = run_binary(server, "config")
    assert printed.returncode == 0
    for name in ("data_dir", "listen", "admin_listen", "region", "domain", "extent_size"):
        assert re.search(rf"^#? ?{name} =", printed.stdout, re.M), name
    assert "#" in printed.stdout


def test_the_first_start_makes_and_prints_a_key(server):
    """No file prepared: flags come over the environment, the environment over the file."""
    ports = {"listen": free_port(), "admin": free_port()}
    environment = {
        "PATH": "/usr/bin",
        "RINGSTONE_LISTEN": "127.0.0.1:1",
        "RINGSTONE_ADMIN_LISTEN": f"127.0.0.1:{ports['admin']}",
        "RINGSTONE_REGION": REGION,
    }
    server.port, server.admin_port = ports["listen"], ports["admin"]
    server.process = subprocess.Popen(
        [BINARY, "serve", "--listen", f"127.0.0.1:{ports['listen']}"],
        cwd=server.directory,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(server.process.stdout), daemon=True)
    reader.start()
    server.wait_until_ready()
    exports = {}
    deadline = time.monotonic() + 5
    while len(exports) < 3 and time.monotonic() < deadline:
        exports = dict(re.findall(r"^\s*export (AWS_\w+)=(\S+)$", "".join(lines), re.M))
        time.sleep(0.01)
    account = Account(exports["AWS_ACCESS_KEY_ID"], exports["AWS_SECRET_ACCESS_KEY"], "", "")
    assert exports["AWS_DEFAULT_REGION"] == REGION
    client = s3.make_client(server.endpoint, account)
    s3.create_bucket(client, "first-bucket")
    client.put_object(Bucket="first-bucket", Key="k", Body=b"first object")
    assert s3.body_of(client, "first-bucket", "k") == b"first object"
    credentials = server.directory / "data/credentials"
    assert credentials.stat().st_mode & 0o777 == 0o600
    assert account.secret_key in credentials.read_text()
    server.stop()
    reader.join(5)
    printed = "".join(lines)
    assert "aws --endpoint-url" in printed and "boto3" in printed
    # The second start keeps the key and does not print the secret again.
    server.spawn(["serve", "--listen", f"127.0.0.1:{ports['listen']}"], environment)
    server.wait_until_ready()
    assert s3.body_of(client, "first-bucket", "k") == b"first object"
    server.stop()
    assert account.secret_key not in server.log_path.read_text()


def test_a_secret_never_reaches_the_log(server):
    server.start()
    client = s3.make_client(server.endpoint, MAIN)
    client.list_buckets()
    wire.call(server.address, "GET", "/", account=Account(MAIN.access_key, "wrong", "", ""))
    server.stop()
    assert MAIN.secret_key not in server.log_path.read_text()
