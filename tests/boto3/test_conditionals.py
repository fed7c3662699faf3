"""The four conditions of a read, alone and together (RFC 9110 order with S3's extra rule)."""

import datetime
from email.utils import format_datetime, parsedate_to_datetime

import pytest

from support import wire
from support.payload import etag

CONTENT = b"conditional"
OTHER = '"00000000000000000000000000000000"'


@pytest.fixture(scope="module")
def stored(client, module_bucket):
    """Path and Last-Modified of one object."""
    client.put_object(Bucket=module_bucket, Key="k", Body=CONTENT, CacheControl="max-age=60")
    modified = client.head_object(Bucket=module_bucket, Key="k")["LastModified"]
    return f"/{module_bucket}/k", modified


def http_date(moment: datetime.datetime) -> str:
    return format_datetime(moment.astimezone(datetime.timezone.utc), usegmt=True)


# Each condition as the row needs it: it holds (True) or fails (False).
IF_MATCH = {True: etag(CONTENT), False: OTHER}
IF_NONE_MATCH = {True: OTHER, False: etag(CONTENT)}

ROWS = [
    # if-match, if-unmodified-since, if-none-match, if-modified-since, status
    (True, None, None, None, 200),
    (False, None, None, None, 412),
    (None, True, None, None, 200),
    (None, False, None, None, 412),
    (None, None, True, None, 200),
    (None, None, False, None, 304),
    (None, None, None, True, 200),
    (None, None, None, False, 304),
    # If-Match that holds makes If-Unmodified-Since void.
    (True, False, None, None, 200),
    (False, True, None, None, 412),
    (True, True, None, None, 200),
    (False, False, None, None, 412),
    # If-None-Match, where present, makes If-Modified-Since void.
    (None, None, True, False, 200),
    (None, None, True, True, 200),
    (None, None, False, True, 304),
    (None, None, False, False, 304),
    # 412 of If-Unmodified-Since wins over 304.
    (None, False, False, None, 412),
    (None, False, None, False, 412),
    (None, True, False, None, 304),
    (None, True, None, False, 304),
    # Both etag conditions.
    (True, None, False, None, 304),
    (True, None, True, None, 200),
    (False, None, False, None, 412),
    (False, None, True, None, 412),
    # All four.
    (True, False, True, False, 200),
    (True, False, False, True, 304),
    (False, True, True, True, 412),
    (True, True, None, False, 304),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("match, unmodified, none_match, modified, status", ROWS)
def test_condition_table(address, stored, method, match, unmodified, none_match, modified, status):
    path, last_modified = stored
    before = http_date(last_modified - datetime.timedelta(hours=1))
    same = http_date(last_modified)
    headers = {}
    if match is not None:
        headers["if-match"] = IF_MATCH[match]
    if unmodified is not None:
        headers["if-unmodified-since"] = same if unmodified else before
    if none_match is not None:
        headers["if-none-match"] = IF_NONE_MATCH[none_match]
    if modified is not None:
        headers["if-modified-since"] = before if modified else same
    response = wire.call(address, method, path, headers=headers)
    assert response.status == status
    if status == 200 and method == "GET":
        assert response.body == CONTENT
    if status == 412 and method == "GET":
        assert response.error()["Code"] == "PreconditionFailed"
        assert response.error()["Condition"] == ("If-Match" if match is False else "If-Unmodified-Since")


def test_not_modified_has_no_body_and_keeps_the_cache_headers(address, stored):
    path, last_modified = stored
    prepared = wire.prepare(address, "GET", path, headers={"if-none-match": etag(CONTENT)})
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        response = connection.response()
        assert response.status == 304
        assert response.get("etag") == etag(CONTENT)
        assert parsedate_to_datetime(response.get("last-modified")) == last_modified
        assert response.get("cache-control") == "max-age=60"
        # No byte of a body may stand before the next response.
        connection.send(wire.prepare(address, "GET", path).head())
        assert connection.response().body == CONTENT


@pytest.mark.parametrize(
    "header, value, status",
    [
        ("if-match", etag(CONTENT).strip('"'), 200),
        ("if-match", "*", 200),
        ("if-none-match", etag(CONTENT).strip('"'), 304),
        ("if-none-match", "*", 304),
    ],
)
def test_etags_compare_without_quotes_and_by_star(address, stored, header, value, status):
    assert wire.call(address, "GET", stored[0], headers={header: value}).status == status


@pytest.mark.parametrize("header", ["if-modified-since", "if-unmodified-since"])
@pytest.mark.parametrize("value", ["not a date", "", "2026-11-24T10:00:00Z", "0"])
def test_a_date_that_is_none_is_ignored(address, stored, header, value):
    assert wire.call(address, "GET", stored[0], headers={header: value}).status == 200


@pytest.mark.parametrize("header", ["if-modified-since", "if-unmodified-since"])
def test_a_date_in_the_future_is_ignored(address, stored, header):
    future = http_date(datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=2))
    assert wire.call(address, "GET", stored[0], headers={header: future}).status == 200


@pytest.mark.parametrize("form", ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"])
def test_the_obsolete_date_forms_are_understood(address, stored, form):
    path, last_modified = stored
    assert wire.call(address, "GET", path, headers={"if-modified-since": last_modified.strftime(form)}).status == 304


def test_a_condition_on_a_missing_key_stays_not_found(address, module_bucket):
    for header, value in (("if-match", OTHER), ("if-none-match", "*")):
        response = wire.call(address, "GET", f"/{module_bucket}/absent", headers={header: value})
        assert response.refusal() == (404, "NoSuchKey")


def test_a_failed_condition_wins_over_the_range(address, stored):
    headers = {"if-match": OTHER, "range": "bytes=99999-"}
    assert wire.call(address, "GET", stored[0], headers=headers).refusal() == (412, "PreconditionFailed")
