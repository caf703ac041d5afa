"""Text from outside in the form that is stored: one line, bounded, and nothing that a database refuses."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime
from typing import Any, cast

from shared.papers.sources.rejected import RecordRejected
from shared.platform.printable import is_seen

LONGEST_TITLE = 2_000
LONGEST_ABSTRACT = 50_000
LONGEST_NAME = 300
MOST_NAMES = 10_000
LONGEST_ID = 300
LONGEST_LINK = 2_000

# What PostgreSQL does not store (NUL), what UTF-8 cannot say (half a surrogate pair), and what nobody sees.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufeff\ufffe\uffff]")
_KINDS: dict[type, str] = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "an object"}
_NO_LETTER = re.compile("[^0-9A-Za-z]+")
_PLAIN_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ð": "d", "\u0131": "i", "ħ": "h", "ŧ": "t", "ŋ": "n", "ĸ": "k"}
    | {"æ": "ae", "œ": "oe", "þ": "th"}
)
"""Letters that Unicode does not take apart, as they are written where there are none of them."""


def line(value: Any, field: str) -> str:
    """Text with its white space folded to single blanks; "" for None.

    Raises:
        RecordRejected: it is no text.
    """
    if value is None:
        return ""
    if not isinstance(value, str):
        raise RecordRejected(f"its {field} is no text, but {_kind(value)}")
    if not value.isascii():
        value = unicodedata.normalize("NFC", value)
    return " ".join(_UNSTORABLE.sub("", value).split())


def title(value: Any) -> str:
    """A title.

    Raises:
        RecordRejected: there is none, or it is too long to be one.
    """
    text = line(value, "title")
    if not is_seen(text):
        raise RecordRejected("it has no title")
    if len(text) > LONGEST_TITLE:
        raise RecordRejected(f"its title has more than {LONGEST_TITLE:,} characters")
    return text


def abstract(value: Any) -> str | None:
    """An abstract, or None where there is none.

    Raises:
        RecordRejected: it is too long to be one.
    """
    text = line(value, "abstract")
    if len(text) > LONGEST_ABSTRACT:
        raise RecordRejected(f"its abstract has more than {LONGEST_ABSTRACT:,} characters")
    return text if is_seen(text) else None


def identifier(value: Any) -> str:
    """What a source calls a paper.

    Raises:
        RecordRejected: there is none, or it is too long to be kept in an index.
    """
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else line(value, "id")
    if not is_seen(text):
        raise RecordRejected("it has no id")
    if len(text) > LONGEST_ID:
        raise RecordRejected(f"its id has more than {LONGEST_ID} characters")
    return text


def names(values: Any, field: str = "authors") -> tuple[str, ...]:
    """Names, each once, in order; what is blank is left out.

    Raises:
        RecordRejected: they are no list of texts, or more than any paper has.
    """
    if values is None:
        return ()
    if not isinstance(values, list):
        raise RecordRejected(f"its {field} are no list")
    listed = cast("list[Any]", values)
    if len(listed) > MOST_NAMES:
        raise RecordRejected(f"it has more than {MOST_NAMES:,} {field}")
    return tuple(dict.fromkeys(name[:LONGEST_NAME] for value in listed if is_seen(name := line(value, field))))


def folded(text: str) -> str:
    """The text without case, accents and marks, for comparing: "Balázs, C." becomes "balazs c"."""
    plain = text if text.isascii() else unicodedata.normalize("NFKD", text)
    if plain.isascii():
        return " ".join(_NO_LETTER.sub(" ", plain).lower().split())
    letters = (
        character if character.isalnum() else "" if unicodedata.combining(character) else " " for character in plain
    )
    return " ".join("".join(letters).casefold().split())


def name_key(name: str) -> str:
    """What the name of an author is compared by: folded, and "Łukasz" is "lukasz".

    papers.name_key does the same in the database.
    """
    return folded(name).translate(_PLAIN_LETTERS)


def link_of(value: Any) -> str | None:
    """An address of the web; None if it is none, since a page will offer it to be clicked."""
    link = line(value, "link")
    return link if link.startswith(("https://", "http://")) and " " not in link and len(link) <= LONGEST_LINK else None


def day_of(value: Any, field: str) -> date | None:
    """A day as sources write it: 2008-11-26, 2008-11, 2008; None where there is none.

    Raises:
        RecordRejected: it says something else.
    """
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    text = line(str(value), field)
    if not text:
        return None
    parts = re.fullmatch(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:[T ].*)?", text)
    try:
        return date(int(parts[1]), int(parts[2] or 1), int(parts[3] or 1)) if parts else _no_date(text, field)
    except ValueError:
        return _no_date(text, field)


def moment_of(value: Any, field: str) -> datetime | None:
    """An instant as ISO 8601 writes it, or the beginning of a day (UTC); None where there is none.

    Raises:
        RecordRejected: it says something else.
    """
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value.strip()) if value.strip() else None
        except ValueError:
            _no_date(value, field)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    day = day_of(value, field)
    return datetime(day.year, day.month, day.day, tzinfo=UTC) if day else None


def _kind(value: object) -> str:
    return _KINDS.get(type(value), type(value).__name__)


def _no_date(text: str, field: str) -> date:
    raise RecordRejected(f"its {field} {text[:40]!r} is no date")
