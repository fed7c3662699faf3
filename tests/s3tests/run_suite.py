"""Runs the cases of expected.txt from an unpacked ceph/s3-tests against a server of our own (scripts/s3tests).

Exit code 1: a case failed that excluded.txt does not name, or a case passed that it names.
"""

import argparse
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from support.accounts import ACCOUNTS, ALT, MAIN, REGION, TENANT, Account
from support.server import Server

HERE = Path(__file__).resolve().parent
CASE_TIMEOUT_S = 60
# A day of lifecycle rules: cases sleep for up to ten, and do in less than one what they do between two sleeps.
DAY_S = 3
# Looks at every bucket of the account, so nothing else may run beside it or leave a bucket before it.
ALONE = ("test_list_buckets_paginated",)
EITHER_WAY = "sometimes:"


def read_list(name: str) -> dict[str, str]:
    """Node id to area or reason."""
    lines = (HERE / name).read_text().splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))


def write_suite_config(server: Server, path: Path) -> None:
    """The suite's configuration: where the node is and who its users are. The IAM sections are never used."""

    def user(section: str, account: Account) -> list[str]:
        return [
            "",
            f"[{section}]",
            f"display_name = {account.display_name}",
            f"user_id = {account.user}",
            f"email = {account.user}@example.com",
            f"access_key = {account.access_key}",
            f"secret_key = {account.secret_key}",
        ]

    lines = ["[DEFAULT]", "host = 127.0.0.1", f"port = {server.port}", "is_secure = False", "ssl_verify = False"]
    lines += ["", "[fixtures]", "bucket prefix = ringstone-{random}-"]
    lines += [*user("s3 main", MAIN), f"api_name = {REGION}", f"lc_debug_interval = {DAY_S}"]
    lines += [*user("s3 alt", ALT)]
    lines += [*user("s3 tenant", TENANT), f"tenant = {TENANT.org}"]
    for section, account in zip(("iam", "iam root", "iam alt root"), ACCOUNTS):
        lines += user(section, account)
    path.write_text("\n".join(lines) + "\n")


def run_cases(server: Server, suite: Path, cases: list[str], workers: int) -> dict[str, tuple[str, str]]:
    """Runs pytest in the suite's folder; returns outcome and message of each case."""
    config, outcomes = server.directory / "s3tests.conf", server.directory / "outcomes.txt"
    write_suite_config(server, config)
    outcomes.unlink(missing_ok=True)
    # Nothing of the user's own settings; every request is sent once, so that a case sees the first answer.
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(server.directory),
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        "S3TEST_CONF": str(config),
        "S3TESTS_OUTCOMES": str(outcomes),
        "S3TESTS_DAY_S": str(DAY_S),
        "AWS_DEFAULT_REGION": REGION,
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    command = [sys.executable, "-m", "pytest", "-q", "--tb=short", "-p", "outcome_plugin", "-p", "no:cacheprovider"]
    command += [f"--timeout={CASE_TIMEOUT_S}", "--timeout-method=signal"]
    if workers > 1:
        command += ["-n", str(workers)]
    with open(server.directory / "pytest.log", "ab") as log:
        subprocess.run([*command, *cases], cwd=suite, env=environment, stdout=log, stderr=log, check=False)
    if not outcomes.exists():
        sys.exit(f"pytest did not run: see {server.directory / 'pytest.log'}")
    rows = [line.split("\t") for line in outcomes.read_text().splitlines()]
    return {node_id: (outcome, message) for node_id, outcome, message in rows}


def run_all(server: Server, suite: Path, cases: list[str], workers: int) -> dict[str, tuple[str, str]]:
    alone = [case for case in cases if case.endswith(ALONE)]
    together = [case for case in cases if case not in alone]
    results = {}
    for part, part_workers in ((alone, 1), (together, workers)):
        if part:
            results |= run_cases(server, suite, part, part_workers)
    return {case: results.get(case, ("not run", "")) for case in cases}


def print_areas(cases: dict[str, str], passed: set[str]) -> None:
    total = Counter(cases.values())
    good = Counter(area for case, area in cases.items() if case in passed)
    for area in sorted(total):
        print(f"{area:<18} {good[area]:>4} of {total[area]}")


def judge(results: dict[str, tuple[str, str]], excluded: dict[str, str]) -> int:
    """Prints what is not as the lists say; returns how many cases that are."""
    wrong = 0
    for case, (outcome, message) in results.items():
        reason = excluded.get(case)
        if outcome != "passed" and reason is None:
            wrong += 1
            print(f"{outcome.upper()}  {case}\n    {message}")
        elif outcome == "passed" and reason is not None and reason.startswith(EITHER_WAY):
            print(f"passed this time  {case}")
        elif outcome == "passed" and reason is not None:
            wrong += 1
            print(f"PASSED, but excluded.txt names it  {case}")
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/s3tests")
    parser.add_argument("--suite", type=Path, required=True, help="the unpacked ceph/s3-tests")
    parser.add_argument("--area", default="", help="only these areas, separated by commas")
    parser.add_argument("--match", default="", help="only cases whose node id contains this")
    parser.add_argument("--workers", type=int, default=2, help="cases that run at the same time (default 2)")
    options = parser.parse_args()

    expected, excluded = read_list("expected.txt"), read_list("excluded.txt")
    strangers = excluded.keys() - expected.keys()
    assert not strangers, f"in excluded.txt, not in expected.txt: {strangers}"
    areas = set(options.area.split(",")) - {""}
    unknown = areas - set(expected.values())
    assert not unknown, f"no such area: {unknown}"
    cases = {case: area for case, area in expected.items() if (not areas or area in areas) and options.match in case}
    assert cases, "no case is left to run"

    # The suite creates buckets without a location, and waits for objects to expire.
    days = {"allow_test_clock": True, "lifecycle": {"test_day_s": DAY_S}}
    server = Server("s3tests", require_location_constraint=False, **days)
    started = time.monotonic()
    server.start()
    try:
        results = run_all(server, options.suite.resolve(), list(cases), options.workers)
    finally:
        server.stop()
        server.remove_data()

    passed = {case for case, (outcome, _) in results.items() if outcome == "passed"}
    wrong = judge(results, excluded)
    print_areas(cases, passed)
    seconds = time.monotonic() - started
    named = len(cases.keys() & excluded.keys())
    print(f"passed {len(passed)} of {len(cases)}; {named} excluded; {wrong} not as listed; {seconds:.0f} s")
    print(f"logs: {server.directory}/pytest.log, {server.log_path.name}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
