"""HTTP dates around a moment, for conditions by time."""

import datetime
from email.utils import format_datetime

HOUR = datetime.timedelta(hours=1)


def http_date(moment: datetime.datetime) -> str:
    return format_datetime(moment.astimezone(datetime.timezone.utc), usegmt=True)
