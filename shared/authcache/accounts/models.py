"""What callers of the accounts' routes send, and what answers them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, cast

from pydantic import (
    AwareDatetime,
    BeforeValidator,
    Field,
    SecretStr,
    StrictBool,
    ValidationError,
)

from shared.authcache.models import Share, User
from shared.platform.models import LazyModel, RequestBody
from shared.platform.moments import Moment
from shared.platform.printable import Name

LEAST_PASSWORD, MOST_PASSWORD = 10, 1000
MOST_IMPORTED = 500
MOST_ADDRESS = 320
LONGEST_DETAIL = 500


Id = Annotated[str, Field(pattern=r"^[!-~]{1,64}$")]
Rate = Annotated[Decimal, Field(ge=0, lt=1000, decimal_places=2, description="Percent")]
Email = Annotated[str, Field(max_length=MOST_ADDRESS, examples=["ann@example.com"])]
Password = Annotated[SecretStr, Field(min_length=LEAST_PASSWORD, max_length=MOST_PASSWORD)]
PasswordToCheck = Annotated[SecretStr, Field(max_length=MOST_PASSWORD)]
"""A password that is checked and not set: shorter ones were allowed elsewhere."""
Token = Annotated[str, Field(max_length=4096, pattern=r"^[!-~]+$")]
Level = Literal["read", "edit"]


class Rates(RequestBody):
    """What a user's calculations go by."""

    tax_rate: Rate | None = None
    mortgage_interest_rate: Rate | None = None
    loc_interest_rate: Rate | None = None


class Registration(Rates):
    """A new user."""

    email: Email
    password: Password
    first_name: Name
    last_name: Name


class Profile(Rates):
    """What changes of a profile; a field that is left out stays as it is."""

    first_name: Name | None = None
    last_name: Name | None = None


class ImportedUser(Rates):
    """A user who comes from elsewhere, with the hash that was made there."""

    email: Email
    first_name: Name
    last_name: Name
    password_hash: Annotated[str, Field(max_length=512)] = Field(
        default="", description="argon2id, bcrypt or scrypt; empty: the user sets a password by mail"
    )
    verified: StrictBool = Field(default=False, description="Whether it was shown there that the address is theirs")
    is_active: StrictBool = True


@dataclass(frozen=True, slots=True)
class UnusableRow:
    """A row of an import that is no user: whose it says that it is, and what is wrong with it."""

    email: str
    detail: str


def _row(sent: object) -> ImportedUser | UnusableRow:
    """One row by itself, so that it keeps no other out."""
    fields = cast("dict[str, object]", sent) if isinstance(sent, dict) else {}
    named = fields.get("email")
    email = named.replace("\0", "")[:MOST_ADDRESS] if isinstance(named, str) else ""
    if odd := [name for name, value in fields.items() if isinstance(value, str) and "\0" in value]:
        return UnusableRow(email, f"{odd[0]}: Text must not hold NUL.")
    try:
        return ImportedUser.model_validate(sent)
    except ValidationError as error:
        errors = error.errors(include_input=False, include_url=False, include_context=False)
        reasons = [": ".join([*map(str, one["loc"]), one["msg"].removeprefix("Value error, ")]) for one in errors]
        return UnusableRow(email, "; ".join(reasons)[:LONGEST_DETAIL])


# Whatever a row is, the request is taken: the API's document says so.
Row = Annotated[ImportedUser | UnusableRow, BeforeValidator(_row, json_schema_input_type=ImportedUser | Any)]


class Import(RequestBody):
    """Users from elsewhere; one that cannot be taken keeps no other out."""

    users: list[Row] = Field(min_length=1, max_length=MOST_IMPORTED)


class Imported(LazyModel):
    """What became of one user of an import."""

    row: int = Field(description="Its place in the import, from 0")
    email: str
    status: Literal["created", "exists", "refused"]
    id: str | None = None
    detail: str | None = Field(default=None, description="Why it was refused")


class ImportReport(LazyModel):
    """What became of each user of an import."""

    created: int
    rows: list[Imported]


class UserAnswer(LazyModel):
    """A user as they see themselves; never the hash."""

    id: str
    first_name: str
    last_name: str
    email: str
    tax_rate: Decimal | None
    mortgage_interest_rate: Decimal | None
    loc_interest_rate: Decimal | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    is_active: bool
    verified: bool = Field(description="Whether the address is shown to be theirs; till then nothing shared is seen")

    @classmethod
    def of(cls, user: User) -> UserAnswer:
        """The user as shown."""
        names = cls.model_fields.keys() - {"verified"}
        return cls(**{name: getattr(user, name) for name in names}, verified=user.verified_at is not None)


class ShareRequest(RequestBody):
    """Whom to share with, how far, and until when."""

    shared_email: Email
    level: Level = Field(default="read", description="`edit` lets them change what is shared")
    expires_at: Moment | None = Field(default=None, description="From when on it ends; absent: never by itself")


class ShareChange(RequestBody):
    """What changes of a share."""

    level: Level | None = None
    expires_at: Moment | None = Field(default=None, description="Null: it does not end by itself")


class ShareAnswer(LazyModel):
    """A share as its owner sees it: who can see what is theirs, and since when."""

    id: str
    user_id: str
    shared_email: str
    level: str
    expires_at: AwareDatetime | None
    created_at: AwareDatetime = Field(description="Since when they can see it")
    updated_at: AwareDatetime

    @classmethod
    def of(cls, share: Share) -> ShareAnswer:
        """The share as shown."""
        return cls(
            id=share.id,
            user_id=share.owner,
            shared_email=share.shared_email,
            level=share.level,
            expires_at=share.expires_at,
            created_at=share.created_at,
            updated_at=share.updated_at,
        )


class Sharer(LazyModel):
    """Somebody who shares with the caller, or with whom the caller shares."""

    id: str
    first_name: str
    last_name: str
    email: str


class SharedWithMeAnswer(LazyModel):
    """What somebody shares with the caller."""

    id: str = Field(description="Of the share")
    owner: Sharer
    level: str
    expires_at: AwareDatetime | None
    created_at: AwareDatetime = Field(description="Since when the caller can see it")


Kind = Literal["verify", "reset", "address", "password-changed", "address-changed"]
"""What a mail of an account is about."""


class AccountMail(LazyModel):
    """A mail that is asked for. It holds no token: what is asked for is kept in histories, where no secret may be.

    Attributes:
        address: the key of the address whose account it is about; whether there is one is found out when it is sent.
        user: the account, where the address is not the account's (yet, or any more).
        to: where the mail goes instead of the account's address.
        at_least: the LSN from which on the account is known.
    """

    kind: Kind
    address: str = Field(default="", max_length=320)
    user: str = Field(default="", max_length=64)
    to: str = Field(default="", max_length=320)
    at_least: int = Field(default=0, ge=0)
