"""pytest plugin: writes how each case ended, one `node id TAB outcome TAB message` a line, to the file named by
S3TESTS_OUTCOMES. A case passes if its set-up, its call and its clean-up do.

The suite leaves uploads open in buckets that it then deletes. Here a bucket with an open upload is not empty, so they
are aborted before the suite's own clean-up of a bucket.

Cases of lifecycle rules begin as a day does, of those that the server counts in: what is written late in a day is a day
old soon after, and the cases count in whole days from their own beginning."""

import os
import time

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


def _abort_uploads_before_clean_up():
    import s3tests.functional as suite

    clean_up = suite.nuke_bucket

    def abort_and_clean_up(client, bucket):
        pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket)
        for upload in [upload for page in pages for upload in page.get("Uploads", [])]:
            client.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        clean_up(client, bucket)

    suite.nuke_bucket = abort_and_clean_up


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    if item.get_closest_marker("lifecycle_expiration"):
        day_s = float(os.environ["S3TESTS_DAY_S"])
        time.sleep(day_s - time.time() % day_s)


def pytest_configure(config: pytest.Config):
    _abort_uploads_before_clean_up()
    # A worker of xdist reports to the session that started it; only that one writes.
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Outcomes())
