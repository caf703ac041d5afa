"""Query text to tokens."""

import json
import re
from typing import Literal, NamedTuple

from local.cosmos.sql.syntax import SqlError

Kind = Literal["number", "string", "parameter", "word", "sign", "end"]
_TOKEN = re.compile(
    r"""(?P<space>\s+|--[^\n]*)
    |(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    |(?P<string>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    |(?P<parameter>@\w+)
    |(?P<word>[A-Za-z_]\w*)
    |(?P<sign><>|!=|<=|>=|\|\||\?\?|[-+*/%=<>()\[\]{},.:?])""",
    re.VERBOSE,
)


class Token(NamedTuple):
    """`text` is as written; `upper` the same in capitals for a word or sign, else empty."""

    kind: Kind
    text: str
    upper: str


def tokens(query: str) -> list[Token]:
    """The tokens of a query, closed by one of kind `end`.

    Raises:
        SqlError: a character fits no token.
    """
    found: list[Token] = []
    position = 0
    while position < len(query):
        match = _TOKEN.match(query, position)
        if match is None:
            raise SqlError(f"Syntax error, invalid token near '{query[position : position + 10]}'.", "SC1010")
        position = match.end()
        kind = match.lastgroup
        if kind == "word" or kind == "sign":  # noqa: PLR1714 - narrows the type
            found.append(Token(kind, match.group(), match.group().upper()))
        elif kind == "number" or kind == "string" or kind == "parameter":  # noqa: PLR1714 - as above
            found.append(Token(kind, match.group(), ""))
    return [*found, Token("end", "", "")]


def number(text: str) -> int | float:
    return int(text) if text.isdigit() else float(text)


def string(text: str) -> str:
    r"""The content of a string literal: the escapes of JSON, and \' as well."""
    inner = re.sub(
        r"""\\'|(?<!\\)"|\\.""", lambda match: {"\\'": "'", '"': '\\"'}.get(match.group(), match.group()), text[1:-1]
    )
    try:
        return str(json.loads(f'"{inner}"', strict=False))
    except ValueError as error:
        raise SqlError(f"Syntax error, invalid string literal token {text}.", "SC1012") from error
