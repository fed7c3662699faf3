"""Header authentication: what is refused, with which code, and in which order."""

import datetime

import pytest

from support import s3, sigv4, wire
from support.accounts import ALT, MAIN, Account
from support.s3 import refused

WRONG_SECRET = Account(MAIN.access_key, "wrong secret", "main", "org-main")
UNKNOWN_KEY = Account("NOSUCHKEY0000000", "secret", "x", "x")


@pytest.fixture(scope="module")
def path(client, module_bucket) -> str:
    client.put_object(Bucket=module_bucket, Key="k", Body=b"authenticated")
    return f"/{module_bucket}/k"


def minutes_off(minutes: float) -> datetime.datetime:
    return sigv4.now_utc() + datetime.timedelta(minutes=minutes)


def test_a_wrong_secret_is_refused_with_all_that_helps(address, path):
    response = wire.call(address, "GET", path, account=WRONG_SECRET)
    assert response.refusal() == (403, "SignatureDoesNotMatch")
    fields = response.error()
    assert fields["AWSAccessKeyId"] == MAIN.access_key
    assert fields["StringToSign"].startswith("AWS4-HMAC-SHA256\n")
    assert fields["CanonicalRequest"].startswith(f"GET\n{path}\n")
    assert fields["SignatureProvided"] and fields["StringToSignBytes"] and fields["CanonicalRequestBytes"]


def test_boto3_with_a_wrong_secret(node, module_bucket):
    wrong = s3.make_client(node.endpoint, WRONG_SECRET)
    with refused(403, "SignatureDoesNotMatch"):
        wrong.put_object(Bucket=module_bucket, Key="never", Body=b"x")
    with refused(403, "403"):
        wrong.head_object(Bucket=module_bucket, Key="k")


def test_an_unknown_key_is_refused(address, path):
    response = wire.call(address, "GET", path, account=UNKNOWN_KEY)
    assert response.refusal() == (403, "InvalidAccessKeyId")
    assert response.error()["AWSAccessKeyId"] == UNKNOWN_KEY.access_key


def test_a_secret_of_another_key_is_refused(address, path):
    mixed = Account(MAIN.access_key, ALT.secret_key, "x", "x")
    assert wire.call(address, "GET", path, account=mixed).refusal() == (403, "SignatureDoesNotMatch")


@pytest.mark.parametrize("minutes", [-16, 16, -60 * 24, 60 * 24])
def test_a_clock_off_by_more_than_15_minutes_is_refused(address, path, minutes):
    response = wire.call(address, "GET", path, moment=minutes_off(minutes))
    assert response.refusal() == (403, "RequestTimeTooSkewed")
    assert response.error()["MaxAllowedSkewMilliseconds"] == "900000"
    assert {"RequestTime", "ServerTime"} <= response.error().keys()


@pytest.mark.parametrize("minutes", [-14, 14])
def test_a_clock_off_by_less_is_accepted(address, path, minutes):
    assert wire.call(address, "GET", path, moment=minutes_off(minutes)).status == 200


@pytest.mark.parametrize("region", ["us-east-1", "US-EAST-04A", "notempty"])
def test_any_region_signs(address, path, region):
    scope = sigv4.Scope(sigv4.amz_date(sigv4.now_utc())[:8], region)
    assert wire.call(address, "GET", path, scope=scope).status == 200


@pytest.mark.parametrize("broken", [{"service": "ec2"}, {"terminal": "aws5_request"}])
def test_another_service_or_terminal_is_malformed(address, path, broken):
    scope = sigv4.Scope(sigv4.amz_date(sigv4.now_utc())[:8], **broken)
    assert wire.call(address, "GET", path, scope=scope).refusal() == (400, "AuthorizationHeaderMalformed")


def test_a_scope_of_another_day_is_malformed(address, path):
    yesterday = sigv4.amz_date(minutes_off(-60 * 24))[:8]
    response = wire.call(address, "GET", path, scope=sigv4.Scope(yesterday))
    assert response.refusal() == (400, "AuthorizationHeaderMalformed")


def test_an_unsigned_amz_header_is_refused(address, path):
    response = wire.call(address, "GET", path, headers={"x-amz-meta-a": "1"}, unsigned=("x-amz-meta-a",))
    assert response.refusal() == (403, "AccessDenied")
    assert response.error()["HeadersNotSigned"] == "x-amz-meta-a"


def test_the_host_must_be_signed(address, path):
    response = wire.call(address, "GET", path, unsigned=("host",))
    assert response.status == 403


def test_an_unsigned_plain_header_is_fine(address, path):
    response = wire.call(address, "GET", path, headers={"user-agent": "x"}, unsigned=("user-agent",))
    assert response.status == 200


def test_inner_spaces_of_signed_headers_collapse(address, path):
    assert wire.call(address, "GET", path, headers={"x-amz-meta-a": "  one   two  "}).status == 200


@pytest.mark.parametrize("target", ["", "/k", "?list-type=2"])
def test_anonymous_requests_are_denied(address, module_bucket, target):
    for method in ("GET", "PUT", "DELETE"):
        response = wire.send_plain(address, method, f"/{module_bucket}{target}")
        assert response.refusal() == (403, "AccessDenied")
    assert wire.send_plain(address, "HEAD", f"/{module_bucket}{target}").status == 403


def test_anonymous_list_buckets_is_denied(address):
    assert wire.send_plain(address, "GET", "/").refusal() == (403, "AccessDenied")


CREDENTIAL = f"Credential={MAIN.access_key}/20261124/local-1/s3/aws4_request"
SIGNED = "SignedHeaders=host;x-amz-content-sha256;x-amz-date"
SIGNATURE = "Signature=" + "0" * 64


@pytest.mark.parametrize(
    "authorization, expected",
    [
        ("AWS AKID:signature", (400, "InvalidRequest")),
        ("Basic dXNlcjpwYXNz", (400, "InvalidArgument")),
        ("Bearer token", (400, "InvalidArgument")),
        ("AWS4-HMAC-SHA256", (400, "AuthorizationHeaderMalformed")),
        (f"AWS4-HMAC-SHA256 {SIGNED}, {SIGNATURE}", (400, "AuthorizationHeaderMalformed")),
        (f"AWS4-HMAC-SHA256 {CREDENTIAL}, {SIGNATURE}", (400, "AuthorizationHeaderMalformed")),
        (f"AWS4-HMAC-SHA256 {CREDENTIAL}, {SIGNED}", (400, "AuthorizationHeaderMalformed")),
        (f"AWS4-HMAC-SHA256 Credential=only, {SIGNED}, {SIGNATURE}", (400, "AuthorizationHeaderMalformed")),
        (
            f"AWS4-HMAC-SHA256 Credential=k/2026/local-1/s3/aws4_request, {SIGNED}, {SIGNATURE}",
            (400, "AuthorizationHeaderMalformed"),
        ),
    ],
)
def test_malformed_authorization_headers(address, path, authorization, expected):
    headers = {
        "Authorization": authorization,
        "x-amz-date": sigv4.amz_date(sigv4.now_utc()),
        "x-amz-content-sha256": sigv4.UNSIGNED,
    }
    assert wire.send_plain(address, "GET", path, headers).refusal() == expected


def test_the_components_may_stand_without_spaces(address, path):
    prepared = wire.prepare(address, "GET", path)
    prepared.headers["authorization"] = prepared.headers["authorization"].replace(", ", ",")
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        assert connection.response().status == 200


@pytest.mark.parametrize("date", [None, "", "yesterday", "2026-11-24T00:00:00Z"])
def test_a_missing_or_bad_date_is_refused(address, path, date):
    prepared = wire.prepare(address, "GET", path)
    del prepared.headers["x-amz-date"]
    if date is not None:
        prepared.headers["x-amz-date"] = date
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        assert connection.response().refusal() == (403, "AccessDenied")


def test_a_missing_payload_hash_is_refused(address, path):
    prepared = wire.prepare(address, "GET", path)
    del prepared.headers["x-amz-content-sha256"]
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        assert connection.response().refusal() == (400, "InvalidRequest")


@pytest.mark.parametrize("value", ["", "abc", "g" * 64, "STREAMING-SOMETHING-ELSE", "unsigned-payload"])
def test_a_bad_payload_hash_is_refused(address, path, value):
    assert wire.call(address, "GET", path, payload_hash=value).refusal() == (400, "InvalidArgument")


def test_the_clock_is_judged_before_the_key_and_the_key_before_the_signature(address, path):
    late = minutes_off(-20)
    assert wire.call(address, "GET", path, account=UNKNOWN_KEY, moment=late).refusal()[1] == "RequestTimeTooSkewed"
    assert wire.call(address, "GET", path, account=UNKNOWN_KEY, payload_hash="bad").refusal()[1] == "InvalidAccessKeyId"
    assert wire.call(address, "GET", path, account=WRONG_SECRET, payload_hash="bad").refusal()[1] == "InvalidArgument"


@pytest.mark.parametrize("size", [10, 300_000])
def test_a_body_that_is_not_the_signed_one_is_refused(address, client, bucket, size):
    content = b"x" * size
    promised = sigv4.sha256_hex(b"promised")
    response = wire.call(address, "PUT", f"/{bucket}/k", body=content, payload_hash=promised)
    assert response.refusal() == (400, "XAmzContentSHA256Mismatch")
    assert response.error()["ClientComputedContentSHA256"] == promised
    assert response.error()["S3ComputedContentSHA256"] == sigv4.sha256_hex(content)
    assert not s3.exists(client, bucket, "k")


def test_an_upper_case_payload_hash_is_understood(address, client, bucket):
    digest = sigv4.sha256_hex(b"x").upper()
    assert wire.call(address, "PUT", f"/{bucket}/k", body=b"x", payload_hash=digest).status == 200


def test_a_changed_path_query_or_method_breaks_the_signature(address, module_bucket, path):
    for change in ({"target": f"/{module_bucket}/other"}, {"target": path + "?x=1"}, {"method": "DELETE"}):
        prepared = wire.prepare(address, "GET", path)
        for name, value in change.items():
            setattr(prepared, name, value)
        with wire.Connection(address) as connection:
            connection.send(prepared.head())
            assert connection.response().refusal() == (403, "SignatureDoesNotMatch"), change


def test_query_values_are_signed_as_decoded(address, module_bucket):
    # `+` in a query means a space; %20 and + therefore sign alike.
    prepared = wire.prepare(address, "GET", f"/{module_bucket}", query=[("list-type", "2"), ("prefix", "a b")])
    for written in ("a%20b", "a+b"):
        prepared.target = f"/{module_bucket}?list-type=2&prefix={written}"
        with wire.Connection(address) as connection:
            connection.send(prepared.head())
            response = connection.response()
            assert response.status == 200
            assert response.xml().find(f"{wire.NAMESPACE}Prefix").text == "a b"


def test_the_order_of_query_parameters_does_not_matter(address, module_bucket):
    prepared = wire.prepare(address, "GET", f"/{module_bucket}", query=[("list-type", "2"), ("max-keys", "1")])
    prepared.target = f"/{module_bucket}?max-keys=1&list-type=2"
    with wire.Connection(address) as connection:
        connection.send(prepared.head())
        assert connection.response().status == 200
