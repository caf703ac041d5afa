"""The tokens of a query as a parser walks along them."""

from local.cosmos.sql.lexer import Token
from local.cosmos.sql.syntax import SqlError

RESERVED = {
    *("AND", "ARRAY", "AS", "ASC", "BETWEEN", "BY", "DESC", "DISTINCT", "ESCAPE", "EXISTS", "FALSE", "FROM", "GROUP"),
    *(
        "IN",
        "JOIN",
        "LIKE",
        "NOT",
        "NULL",
        "OR",
        "ORDER",
        "SELECT",
        "TOP",
        "TRUE",
        "UDF",
        "UNDEFINED",
        "VALUE",
        "WHERE",
    ),
}
"""No name of a property behind a dot either: Azure wants `c["value"]`."""


class TokenStream:
    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0

    @property
    def _token(self) -> Token:
        return self._tokens[self._at]

    def _next(self) -> Token:
        token = self._token
        if token.kind != "end":
            self._at += 1
        return token

    def _sees(self, *texts: str) -> bool:
        return self._token.upper in texts

    def _eat(self, *texts: str) -> str | None:
        """The next word or sign, if it is one of these; else it stays."""
        return self._next().upper if self._sees(*texts) else None

    def _need(self, text: str) -> None:
        if not self._eat(text):
            raise self._wrong()

    def _identifier(self) -> str:
        if self._token.kind != "word" or self._token.upper in RESERVED:
            raise self._wrong()
        return self._next().text

    def _wrong(self) -> SqlError:
        near = self._token.text or self._tokens[self._at - 1].text
        return SqlError(f"Syntax error, incorrect syntax near '{near}'.")

    def end(self) -> None:
        """Raises SqlError if tokens are left."""
        if self._token.kind != "end":
            raise self._wrong()
