"""HTTP route templates as ASP.NET reads them: parameters, constraints, optional parts, defaults and catch-alls."""

import re
from dataclasses import dataclass

from local.host.constraints import Check, RouteInvalid, constraint


@dataclass(frozen=True)
class _Part:
    """A literal, or one `{parameter}` of a template."""

    text: str
    parameter: bool = False
    catch_all: bool = False
    optional: bool = False
    default: str | None = None
    checks: tuple[Check, ...] = ()


class Route:
    """A compiled template. `match` answers the parameters of a path, or None."""

    def __init__(self, template: str) -> None:
        self.template = template
        segments = [_parse_segment(one) for one in _split(template)] if template else []
        self._parts = [part for segment in segments for part in segment if part.parameter]
        names = [part.text.lower() for part in self._parts]
        if len(set(names)) != len(names):
            raise RouteInvalid(f"The route template '{template}' has a parameter name more than once.")
        self._groups: list[str] = []
        self._pattern = re.compile(_pattern(segments, self._groups) + r"/?", re.IGNORECASE | re.DOTALL)

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters when the path (decoded, with its leading slash) fits; a part without value has no key."""
        found = self._pattern.fullmatch(path)
        if found is None:
            return None
        values = {name: value for name, value in zip(self._groups, found.groups(), strict=True) if value}
        result: dict[str, str] = {}
        for part in self._parts:
            value = values.get(part.text)
            if value is None:
                if part.default is not None:
                    result[part.text] = part.default
                continue
            if not all(check(value) for check in part.checks):
                return None
            result[part.text] = value
        return result


def _split(template: str) -> list[str]:
    """The segments of a template; a slash inside braces (of a regex constraint) divides nothing."""
    segments, depth, current = [""], 0, 0
    for character in template.strip("/"):
        depth += {"{": 1, "}": -1}.get(character, 0)
        if character == "/" and depth == 0:
            segments.append("")
            current += 1
        else:
            segments[current] += character
    if depth != 0 or "" in segments:
        problem = "an empty segment" if depth == 0 else "a brace that is not closed"
        raise RouteInvalid(f"The route template '{template}' has {problem}.")
    return segments


def _parse_segment(segment: str) -> list[_Part]:
    parts: list[_Part] = []
    position = 0
    while position < len(segment):
        opening = segment.find("{", position)
        if opening < 0:
            parts.append(_Part(segment[position:]))
            break
        if opening > position:
            parts.append(_Part(segment[position:opening]))
        closing = _closing_brace(segment, opening)
        parts.append(_parse_parameter(segment[opening + 1 : closing]))
        position = closing + 1
    return parts


def _closing_brace(segment: str, opening: int) -> int:
    depth = 0
    for index in range(opening, len(segment)):
        depth += {"{": 1, "}": -1}.get(segment[index], 0)
        if depth == 0:
            return index
    raise RouteInvalid(f"The route segment '{segment}' has a brace that is not closed.")


def _parse_parameter(text: str) -> _Part:
    body = text.lstrip("*")
    catch_all = body != text
    optional = body.endswith("?")
    body = body.removesuffix("?")
    name = re.match(r"[^:=]*", body)
    label = name.group(0) if name else ""
    if not label or re.search(r"[/{}?*]", label):
        raise RouteInvalid(f"The route parameter name '{label}' is invalid.")
    rest = body[len(label) :]
    constraints, default = _split_constraints(rest)
    return _Part(
        text=label,
        parameter=True,
        catch_all=catch_all,
        optional=optional,
        default=default,
        checks=tuple(constraint(one) for one in constraints),
    )


def _split_constraints(text: str) -> tuple[list[str], str | None]:
    constraints: list[str] = []
    depth, current = 0, ""
    for index, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if character == ":" and depth == 0:
            constraints.append("")
            current = "constraint"
        elif character == "=" and depth == 0:
            return constraints, text[index + 1 :]
        elif current:
            constraints[-1] += character
    return constraints, None


def _pattern(segments: list[list[_Part]], groups: list[str]) -> str:
    if not segments:
        return ""
    segment, rest = segments[0], segments[1:]
    if len(segment) == 1 and segment[0].parameter:
        part = segment[0]
        groups.append(part.text)
        if part.catch_all:
            if rest:
                raise RouteInvalid(f"A catch-all parameter can only appear as the last segment: '{part.text}'.")
            return "(?:/(.*))?"
        following = _pattern(rest, groups)
        if part.optional or part.default is not None:
            return f"(?:/([^/]+){following})?"
        return f"/([^/]+){following}"
    return "/" + _mixed(segment, groups) + _pattern(rest, groups)


def _mixed(segment: list[_Part], groups: list[str]) -> str:
    pieces: list[str] = []
    for index, part in enumerate(segment):
        if not part.parameter:
            followed_by_optional = index + 1 == len(segment) - 1 and segment[-1].optional
            if not followed_by_optional:
                pieces.append(re.escape(part.text))
            continue
        groups.append(part.text)
        if part.optional and index == len(segment) - 1 and index > 0 and not segment[index - 1].parameter:
            # `{name}.{extension?}`: the literal belongs to the optional part, and the last one divides.
            separator = re.escape(segment[index - 1].text)
            pieces.append(f"(?:{separator}((?:(?!{separator})[^/])+))?")
        else:
            pieces.append("([^/]+?)" if segment[-1].optional else "([^/]+)")
    return "".join(pieces)
