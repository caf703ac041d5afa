"""Tokens to the parts of a query, by recursive descent: one method per rule of the grammar."""

from collections.abc import Mapping
from typing import Any, Literal

from local.cosmos.sql.functions import AGGREGATES, FUNCTIONS
from local.cosmos.sql.lexer import Token, number, string, tokens
from local.cosmos.sql.syntax import (
    Aggregate,
    ArrayOf,
    Between,
    Binary,
    Call,
    Conditional,
    Constant,
    Expression,
    In,
    Member,
    Name,
    ObjectOf,
    Query,
    Source,
    SqlError,
    Subquery,
    Unary,
)
from local.cosmos.sql.values import UNDEFINED

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
_CLAUSES = {"OFFSET", "LIMIT"}
_CONSTANTS: dict[str, Any] = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}
_ROOT = "ROOT"
MAX_DEPTH = 60


def parse(text: str, parameters: Mapping[str, Any]) -> Query:
    """Read a query; `parameters` are the values of its `@names`.

    Raises:
        SqlError: the query is not in the language, or uses a part of it that is not supported.
    """
    parser = _Parser(tokens(text), parameters)
    query = parser.query()
    parser.end()
    return query


class _Parser:
    def __init__(self, stream: list[Token], parameters: Mapping[str, Any]) -> None:
        self._tokens = stream
        self._at = 0
        self._parameters = parameters
        self._aliases: list[str] = []
        self._aggregates = 0
        self._depth = 0

    # Tokens

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
        return self._next().upper if self._sees(*texts) else None

    def _need(self, text: str) -> None:
        if not self._eat(text):
            raise self._wrong()

    def _wrong(self) -> SqlError:
        near = self._token.text or self._tokens[self._at - 1].text
        return SqlError(f"Syntax error, incorrect syntax near '{near}'.")

    def _identifier(self) -> str:
        if self._token.kind != "word" or self._token.upper in RESERVED:
            raise self._wrong()
        return self._next().text

    def end(self) -> None:
        if self._token.kind != "end":
            raise self._wrong()

    # Clauses

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
        if self._token.kind == "word" and self._token.upper not in RESERVED | _CLAUSES:
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
            named = self._eat("AS") or (self._token.kind == "word" and self._token.upper not in RESERVED | _CLAUSES)
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

    # Expressions, from the loosest binding to the tightest

    def _expression(self) -> Expression:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise SqlError("The query nests too deep.")
        left = self._coalesce()
        if self._eat("?"):
            then = self._expression()
            self._need(":")
            left = Conditional(left, then, self._expression())
        self._depth -= 1
        return left

    def _coalesce(self) -> Expression:
        left = self._or()
        while self._eat("??"):
            left = Binary("??", left, self._or())
        return left

    def _or(self) -> Expression:
        left = self._and()
        while self._eat("OR"):
            left = Binary("OR", left, self._and())
        return left

    def _and(self) -> Expression:
        left = self._not()
        while self._eat("AND"):
            left = Binary("AND", left, self._not())
        return left

    def _not(self) -> Expression:
        nots = 0
        while self._eat("NOT"):
            nots += 1
        expression = self._comparison()
        for _ in range(nots):
            expression = Unary("NOT", expression)
        return expression

    def _comparison(self) -> Expression:
        left = self._sum()
        operator = self._eat("=", "!=", "<>", "<", ">", "<=", ">=")
        if operator:
            return Binary("!=" if operator == "<>" else operator, left, self._sum())
        negated = bool(self._eat("NOT"))
        test: Expression | None = None
        if self._eat("IN"):
            self._need("(")
            test = In(left, self._list(")"))
        elif self._eat("BETWEEN"):
            low = self._sum()
            self._need("AND")
            test = Between(left, low, self._sum())
        elif self._eat("LIKE"):
            test = Binary("LIKE", left, self._sum())
        if test is None:
            if negated:
                raise self._wrong()
            return left
        return Unary("NOT", test) if negated else test

    def _sum(self) -> Expression:
        left = self._product()
        while operator := self._eat("+", "-", "||"):
            left = Binary(operator, left, self._product())
        return left

    def _product(self) -> Expression:
        left = self._unary()
        while operator := self._eat("*", "/", "%"):
            left = Binary(operator, left, self._unary())
        return left

    def _unary(self) -> Expression:
        minus = 0
        while sign := self._eat("-", "+"):
            minus += sign == "-"
        expression = self._postfix(self._primary())
        for _ in range(minus):
            expression = Unary("-", expression)
        return expression

    def _postfix(self, target: Expression) -> Expression:
        while True:
            if self._eat("."):
                target = Member(target, Constant(self._identifier()))
            elif self._eat("["):
                target = Member(target, self._expression())
                self._need("]")
            else:
                return target

    def _primary(self) -> Expression:
        token = self._token
        if token.kind in {"number", "string", "parameter", "word"}:
            return self._scalar(self._next())
        if self._eat("("):
            return self._parenthesis("SCALAR") if self._sees("SELECT") else self._grouped()
        if self._eat("["):
            return ArrayOf(self._list("]"))
        if self._eat("{"):
            return self._object()
        raise self._wrong()

    def _scalar(self, token: Token) -> Expression:
        if token.kind == "number":
            return Constant(number(token.text))
        if token.kind == "string":
            return Constant(string(token.text))
        return self._parameter(token.text) if token.kind == "parameter" else self._word(token)

    def _parameter(self, name: str) -> Expression:
        if name not in self._parameters:
            raise SqlError(f"Parameter '{name}' has no value.", "SC2001")
        return Constant(self._parameters[name])

    def _grouped(self) -> Expression:
        expression = self._expression()
        self._need(")")
        return expression

    def _parenthesis(self, kind: Literal["EXISTS", "ARRAY", "SCALAR"]) -> Expression:
        query = self.query()
        self._need(")")
        return Subquery(kind, query)

    def _word(self, token: Token) -> Expression:
        if token.upper in _CONSTANTS:
            return Constant(_CONSTANTS[token.upper])
        if token.upper == "EXISTS" and self._eat("("):
            return self._parenthesis("EXISTS")
        if token.upper == "ARRAY" and self._eat("("):
            return self._parenthesis("ARRAY")
        if token.upper in RESERVED:
            self._at -= 1
            raise self._wrong()
        if self._eat("("):
            return self._call(token)
        if token.text not in self._aliases:
            raise SqlError(f"Identifier '{token.text}' could not be resolved.", "SC2001")
        return Name(token.text)

    def _call(self, token: Token) -> Expression:
        arguments = self._list(")")
        if token.upper in AGGREGATES:
            if len(arguments) != 1:
                raise SqlError(f"The {token.upper} function requires 1 argument(s).", "SC2050")
            self._aggregates += 1
            return Aggregate(token.upper, arguments[0])
        if token.upper not in FUNCTIONS:
            raise SqlError(f"'{token.text}' is not a recognized built-in function name.", "SC2005")
        low, high = FUNCTIONS[token.upper].arity
        if not low <= len(arguments) <= high:
            wanted = f"{low}" if low == high else f"{low} to {high}"
            raise SqlError(f"The {token.upper} function requires {wanted} argument(s).", "SC2050")
        return Call(token.upper, arguments)

    def _list(self, end: str) -> tuple[Expression, ...]:
        items: list[Expression] = []
        if self._eat(end):
            return ()
        items.append(self._expression())
        while self._eat(","):
            items.append(self._expression())
        self._need(end)
        return tuple(items)

    def _object(self) -> Expression:
        items: list[tuple[str, Expression]] = []
        if self._eat("}"):
            return ObjectOf(())
        while True:
            key = self._next()
            if key.kind not in {"string", "word"}:
                raise self._wrong()
            self._need(":")
            items.append((string(key.text) if key.kind == "string" else key.text, self._expression()))
            if not self._eat(","):
                self._need("}")
                return ObjectOf(tuple(items))
