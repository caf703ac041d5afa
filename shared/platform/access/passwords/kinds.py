"""The kinds of password hashes: how each is written, what checking one costs, and which are refused for their cost."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from shared.platform.errors import InvalidInput

Kind = Literal["bcrypt", "scrypt", "argon2id"]

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""Of new hashes: argon2id as OWASP asks for it, 19 MiB for each check."""
MOST_MEMORY_KIB, MOST_PASSES, MOST_LANES = 65_536, 8, 4
MOST_BCRYPT_ROUNDS: Final = 14
BCRYPT_BYTES: Final = 72
"""bcrypt knows no more of a password; what made such a hash has cut the rest off, so we do for its check."""
SCRYPT_BYTES: Final = 64 << 20

_BCRYPT = re.compile(r"\$2[aby]\$([0-9]{2})\$[./A-Za-z0-9]{53}", re.ASCII)
_SCRYPT = re.compile(r"scrypt\$([0-9]{1,7})\$([0-9]{1,2})\$([0-9])\$([0-9a-f]{32})\$([0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True, order=True)
class Cost:
    """What checking a hash takes: hashes of equal cost take equal time and memory.

    Attributes:
        parameters: of bcrypt the rounds' power of two; of scrypt N, r and p; of argon2id KiB, passes and lanes.
    """

    kind: Kind
    parameters: tuple[int, ...]

    def __str__(self) -> str:
        return ":".join([self.kind, *map(str, self.parameters)])

    @classmethod
    def of(cls, text: str) -> Cost:
        """The cost that the text names. Raises ValueError: it is none."""
        kind, *parameters = text.split(":")
        if kind not in get_args(Kind):
            raise ValueError(f"{kind} is no kind of hash")
        return cls(cast("Kind", kind), tuple(int(one) for one in parameters))


CURRENT: Final = Cost("argon2id", (MEMORY_KIB, PASSES, LANES))


def cost_of(stored: str) -> Cost:
    """What checking a password against this hash takes.

    Raises:
        InvalidInput: it is of no kind that is known, or a check would take more than this app gives for one.
    """
    if found := _BCRYPT.fullmatch(stored):
        cost = Cost("bcrypt", (int(found[1]),))
        bearable = 4 <= cost.parameters[0] <= MOST_BCRYPT_ROUNDS  # noqa: PLR2004 - bcrypt knows no fewer
    elif found := _SCRYPT.fullmatch(stored):
        n, r, p = (int(found[place]) for place in (1, 2, 3))
        cost = Cost("scrypt", (n, r, p))
        bearable = n > 1 and n & (n - 1) == 0 and r > 0 and 128 * n * r < SCRYPT_BYTES and p == 1
    elif stored.startswith("$argon2id$"):
        cost = _argon2_cost(stored)
        bearable = all(
            given <= most
            for given, most in zip(cost.parameters, (MOST_MEMORY_KIB, MOST_PASSES, MOST_LANES), strict=True)
        )
    else:
        raise _unusable("It is of no kind that is known: argon2id, bcrypt ($2a$, $2b$, $2y$) and scrypt are.")
    if not bearable:
        raise _unusable(f"Its cost, {cost.kind} {cost.parameters}, is more than one check may take here, or senseless.")
    return cost


def cost_in_effect(stored: str) -> Cost:
    """What a check against this takes: one that cannot be used, or that is missing, is checked like a current one."""
    try:
        return cost_of(stored)
    except InvalidInput:
        return CURRENT


def _argon2_cost(stored: str) -> Cost:
    from argon2 import extract_parameters  # noqa: PLC0415 - loads with the first password
    from argon2.exceptions import InvalidHashError, UnsupportedParametersError  # noqa: PLC0415 - as above

    try:
        found = extract_parameters(stored)
    except (InvalidHashError, UnsupportedParametersError, ValueError):
        raise _unusable("It is no whole argon2id hash.") from None
    return Cost("argon2id", (found.memory_cost, found.time_cost, found.parallelism))


def _unusable(why: str) -> InvalidInput:
    return InvalidInput(
        f"The password hash is not usable. {why}",
        code="unusable-hash",
        remedy="Send a hash that is usable, or none.",
    )


def new_hash(password: str) -> str:
    """What to store of a new password. Takes the time and memory of CURRENT: call it off the event loop."""
    from argon2 import PasswordHasher  # noqa: PLC0415 - loads with the first password

    return PasswordHasher(PASSES, MEMORY_KIB, LANES).hash(password)


def verify(cost: Cost, password: str, stored: str) -> bool:
    """Whether the password is the stored one, whose cost this is. Takes that cost: call it off the event loop."""
    if cost.kind == "argon2id":
        from argon2 import PasswordHasher  # noqa: PLC0415 - loads with the first password
        from argon2.exceptions import VerificationError  # noqa: PLC0415 - as above

        try:
            return PasswordHasher().verify(stored, password)
        except VerificationError:
            return False
    if cost.kind == "bcrypt":
        import bcrypt  # noqa: PLC0415 - for old hashes alone

        return bcrypt.checkpw(password.encode()[:BCRYPT_BYTES], stored.encode())
    n, r, p = cost.parameters
    *_, salt, expected = stored.split("$")
    found = hashlib.scrypt(password.encode(), salt=bytes.fromhex(salt), n=n, r=r, p=p, maxmem=SCRYPT_BYTES, dklen=32)
    return hmac.compare_digest(found, bytes.fromhex(expected))


def never_matching(cost: Cost) -> str:
    """A hash of this cost that belongs to no password anybody knows: checking one against it takes as long as any."""
    if cost.kind == "argon2id":
        memory, passes, lanes = cost.parameters
        return f"$argon2id$v=19$m={memory},t={passes},p={lanes}${'A' * 22}${'A' * 43}"
    if cost.kind == "bcrypt":
        return f"$2b${cost.parameters[0]:02}${'.' * 53}"
    n, r, p = cost.parameters
    return f"scrypt${n}${r}${p}${'0' * 32}${'0' * 64}"
