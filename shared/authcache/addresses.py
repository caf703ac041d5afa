"""E-mail addresses: how one is written, and the one key by which its account is found however it is written."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import Final

from shared.platform.errors import InvalidInput

MOST_CHARACTERS: Final = 254
_TOGETHER: Final = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
"""Scripts that are written together: Japanese, Korean, Chinese (UTS 39, highly restrictive)."""


@dataclass(frozen=True, slots=True)
class Address:
    """An address.

    Attributes:
        display: as its owner is written to and shown it, with the domain in its own script.
        key: equal for two ways to write one address. The case of letters makes no difference, nor does it whether a
            domain is written in its own script or as xn--. Dots before the @ make one: who drops them is one provider.
    """

    display: str
    key: str


def parse(text: str) -> Address:
    """The address that the text is.

    Raises:
        InvalidInput: it is none, or it mixes scripts as those do who imitate somebody else's.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - loads with the first address

    trimmed = text.strip()
    if len(trimmed) > MOST_CHARACTERS:
        raise _refused(f"It has more than {MOST_CHARACTERS} characters.")
    try:
        # A dot at the end of a domain says that the domain is whole, which it is here in any case.
        checked = validate_email(
            trimmed.removesuffix("."), check_deliverability=False, allow_smtputf8=True, test_environment=True
        )
    except EmailNotValidError as error:
        raise _refused(str(error)) from None
    domain = checked.ascii_domain or checked.domain
    for part in (checked.local_part, *checked.domain.split(".")):
        _one_script(part)
    # Lower case and not the wider folding of case: that would make one of two addresses that differ in more than case.
    local = unicodedata.normalize("NFC", checked.local_part.lower())
    return Address(display=f"{checked.local_part}@{checked.domain}", key=f"{local}@{domain.lower()}")


def _one_script(part: str) -> None:
    scripts = {_script(character) for character in part if unicodedata.category(character)[0] == "L"}
    if len(scripts) > 1 and not any(scripts <= together for together in _TOGETHER):
        named = " and ".join(sorted(script.title() for script in scripts))
        raise _refused(f"'{part}' mixes letters of {named}, as addresses do that imitate another one.")


def _script(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").partition(" ")[0]


def _refused(why: str) -> InvalidInput:
    return InvalidInput(f"This is no usable e-mail address. {why}", field="email", code="unusable-address")
