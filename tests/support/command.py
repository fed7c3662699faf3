"""Runs the real command-line clients, with nothing of the user's own configuration."""

import os
import subprocess
from dataclasses import dataclass

from support.server import REPOSITORY

VENV_BIN = REPOSITORY / "target/venv/bin"
TIMEOUT_S = 120


@dataclass
class Finished:
    """What a command left."""

    status: int
    output: str
    errors: str


class Command:
    """A client program with its fixed leading arguments and its environment."""

    def __init__(self, program, *arguments, home, environment: dict[str, str] | None = None):
        self.leading = [str(program), *map(str, arguments)]
        path = os.pathsep.join([str(VENV_BIN), os.environ["PATH"]])
        self.environment = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8", **(environment or {})}
        self.home = home

    def run(self, *arguments, stdin: bytes | None = None) -> Finished:
        """Runs and returns whatever happened."""
        finished = subprocess.run(
            [*self.leading, *map(str, arguments)],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env=self.environment,
            cwd=self.home,
            timeout=TIMEOUT_S,
        )
        return Finished(finished.returncode, finished.stdout.decode(errors="replace"), finished.stderr.decode())

    def __call__(self, *arguments, stdin: bytes | None = None) -> str:
        """Runs, demands success and returns the standard output."""
        finished = self.run(*arguments, stdin=stdin)
        shown = " ".join(map(str, arguments))
        assert finished.status == 0, f"{shown}: status {finished.status}\n{finished.output}\n{finished.errors}"
        return finished.output
