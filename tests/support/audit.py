"""The audit log of a server under test."""

import json
import time
from pathlib import Path

PATIENCE_S = 10


class AuditLog:
    """Reads the log and what was put aside of it."""

    def __init__(self, path: Path):
        self.path = path

    def files(self) -> list[Path]:
        """All files of the log, oldest first."""
        numbered = [path for path in self.path.parent.glob(f"{self.path.name}.*") if path.suffix[1:].isdigit()]
        return sorted(numbered, key=lambda path: -int(path.suffix[1:])) + [self.path] * self.path.exists()

    def text(self) -> str:
        return "".join(path.read_text() for path in self.files())

    def entries(self) -> list[dict]:
        """Every line; one that is no JSON fails the test. What is half written is left for the next time."""
        return [json.loads(line) for line in self.text().split("\n")[:-1]]

    def entry(self, request_id: str) -> dict:
        """The line of one request, which may take a moment to be written."""
        return self.wait_for(lambda entry: entry["request_id"] == request_id)

    def wait_for(self, is_meant) -> dict:
        """The one line for which `is_meant` holds."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            found = [entry for entry in self.entries() if is_meant(entry)]
            assert len(found) <= 1, f"several lines: {found}"
            if found:
                return found[0]
            assert time.monotonic() < deadline, "no such line"
            time.sleep(0.005)
