"""Guards of a workload's own accounts: who has signed in, and who may make an account."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from shared.platform.access.auth import ADMIN, PUBLIC, Caller, Guard, header
from shared.platform.errors import Unauthenticated

if TYPE_CHECKING:
    from collections.abc import Mapping

    import azure.functions as func


class BearerToken:
    """Lets in who sends a token that the workload has given out.

    Wrong tokens are not counted: nobody guesses a signature, and who types wrong passwords behind one address would
    keep those out who are signed in.
    """

    def __init__(self, scheme: str, who: str, caller_of: Callable[[str, func.HttpRequest], Awaitable[Caller]]) -> None:
        """The guard.

        Args:
            scheme: its name in the OpenAPI document.
            who: what an account is called in messages.
            caller_of: whose token it is; raises Unauthenticated for one that is not good.
        """
        self.schemes: Mapping[str, Mapping[str, str]] = {
            scheme: {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From the log-in."}
        }
        self._who = who
        self._caller_of = caller_of

    async def authenticate(self, request: func.HttpRequest) -> Caller:
        scheme, _, token = header(request, "Authorization").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated(
                f"Nothing says which {self._who} is calling.", remedy="Send Authorization: Bearer <token>."
            )
        return await self._caller_of(token, request)


class Registration:
    """Lets in everybody where registration is open, else the operator."""

    def __init__(self, is_open: Callable[[], bool]) -> None:
        self._is_open = is_open

    @property
    def schemes(self) -> Mapping[str, Mapping[str, str]]:
        return self._guard().schemes

    async def authenticate(self, request: func.HttpRequest) -> Caller:
        return await self._guard().authenticate(request)

    def _guard(self) -> Guard:
        return PUBLIC if self._is_open() else ADMIN
