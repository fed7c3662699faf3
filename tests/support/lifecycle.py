"""Lifecycle rules in a few words, the moments that they name, and patience for what they do."""

import datetime
import re
import time
from urllib.parse import quote

DAY_S = 24 * 60 * 60
DEADLINE_S = 60

EXPIRE = {"Expiration": {"Days": 1}}


def rule(identifier: str | None = None, prefix: str | None = None, *, enabled: bool = True, **parts) -> dict:
    """A rule with an ID if one is given, a filter by prefix if one is given, and these parts; else one about everything."""
    named = {} if identifier is None else {"ID": identifier}
    filtered = {"Filter": {} if prefix is None else {"Prefix": prefix}}
    if "Prefix" in parts:
        filtered = {}
    return {**named, **filtered, "Status": "Enabled" if enabled else "Disabled", **parts}


def put(client, bucket: str, *rules: dict, **parameters) -> dict:
    return client.put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": list(rules)}, **parameters
    )


def get(client, bucket: str) -> list[dict]:
    return client.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]


def due(moment: datetime.datetime, days: int, day_s: int = DAY_S) -> datetime.datetime:
    """When what happened at that moment is due: the start of the day so many days later."""
    at_s = int(moment.timestamp()) // day_s * day_s + days * day_s
    return datetime.datetime.fromtimestamp(at_s, datetime.timezone.utc)


def midnight(days_from_now: int = 0) -> datetime.datetime:
    """A midnight UTC."""
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + datetime.timedelta(days=days_from_now)


def expiration(moment: datetime.datetime, identifier: str) -> str:
    """The header x-amz-expiration."""
    date = moment.strftime("%a, %d %b %Y %H:%M:%S GMT")
    return f'expiry-date="{date}", rule-id="{quote(identifier, safe="")}"'


def rule_of(header: str) -> str:
    """The rule that the header x-amz-expiration names, as it stands there."""
    return re.fullmatch(r'expiry-date="[^"]+", rule-id="([^"]*)"', header).group(1)


def eventually(holds, what: str, deadline_s: float = DEADLINE_S) -> None:
    """Waits until it holds."""
    deadline = time.monotonic() + deadline_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {deadline_s} s: {what}"
        time.sleep(0.05)
