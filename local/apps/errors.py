"""What the platform cannot do, and why."""

from __future__ import annotations


class Refusal(Exception):
    """An answer other than 200: HTTP status, a code in kebab-case, and words for the owner of the app."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
