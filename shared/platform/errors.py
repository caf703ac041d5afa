"""The one tree of errors. What is raised says whether trying again can help, and what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


class ManifoldError(Exception):
    """Base of every error this app raises on purpose.

    Attributes:
        code: a stable kebab-case name for machines.
        message: what was tried and what went wrong, for people.
        remedy: what to do next, or None when nothing can be done by the reader.
    """

    code = "error"

    def __init__(self, message: str, *, code: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message} ({self.code})" + (f" {self.remedy}" if self.remedy else "")


class TransientError(ManifoldError):
    """Trying again later may succeed: a time-out, a busy or unreachable service.

    Attributes:
        retry_after: seconds that the other side asked us to wait, if it did.
    """

    code = "transient"

    def __init__(
        self, message: str, *, code: str | None = None, remedy: str | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.retry_after = retry_after


class TerminalError(ManifoldError):
    """Trying again cannot succeed: the input, the state or the configuration must change first."""

    code = "terminal"


class InvalidInput(TerminalError):
    """The caller sent something unusable; `field` names it as the caller wrote it."""

    code = "invalid-input"

    def __init__(
        self, message: str, *, field: str | None = None, code: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.field = field


class UnusableCursor(InvalidInput):
    """A cursor of a list that this list did not give."""

    def __init__(self, message: str = "The cursor was not made by this list, or was changed.") -> None:
        super().__init__(message, field="cursor", code="unusable-cursor", remedy="Begin again without a cursor.")


class Unauthenticated(TerminalError):
    """Nobody proved who is calling."""

    code = "unauthenticated"


class Forbidden(TerminalError):
    """The caller is known and may not do this."""

    code = "forbidden"


class WrongPassword(Forbidden):
    """The caller is signed in, and does not know the password of the account."""

    code = "wrong-password"


class NotFound(TerminalError):
    """What was asked for does not exist, or not for this caller."""

    code = "not-found"


class Conflict(TerminalError):
    """The state of the thing does not allow this now."""

    code = "conflict"


class PreconditionFailed(TerminalError):
    """Somebody else has changed the thing since the caller last looked at it."""

    code = "changed-meanwhile"


class PayloadTooLarge(TerminalError):
    """The body is over the limit of this route."""

    code = "payload-too-large"


class RateLimited(TerminalError):
    """The caller exceeded its share.

    Attributes:
        retry_after: seconds until the next request will be let in.
        headers: what the answer tells about the quota, by the names of HTTP headers.
    """

    code = "rate-limited"

    def __init__(
        self,
        message: str,
        *,
        retry_after: float,
        headers: Mapping[str, str] | None = None,
        code: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, code=code, remedy=remedy)
        self.retry_after = retry_after
        self.headers = headers or {}
