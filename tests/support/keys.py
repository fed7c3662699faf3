"""Access keys that a running server makes, by its command line."""

import json

from support.accounts import Account
from support.server import Server


def ask(server: Server, *arguments, stdin: bytes | None = None) -> str:
    """Runs a command that must succeed; returns what it printed."""
    finished = server.command(*arguments, stdin=stdin)
    assert finished.returncode == 0, f"{arguments}: status {finished.returncode}\n{finished.stderr.decode()}"
    return finished.stdout.decode()


def refusal(server: Server, *arguments, stdin: bytes | None = None) -> str:
    """Runs a command that must fail with status 1 and print nothing; returns what it said."""
    finished = server.command(*arguments, stdin=stdin)
    said = finished.stderr.decode()
    assert (finished.returncode, finished.stdout) == (1, b""), f"{arguments}: {finished.stdout!r}\n{said}"
    assert said.startswith("ringstone: ") and said.count("\n") == 1, said
    return said


def create(server: Server, user: str, org: str, *arguments) -> Account:
    """A new key of a user."""
    made = json.loads(ask(server, "key", "create", "--user", user, "--org", org, "--json", *arguments))
    return Account(made["access_key"], made["secret_key"], made["user"], made["org"])


def take(server: Server, account: Account) -> None:
    """Stores a key whose secret is known already."""
    names = ["--user", account.user, "--org", account.org, "--access-key", account.access_key]
    secret = account.secret_key.encode() + b"\n"
    ask(server, "key", "create", *names, "--secret-key-stdin", stdin=secret)


def listed(server: Server, *arguments) -> dict[str, dict]:
    """The keys that `key list` shows, by access key; a name that stands there twice is a fault here."""
    keys = json.loads(ask(server, "key", "list", "--json", *arguments))
    by_name = {key["access_key"]: key for key in keys}
    assert len(by_name) == len(keys), keys
    return by_name
