"""Fixtures of all outside suites: one server for the client suites, accounts, buckets, its log on failure."""

import pytest

from support import s3
from support.accounts import ALT, MAIN, TENANT
from support.policy import Guarded
from support.server import BINARY, Server

_servers: list[Server] = []


def pytest_sessionstart(session):
    if not BINARY.exists() and not session.config.option.collectonly:
        pytest.exit(f"{BINARY} is missing: run `cargo build --release` first", returncode=2)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the end of the server's log to the report of a failed test."""
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        for server in _servers:
            report.sections.append((f"log of {server.directory.name}", server.log_tail()))


@pytest.fixture(scope="session")
def start_server():
    """Makes and starts a server of its own configuration; all are stopped (and must exit with 0) at the end."""

    def start(name: str, **settings) -> Server:
        server = Server(name, **settings)
        _servers.append(server)
        server.start()
        return server

    yield start
    failures = []
    for server in _servers:
        try:
            server.stop()
            server.remove_data()
        except Exception as error:
            failures.append(error)
    assert not failures, failures


@pytest.fixture(scope="session")
def node(start_server) -> Server:
    """The server that the client suites share."""
    return start_server("node")


@pytest.fixture(scope="session")
def address(node) -> tuple[str, int]:
    return node.address


@pytest.fixture(scope="session")
def client(node):
    """boto3 as the user `main`."""
    return s3.make_client(node.endpoint, MAIN)


@pytest.fixture(scope="session")
def alt_client(node):
    """boto3 as the user `alt` of another organisation."""
    return s3.make_client(node.endpoint, ALT)


@pytest.fixture(scope="session")
def tenant_client(node):
    """boto3 as the user `tenant` of a third organisation."""
    return s3.make_client(node.endpoint, TENANT)


@pytest.fixture
def bucket(client):
    """An empty bucket of `main`, removed with its objects after the test."""
    name = s3.create_bucket(client, s3.new_bucket_name())
    yield name
    s3.delete_bucket_with_objects(client, name)


@pytest.fixture(scope="module")
def module_bucket(client):
    """A bucket that the tests of one file share."""
    name = s3.create_bucket(client, s3.new_bucket_name("module"))
    yield name
    s3.delete_bucket_with_objects(client, name)


@pytest.fixture
def guarded(client):
    """A bucket of `main` whose policy the test changes, removed with all that is in it, whatever it denied."""
    bucket = Guarded(client, s3.create_bucket(client, s3.new_bucket_name("guarded")))
    yield bucket
    bucket.remove()
