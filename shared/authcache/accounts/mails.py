"""Mails of accounts: who gets one, what it says, and the token in it, which is good once or for a while."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from shared.authcache.accounts.models import AccountMail, Kind
from shared.authcache.accounts.signing import Purpose, tokens
from shared.authcache.log.groups import Lsn
from shared.authcache.models import User
from shared.authcache.settings import settings
from shared.authcache.store import store
from shared.platform.alerting.mail import Mail, mailer
from shared.platform.errors import Unauthenticated
from shared.platform.settings import settings as platform_settings

_LIFETIMES: dict[Kind, timedelta] = {
    "verify": timedelta(days=3),
    "reset": timedelta(hours=1),
    "address": timedelta(days=1),
}
_PURPOSES: dict[Kind, Purpose] = {"verify": Purpose.VERIFY, "reset": Purpose.RESET, "address": Purpose.ADDRESS}
_SUBJECTS: dict[Kind, str] = {
    "verify": "Confirm your e-mail address",
    "reset": "Set a new password",
    "address": "Confirm your new e-mail address",
    "password-changed": "Your password was changed",
    "address-changed": "Your e-mail address was changed",
}
_SENTENCES: dict[Kind, str] = {
    "verify": "somebody, hopefully you, has registered with this address. Confirm that it is yours:",
    "reset": "somebody, hopefully you, asks for a new password. Set it here within an hour:",
    "address": "somebody, hopefully you, wants to use this address for an account. Confirm that it is yours:",
    "password-changed": "the password of your account was changed, and all its sessions were ended.",
    "address-changed": "your account has another e-mail address now. This one opens it no longer.",
}


async def send(mail: AccountMail, key: str) -> bool:
    """Send the mail, if there is such an account that may get it; whether there is. `key` makes a repeat known.

    Raises:
        TransientError, TerminalError: as the mail port says.
    """
    view = await store().view(mail.at_least)
    user = await (view.user_by_id(mail.user) if mail.user else view.user_by_address(mail.address))
    if user is None or not user.is_active or (mail.kind == "verify" and user.verified_at is not None):
        return False
    await mailer().send(
        Mail(
            sender=platform_settings().alert_email_from,
            to=mail.to or user.email,
            subject=_SUBJECTS[mail.kind],
            text=_text(mail, user, view.lsn),
            key=key,
        )
    )
    return True


def _text(mail: AccountMail, user: User, lsn: Lsn) -> str:
    lines = [f"Hello {user.first_name},", "", _SENTENCES[mail.kind]]
    if mail.kind in _PURPOSES:
        token = _token(mail, user, lsn)
        public = settings().authcache_public_url
        lines += ["", f"{public.rstrip('/')}/{mail.kind}?token={token}" if public else token]
        lines += ["", "If it was not you, do nothing: without this link nothing happens."]
    else:
        lines += ["", "If it was not you, set a new password at once, and tell whoever runs this service."]
    return "\n".join(lines)


def _token(mail: AccountMail, user: User, lsn: Lsn) -> str:
    """Any instance that opens it has to know the user at least as of `lsn` that it carries."""
    now = datetime.now(UTC)
    claims: dict[str, Any] = {"sub": user.id, "iat": int(now.timestamp()), "lsn": lsn}
    of = address_fingerprint(user) if mail.kind == "verify" else fingerprint(user)
    claims |= {"exp": int((now + _LIFETIMES[mail.kind]).timestamp()), "of": of, "to": mail.to}
    return tokens(_PURPOSES[mail.kind]).sign(claims)


def fingerprint(user: User) -> str:
    """What a token of a mail was made for: it is void once password, address or sessions have changed."""
    return _digest(f"{user.id} {user.address} {user.password_hash} {user.sessions_from}")


def address_fingerprint(user: User) -> str:
    """The same for what proves an address alone: a new password leaves it good."""
    return _digest(f"{user.id} {user.address}")


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode()).hexdigest()[:32]


def read_token(kind: Literal["verify", "reset", "address"], token: str) -> dict[str, Any]:
    """The claims of the token of a mail.

    Raises:
        Unauthenticated: it is none of ours, for something else, or too old.
    """
    try:
        return tokens(_PURPOSES[kind]).read(token)
    except Unauthenticated:
        raise link_refused() from None


def link_refused() -> Unauthenticated:
    """The refusal of a token that is good no longer."""
    return Unauthenticated(
        "The link is not good, or no longer.", code="link-refused", remedy="Ask for a new mail, and use its link soon."
    )
