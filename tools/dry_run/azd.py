"""main.parameters.json as azd reads it: variables substituted, texts turned into numbers and booleans, secrets fetched.

The rules are those of azd's Bicep provider: `${NAME}` and `${NAME=default}`, also one inside the other, are replaced in
the text of each value. A value left empty counts as not given, so that Bicep's default holds; without a default azd
generates it, where the parameter says so, or asks.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tools.bicep_check.syntax import Document, children, plain, text
from tools.bicep_check.syntax import field as part

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tools.bicep_check.syntax import Declaration

VAULT_REFERENCE = "akvs://"
_INNERMOST = re.compile(r"\$\{(\w+)(?:=([^${}]*))?\}")


@dataclass
class Resolved:
    """What azd hands to the resource manager, and what it needs a person for.

    Attributes:
        values: parameters by name; one that is missing has its default in the Bicep.
        generated: parameters that azd makes a value for, once.
        asked: parameters that azd asks the person for.
    """

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    generated: list[str] = field(default_factory=list[str])
    asked: list[str] = field(default_factory=list[str])


def substitute(written: str, environment: Mapping[str, str]) -> str:
    """A text with its variables replaced, the innermost first; an empty variable counts as its default."""
    while match := _INNERMOST.search(written):
        value = environment.get(match[1]) or match[2] or ""
        written = written[: match.start()] + value + written[match.end() :]
    return written


def resolve(
    file: str, module: Document, environment: Mapping[str, str], secret: Callable[[str], str] = lambda name: name
) -> Resolved:
    """Resolve the text of a parameters file for a module; `secret` fetches what an `akvs://` reference names.

    Raises:
        ValueError: what came out is no JSON, as when a variable holds quotes; the message names the parameter.
    """
    found = Resolved()
    given: dict[str, Any] = json.loads(file)["parameters"]
    for declaration in (one for one in module.declarations if one.kind == "parameter"):
        name = text(declaration.name)
        value = _value(name, given.get(name), declaration, environment)
        if isinstance(value, str) and value.startswith(VAULT_REFERENCE) and declaration.decorator("secure"):
            value = secret(value)
        if value is not None:
            found.values[name] = value
        elif declaration.value is None:
            (found.generated if _is_generated(declaration) else found.asked).append(name)
    return found


def _value(name: str, entry: Any, declaration: Declaration, environment: Mapping[str, str]) -> Any:
    if entry is None:
        return None
    try:
        value = json.loads(substitute(json.dumps(entry), environment))["value"]
    except ValueError as error:
        raise ValueError(f"The value of the parameter {name} breaks the JSON it is put into: {error}") from error
    if not isinstance(value, str):
        return value
    match declaration.subject:
        case "bool":
            return {"true": True, "false": False}.get(value.lower())
        case "int":
            return int(value) if re.fullmatch(r"-?\d+", value) else None
        case _:
            # An empty text is handed on only where the default is another one.
            return value if value or plain(declaration.value) not in {None, ""} else None


def _is_generated(declaration: Declaration) -> bool:
    metadata = declaration.decorator("metadata")
    if metadata is None:
        return False
    named: Any = plain(children(part(metadata, "arguments"))[0])
    return named.get("azd", {}).get("type") == "generate"
