"""Tokens to the parts of a query: the clauses, around the expressions."""

from collections.abc import Mapping
from typing import Any

from local.cosmos.sql.expressions import ExpressionParser
from local.cosmos.sql.grouping import check_groups
from local.cosmos.sql.lexer import tokens
from local.cosmos.sql.stream import RESERVED
from local.cosmos.sql.syntax import Constant, Expression, Member, Name, Query, Source, SqlError, Subquery

_NO_ALIAS = RESERVED | {"OFFSET", "LIMIT"}
_ROOT = "ROOT"


def parse(text: str, parameters: Mapping[str, Any]) -> Query:
    """Read a query; `parameters` are the values of its `@names`.

    Raises:
        SqlError: the query is not in the language, or uses a part of it that is not supported.
    """
    parser = _QueryParser(tokens(text), parameters)
    query = parser.query()
    parser.end()
    return query


class _QueryParser(ExpressionParser):
    def query(self) -> Query:
        outer, self._aggregates = self._aggregates, 0
        aliases = list(self._aliases)
        query = Query()
        self._need("SELECT")
        query.distinct = bool(self._eat("DISTINCT"))
        if self._eat("TOP"):
            query.top = self._primary()
        select = self._at
        # The aliases that SELECT uses are given only behind it: find FROM first, then come back.
        self._skip_to_from()
        has_from = self._eat("FROM")
        if has_from:
            self._from(query)
        rest, self._at = self._at, select
        self._select(query)
        if has_from:
            self._need("FROM")
            self._at = rest
        self._tail_clauses(query)
        query.aggregates, self._aggregates, self._aliases = self._aggregates, outer, aliases
        check_groups(query)
        return query

    def _skip_to_from(self) -> None:
        depth = 0
        while self._token.kind != "end" and not (depth == 0 and self._sees("FROM")):
            depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(self._token.text, 0)
            if depth < 0:
                return
            self._at += 1

    def _select(self, query: Query) -> None:
        if self._eat("*"):
            if len(query.sources) != 1:
                raise SqlError("'SELECT *' is only valid with a single input set.", "SC2040")
        elif self._eat("VALUE"):
            query.value = True
            query.items = [("", self._expression())]
        else:
            query.items = [self._item(0)]
            while self._eat(","):
                query.items.append(self._item(len(query.items)))

    def _item(self, position: int) -> tuple[str, Expression]:
        start = self._at
        expression = self._expression()
        if self._eat("AS"):
            return self._identifier(), expression
        if self._token.kind == "word" and self._token.upper not in _NO_ALIAS:
            return self._identifier(), expression
        if (
            isinstance(expression, Member)
            and isinstance(expression.key, Constant)
            and isinstance(expression.key.value, str)
        ):
            return expression.key.value, expression
        if isinstance(expression, Name):
            return self._tokens[start].text, expression
        return f"${position + 1}", expression

    def _from(self, query: Query) -> None:
        first = self._identifier()
        if self._eat("IN"):
            query.sources.append(Source(first, self._collection_path(self._identifier()), iterates=True))
        else:
            path = self._collection_path(first)
            alias = first if isinstance(path, Name) else ""
            named = self._eat("AS") or (self._token.kind == "word" and self._token.upper not in _NO_ALIAS)
            query.sources.append(Source(self._identifier() if named else alias, path, iterates=False))
        self._aliases.append(query.sources[0].alias)
        while self._eat("JOIN"):
            alias = self._identifier()
            self._need("IN")
            elements = self._postfix(self._primary())
            if isinstance(elements, Subquery):
                elements = Subquery("ARRAY", elements.query)
            query.sources.append(Source(alias, elements, iterates=True))
            self._aliases.append(alias)

    def _collection_path(self, name: str) -> Expression:
        """What FROM names: an alias of the query around, a path in one, or else the container, under any name."""
        return self._postfix(Name(name if name in self._aliases else _ROOT))

    def _tail_clauses(self, query: Query) -> None:
        if self._eat("WHERE"):
            query.where = self._expression()
        if self._eat("GROUP"):
            self._need("BY")
            query.group.append(self._expression())
            while self._eat(","):
                query.group.append(self._expression())
        if self._eat("ORDER"):
            self._need("BY")
            query.order.append(self._ordering())
            while self._eat(","):
                query.order.append(self._ordering())
        if self._eat("OFFSET"):
            query.offset = self._primary()
            self._need("LIMIT")
            query.limit = self._primary()

    def _ordering(self) -> tuple[Expression, bool]:
        expression = self._expression()
        return expression, self._eat("ASC", "DESC") == "DESC"
