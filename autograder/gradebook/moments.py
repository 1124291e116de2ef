"""Which moment does a text mean?"""

import re
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_BLACKBOARD = re.compile(r"(\d{4}-\d\d-\d\d)-(\d\d)-(\d\d)-(\d\d)")
_NAMED_ZONE = re.compile(r"(.+?)\s+([A-Za-z][\w+/-]*)")


def moment_of(text: str, zone: tzinfo | None = None) -> datetime | None:
    """An aware time, from ISO 8601, Blackboard's file names or nbgrader's `timestamp.txt`; None where it is none.

    zone: that of a time which names none; without it such a time means nothing.
    """
    text = text.strip()
    if found := _BLACKBOARD.fullmatch(text):
        text = f"{found[1]}T{found[2]}:{found[3]}:{found[4]}"
    elif found := _NAMED_ZONE.fullmatch(text):
        try:
            zone = UTC if found[2].upper() == "UTC" else ZoneInfo(found[2])
        except (ZoneInfoNotFoundError, ValueError):
            return None
        text = found[1]
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        return moment.replace(tzinfo=zone) if zone else None
    return moment
