"""pytest plugin: writes how each case ended, one `node id TAB outcome TAB message` a line, to the file named by
S3TESTS_OUTCOMES. A case passes if its set-up, its call and its clean-up do."""

import os

import pytest

_RANK = ["passed", "skipped", "failed"]


class Outcomes:
    """The worst outcome of each case, with the last line of its message."""

    def __init__(self):
        self.cases: dict[str, tuple[str, str]] = {}

    def pytest_runtest_logreport(self, report):
        known, _ = self.cases.get(report.nodeid, ("passed", ""))
        if report.nodeid not in self.cases or _RANK.index(report.outcome) > _RANK.index(known):
            self.cases[report.nodeid] = (report.outcome, _message(report))

    def pytest_sessionfinish(self):
        with open(os.environ["S3TESTS_OUTCOMES"], "w") as file:
            for node_id, (outcome, message) in self.cases.items():
                file.write(f"{node_id}\t{outcome}\t{message}\n")


def _message(report) -> str:
    crash = getattr(report.longrepr, "reprcrash", None)
    text = crash.message if crash else str(report.longrepr or "")
    return " ".join(text.split())[:200]


def pytest_configure(config: pytest.Config):
    # A worker of xdist reports to the session that started it; only that one writes.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes())
