"""Expressions, by recursive descent: a method per rule, from the loosest binding to the tightest."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Literal

from local.cosmos.sql.functions import AGGREGATES, FUNCTIONS
from local.cosmos.sql.lexer import Token, number, string
from local.cosmos.sql.stream import RESERVED, TokenStream
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
    Logic,
    Member,
    Name,
    ObjectOf,
    Query,
    SqlError,
    Subquery,
    Unary,
)
from local.cosmos.sql.values import UNDEFINED

MAX_DEPTH = 60
_CONSTANTS: dict[str, Any] = {"TRUE": True, "FALSE": False, "NULL": None, "UNDEFINED": UNDEFINED}


class ExpressionParser(TokenStream):
    """`parameters` are the values of the query's `@names`; `_aliases` are the names that FROM and JOIN have given."""

    def __init__(self, tokens: list[Token], parameters: Mapping[str, Any]) -> None:
        super().__init__(tokens)
        self._parameters = parameters
        self._aliases: list[str] = []
        self._aggregates = 0
        self._depth = 0

    @abstractmethod
    def query(self) -> Query:
        """A query within the expression."""

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
        operands = [self._and()]
        while self._eat("OR"):
            operands.append(self._and())
        return operands[0] if len(operands) == 1 else Logic("OR", tuple(operands))

    def _and(self) -> Expression:
        operands = [self._not()]
        while self._eat("AND"):
            operands.append(self._not())
        return operands[0] if len(operands) == 1 else Logic("AND", tuple(operands))

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
