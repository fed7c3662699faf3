"""Starts, watches, stops and kills one `ringstone serve` process on a directory of its own."""

import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from support.accounts import ACCOUNTS, REGION

REPOSITORY = Path(__file__).resolve().parents[2]
BINARY = Path(os.environ.get("TEST_BINARY", REPOSITORY / "target/release/ringstone"))
# On the repository's own disk: /tmp may be a tmpfs, which refuses O_DIRECT.
RUN_DIRECTORY = REPOSITORY / "target/tests"

START_TIMEOUT_S = 20
COMMAND_TIMEOUT_S = 30
STOP_TIMEOUT_S = 40
LOG_TAIL_LINES = 60


def free_port() -> int:
    """A port nobody listens on now. The server binds with SO_REUSEPORT, so check it for real first."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class ServerFailed(Exception):
    """The process did not start, did not stop cleanly or died by itself."""


class Server:
    """A server process; `name` names its directory under target/tests, a setting that is a dict a table."""

    def __init__(self, name: str, **settings):
        self.directory = RUN_DIRECTORY / name
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.port = free_port()
        self.admin_port = free_port()
        self.log_path = self.directory / "server.log"
        self.config_path = self.directory / "ringstone.toml"
        self.process: subprocess.Popen | None = None
        self._write_config(settings)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> tuple[str, int]:
        return ("127.0.0.1", self.port)

    @property
    def pid(self) -> int:
        return self.process.pid

    def _write_config(self, settings: dict) -> None:
        values = {
            "data_dir": str(self.directory / "data"),
            "listen": f"127.0.0.1:{self.port}",
            "admin_listen": f"127.0.0.1:{self.admin_port}",
            "region": REGION,
            "domain": "localhost",
            "require_location_constraint": True,
            "extent_size": "64MiB",
            **settings,
        }
        tables = {name: value for name, value in values.items() if isinstance(value, dict)}
        lines = [f"{name} = {json.dumps(value)}" for name, value in values.items() if name not in tables]
        for table, fields in tables.items():
            lines += ["", f"[{table}]", *(f"{name} = {json.dumps(value)}" for name, value in fields.items())]
        for account in ACCOUNTS:
            lines += [
                "",
                "[[access_keys]]",
                f'access_key = "{account.access_key}"',
                f'secret_key = "{account.secret_key}"',
                f'user = "{account.user}"',
                f'display_name = "{account.display_name}"',
                f'org = "{account.org}"',
            ]
        self.config_path.write_text("\n".join(lines) + "\n")

    def start(self) -> float:
        """Starts the process and waits until it is ready; returns the seconds that took."""
        self.spawn()
        return self.wait_until_ready()

    def spawn(self, arguments: list[str] | None = None, environment: dict[str, str] | None = None) -> None:
        """Starts the process, by default on the written configuration, and returns at once."""
        own = {k: v for k, v in os.environ.items() if not k.startswith("RINGSTONE_")}
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, *(arguments or ["serve", "--config", str(self.config_path)])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=own if environment is None else environment,
                cwd=self.directory,
            )

    def command(self, *arguments, stdin: bytes | None = None) -> subprocess.CompletedProcess:
        """Runs another subcommand on this server's configuration, such as `key list`, to its end."""
        return subprocess.run(
            [BINARY, *map(str, arguments), "--config", str(self.config_path)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={name: value for name, value in os.environ.items() if not name.startswith("RINGSTONE_")},
            cwd=self.directory,
            timeout=COMMAND_TIMEOUT_S,
        )

    def fails_to_start(self) -> str:
        """Starts the process, which must end by itself with status 1; returns what it said."""
        before = len(self.log_path.read_text()) if self.log_path.exists() else 0
        self.spawn()
        try:
            code = self.wait(START_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"still running after {START_TIMEOUT_S} s\n{self.log_tail()}") from None
        said = self.log_path.read_text()[before:]
        assert code == 1, f"exit code {code}\n{said}"
        return said

    def wait_until_ready(self) -> float:
        """Polls the readiness of a spawned process; returns the seconds it took."""
        started = time.monotonic()
        while not self._admin_answers("/health/ready"):
            if self.process.poll() is not None:
                raise ServerFailed(f"exited with {self.process.returncode} at start\n{self.log_tail()}")
            if time.monotonic() - started > START_TIMEOUT_S:
                self.kill()
                raise ServerFailed(f"not ready after {START_TIMEOUT_S} s\n{self.log_tail()}")
            time.sleep(0.005)
        return time.monotonic() - started

    def _admin_answers(self, path: str) -> bool:
        try:
            return self.admin_get(path)[0] == 200
        except OSError:
            return False

    def admin_get(self, path: str) -> tuple[int, str]:
        """Status and body of a GET on the admin port."""
        connection = http.client.HTTPConnection("127.0.0.1", self.admin_port, timeout=5)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read().decode()
        except http.client.HTTPException as error:
            raise ConnectionError(f"no HTTP on the admin port: {error!r}") from error
        finally:
            connection.close()

    def metric(self, name: str) -> float:
        """The value of a metric without labels, summed where it has some."""
        lines = self.admin_get("/metrics")[1].splitlines()
        values = [float(line.split()[-1]) for line in lines if line.split("{")[0].split(" ")[0] == name]
        assert values, f"no metric {name}"
        return sum(values)

    def extent_bytes_in_use(self) -> float:
        """Bytes of extents that are not free: of records, uploads in flight and readers."""
        return self.metric("ringstone_extent_prepared_bytes") - self.metric("ringstone_extent_free_bytes")

    def wait_for_extent_bytes(self, expected: float) -> None:
        """Waits until the extents hold exactly this much: a reader's end may come after its last byte."""
        deadline = time.monotonic() + 5
        while (held := self.extent_bytes_in_use()) != expected:
            assert time.monotonic() < deadline, f"extents hold {held} bytes and not {expected}"
            time.sleep(0.01)

    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def terminate(self) -> None:
        """Sends SIGTERM and returns at once."""
        self.process.send_signal(signal.SIGTERM)

    def wait(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Waits for the end of the process; returns its exit code."""
        return self.process.wait(timeout_s)

    def stop(self) -> None:
        """SIGTERM; the process must drain and exit with 0."""
        if self.process is None:
            return
        if self.process.poll() is not None:
            raise ServerFailed(f"died by itself with {self.process.returncode}\n{self.log_tail()}")
        self.terminate()
        try:
            code = self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"still running {STOP_TIMEOUT_S} s after SIGTERM\n{self.log_tail()}") from None
        if code != 0:
            raise ServerFailed(f"exit code {code} after SIGTERM\n{self.log_tail()}")

    def kill(self) -> None:
        """SIGKILL to this process alone."""
        if self.is_running():
            self.process.kill()
            self.process.wait()

    def log_tail(self, lines: int = LOG_TAIL_LINES) -> str:
        """The last lines that the process wrote."""
        if not self.log_path.exists():
            return ""
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-lines:])

    def remove_data(self) -> None:
        """Deletes the objects, keeps config and log for a look after the tests."""
        shutil.rmtree(self.directory / "data", ignore_errors=True)
