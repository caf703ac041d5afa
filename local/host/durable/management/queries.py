"""Filters over instances and the tokens by which their pages go on."""

import base64
import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from local.host.durable.model import dotnet
from local.host.durable.model.records import Instance


@dataclass(frozen=True, slots=True)
class Query:
    """A filter over instances; `statuses` empty means any."""

    created_from: datetime | None = None
    created_to: datetime | None = None
    statuses: Collection[str] = ()
    prefix: str = ""

    def matches(self, instance: Instance) -> bool:
        if self.statuses and instance.status not in self.statuses:
            return False
        if not instance.instance_id.startswith(self.prefix):
            return False
        if self.created_from is None and self.created_to is None:
            return True
        created = dotnet.parse_time(instance.created)
        return (self.created_from is None or created >= self.created_from) and (
            self.created_to is None or created <= self.created_to
        )


def next_token(last: str) -> str:
    """The token of the page after the instance `last`."""
    return base64.b64encode(json.dumps({"NextPartitionKey": last, "TargetLocation": 0}).encode()).decode()


def read_token(token: str | None) -> str:
    """The id after which to go on; the beginning for no token or a strange one."""
    if not token:
        return ""
    try:
        return str(json.loads(base64.b64decode(token))["NextPartitionKey"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
