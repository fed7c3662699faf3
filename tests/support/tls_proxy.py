"""HAProxy with a self-signed certificate in front of the server: boto3 frames bodies differently there."""

import shutil
import socket
import subprocess
import time
from pathlib import Path

from support.server import free_port

START_TIMEOUT_S = 10

CONFIG = """\
global
    maxconn 256

defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend tls
    bind 127.0.0.1:{port} ssl crt {pem}
    {frontend}
    default_backend node

backend node
    server node 127.0.0.1:{upstream} {server}
"""


def make_certificate(directory: Path) -> Path:
    """A key and a self-signed certificate of 127.0.0.1 in one PEM file; returns the certificate's path."""
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
        + ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
    )
    (directory / "both.pem").write_text(certificate.read_text() + key.read_text())
    return certificate


class TlsProxy:
    """One HAProxy process that ends TLS and passes requests on to `upstream_port`.

    `frontend` holds further lines of its frontend, `server` further words of its server.
    """

    def __init__(self, directory: Path, upstream_port: int, frontend: str = "", server: str = ""):
        binary = shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin:/usr/bin:/usr/local/bin")
        assert binary, "haproxy is missing: run scripts/install_clients"
        directory.mkdir(parents=True, exist_ok=True)
        self.certificate = make_certificate(directory)
        self.port = free_port()
        config = directory / "haproxy.cfg"
        pem = directory / "both.pem"
        values = {"port": self.port, "pem": pem, "upstream": upstream_port, "frontend": frontend, "server": server}
        config.write_text(CONFIG.format(**values))
        self.log = open(directory / "haproxy.log", "wb")
        self.process = subprocess.Popen([binary, "-db", "-f", config], stdout=self.log, stderr=self.log)
        self._wait_until_open()

    @property
    def endpoint(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    def _wait_until_open(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                assert self.process.poll() is None, "haproxy ended at once, see haproxy.log"
                assert time.monotonic() < deadline, "haproxy does not listen"
                time.sleep(0.01)

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()
        self.log.close()
