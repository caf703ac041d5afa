"""What can be made to go wrong at the supplier, each with its own probability and the same way in every run.

Whether a request meets a fault depends on the seed, the fault, what is asked and how often it was asked before: not on
the order in which concurrent requests happen to arrive. So runs repeat, and asking again can succeed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field


class FaultName(StrEnum):
    """The faults, in the words of the flags and of /_control/faults."""

    SHORT_PAGES = "short_pages"
    TOTAL_COUNT = "total_count"
    ERRORS = "errors"
    THROTTLE = "throttle"
    SERVER_ERROR = "server_error"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - a fault's name
    SLOW = "slow"
    CHANGES = "changes"
    UNMAPPABLE = "unmappable"
    LOST_ANSWER = "lost_answer"
    """A mutation is done, and 502 is answered."""


class Fault(BaseModel):
    """How often a fault strikes; `seconds` is the Retry-After of throttle and the delay of slow."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    probability: float = Field(default=0.1, ge=0, le=1)
    seconds: float = Field(default=1.0, ge=0, le=60)


class FaultSettings(BaseModel):
    """The faults that are on, and the seed that decides where they strike."""

    model_config = ConfigDict(extra="forbid")

    seed: int = 1
    faults: dict[FaultName, Fault] = {}


class Faults:
    """Decides for each request, and counts what it did."""

    def __init__(self, settings: FaultSettings | None = None) -> None:
        self.set(settings or FaultSettings())

    def set(self, settings: FaultSettings) -> None:
        """Replace all faults, and forget what was asked before."""
        self.settings = settings
        self.struck: Counter[str] = Counter()
        self._times: Counter[bytes] = Counter()

    def number(self, request: str) -> bytes:
        """Identify one asking of a request, given as text; the next asking of the same is another one."""
        if not self.settings.faults:
            return b""
        digest = hashlib.blake2b(request.encode(), digest_size=8).digest()
        self._times[digest] += 1
        return digest + self._times[digest].to_bytes(4, "big")

    def strikes(self, name: FaultName, request: bytes) -> Fault | None:
        """The fault if it strikes this request (see `number`), else None."""
        fault = self.settings.faults.get(name)
        if fault is None or self.draw(name, request) >= fault.probability:
            return None
        self.struck[name] += 1
        return fault

    def draw(self, name: str, request: bytes) -> float:
        """A number in [0, 1) that belongs to the seed, the name and the request."""
        text = b"%d|%s|" % (self.settings.seed, name.encode())
        return int.from_bytes(hashlib.blake2b(text + request, digest_size=8).digest(), "big") / 2**64


def parse(flag: str) -> tuple[FaultName, Fault]:
    """Read a flag `name[:probability[:seconds]]`.

    Raises:
        ValueError: the name is unknown or a number is out of its range.
    """
    name, *numbers = flag.split(":")
    return FaultName(name), Fault.model_validate(dict(zip(("probability", "seconds"), numbers, strict=False)))
