"""The types of the fields on the wire: camelCase names, ids, addresses, commands."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    ConfigDict,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from shared.platform.models import LazyModel


def refusal(reason: str) -> PydanticCustomError:
    """What a validator raises: pydantic would put "Value error" before the text of a ValueError."""
    return PydanticCustomError("refused", "{reason}", {"reason": reason})


@dataclass(frozen=True, slots=True)
class Shape:
    """A pattern that a text has to match as a whole, and its description for whoever sent another."""

    pattern: str
    description: str

    def check(self, text: str) -> str:
        """The text. Raises what `refusal` gives: it does not match."""
        if re.fullmatch(self.pattern, text) is None:
            raise refusal(f"It has to be {self.description}")
        return text

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^{self.pattern}$"}


_PORT = re.compile(r"\$\{PORT(:[-=][0-9]*)?\}|\$PORT\b")
_ASSIGNED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=")
_QUOTED = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.""", re.DOTALL)
_SHELL_ONLY = re.compile(
    r"[();<>|&]+|\S*[*?]\S*|(?<!\S)~\S*|[^\s$]*(?<!\$)\{[^{}\s]*(?:,|\.\.)[^{}\s]*\}\S*|(?<!\S)\#.*"
)
"""Outside quotations: operators, and what a shell replaces or leaves out before the program sees its words."""
_EXPANDED = re.compile(r"\$([A-Za-z_({][A-Za-z0-9_]*|[0-9?$@*#!-])")
_BUILT_IN = frozenset(
    {
        "cd",
        "pushd",
        "export",
        "unset",
        "source",
        ".",
        "eval",
        "set",
        "shift",
        "read",
        "alias",
        "trap",
        "ulimit",
        "umask",
    }
    | {"if", "for", "while", "until", "case", "do", "function", "{", "!", "[[", ":"}
    | {"then", "else", "elif", "fi", "done", "esac", "select", "}", "return", "exit", "local", "declare", "wait"}
)
"""First words that only a shell knows: no program has these names."""


def split_command(text: str) -> tuple[str, ...]:
    """The command's words. `${PORT}` is written `$PORT` in them; variables set before the program are set by `env`.

    `exec` before the program is left out: it lets a shell give way to the program, and there is none.

    Raises:
        ValueError: a quotation is not closed.
    """
    words = tuple(_PORT.sub("$PORT", word) for word in shlex.split(text))
    words = words[1:] if words[:1] == ("exec",) else words
    return ("env", *words) if words and _ASSIGNED.match(words[0]) else words


def shell_words(text: str) -> tuple[str, ...]:
    """The words of a command that needs no shell.

    Raises:
        ValueError: it needs one; the message says for what.
    """
    try:
        words = split_command(text)
    except ValueError as error:
        raise ValueError(f"it cannot be split into words: {error}") from None
    if "\n" in text.strip() or "\r" in text.strip():
        raise ValueError("it has more than one line, which is for a shell: put the commands into a script")
    if not words or "\0" in text:
        raise ValueError("it has no words, or a NUL: leave it out for the usual command")
    match = _SHELL_ONLY.search(_QUOTED.sub("x", text))
    first = next((word for word in words[words[0] == "env" :] if not _ASSIGNED.match(word)), None)
    for part in (match.group() if match else None, first if first in _BUILT_IN else None):
        if part is not None:
            raise ValueError(
                f"{part!r} is for a shell, and no shell runs it: put the commands into a script, or quote it"
            )
    if first is None:
        raise ValueError("it sets variables and names no program, which is for a shell: put them into envVariables")
    for word in words:
        if "`" in word:
            raise ValueError(f"{word!r} is for a shell, and no shell runs it: put the commands into a script")
        if match := _EXPANDED.search(_PORT.sub("", word)):
            raise ValueError(f"{match.group()!r} is for a shell, and no shell runs it: only $PORT can stand there")
    return words


def _command(text: str) -> str:
    """Refuse what only a shell could run: commands are split into words and run as they are."""
    try:
        shell_words(text)
    except ValueError as error:
        message = str(error)
        raise refusal(message[:1].upper() + message[1:]) from None
    return text


Environment = Literal["development", "staging", "production"]
DeploymentId = Annotated[str, Shape(r"dep_[A-Z2-7]{12}", "the id of a deployment, as dep_ABCDEFGHIJ27")]
Name = Annotated[
    str,
    Shape(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", "1 to 64 letters, digits, - and _, the first a letter or digit"),
]
"""An id given by the caller: a path segment, a blob's folder, a document's key."""
SourceHash = Annotated[str, Shape(r"[0-9a-f]{64}", "a sha256 as 64 hexadecimal digits in lower case")]
GitUrl = Annotated[
    str,
    StringConstraints(max_length=500),
    WithJsonSchema(
        {"type": "string", "maxLength": 500, "pattern": r"^https://([a-z0-9-]+\.)+[a-z]+(/[A-Za-z0-9_~-]+)+$"}
    ),
]
"""What it may be says sources.check_url, in words: when a deployment is accepted and when its source is fetched."""
GitRef = Annotated[
    str,
    Shape(
        r"[A-Za-z0-9_][A-Za-z0-9._/-]{0,199}", "the name of a branch or tag: letters, digits, . _ / and -, at most 200"
    ),
]
GitUser = Annotated[str, Shape(r"[A-Za-z0-9._@+-]{1,100}", "1 to 100 letters, digits and . _ @ + -")]
CommitSha = Annotated[str, Shape(r"[0-9a-f]{40}", "a whole commit id: 40 hexadecimal digits in lower case")]
HostName = Annotated[
    str,
    StringConstraints(max_length=253, to_lower=True),
    Shape(
        r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])",
        "a host name with a dot, as shop.example.com, without https:// and path",
    ),
]
VARIABLE_NAME = Shape(r"[A-Za-z_][A-Za-z0-9_]{0,127}", "1 to 128 letters, digits and _, the first no digit")
Command = Annotated[str, StringConstraints(max_length=1_000), AfterValidator(_command)]


class Wire(LazyModel):
    """A model whose names on the wire are camelCase."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")
