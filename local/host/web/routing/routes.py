"""HTTP route templates as ASP.NET reads them: parameters, constraints, optional parts, defaults and catch-alls."""

import re
from dataclasses import dataclass
from itertools import pairwise

from local.host.web.routing.constraints import Check, RouteInvalid, constraint

# Two braces stand for one. A slash inside a parameter (of a regex constraint) divides nothing.
_TOKEN = re.compile(r"(?P<literal>(?:[^{}/]|\{\{|\}\})+)|\{(?P<parameter>(?:[^{}]|\{\{|\}\})*)\}(?!\})|/", re.DOTALL)


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
        segments = _segments(template.strip("/")) if template else []
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


def _segments(template: str) -> list[list[_Part]]:
    """The parts of each segment, by the rules of ASP.NET's RoutePatternParser. Raises RouteInvalid."""
    segments: list[list[_Part]] = [[]]
    position = 0
    while position < len(template):
        token = _TOKEN.match(template, position)
        if token is None:
            raise RouteInvalid(
                f"The route template '{template}' has a brace without its other one (a brace itself is two)."
            )
        if token["literal"] is not None:
            segments[-1].append(_literal(_unescaped(token["literal"])))
        elif token["parameter"] is not None:
            segments[-1].append(_parameter(_unescaped(token["parameter"])))
        else:
            segments.append([])
        position = token.end()
    for segment in segments:
        _check_segment(template, segment)
    return segments


def _unescaped(text: str) -> str:
    return text.replace("}}", "}").replace("{{", "{")


def _literal(text: str) -> _Part:
    if "?" in text:
        raise RouteInvalid(f"The literal '{text}' of a route holds a question mark, where a query would begin.")
    return _Part(text)


def _parameter(text: str) -> _Part:
    body = text.removeprefix("*").removeprefix("*")
    catch_all = body != text
    optional = body.endswith("?")
    body = body.removesuffix("?")
    name = re.match(r"[^:=]*", body)
    label = name.group(0) if name else ""
    if not label or re.search(r"[/{}?*]", label):
        raise RouteInvalid(f"The route parameter name '{label}' is invalid.")
    constraints, default = _split_constraints(body[len(label) :])
    if optional and (catch_all or default is not None):
        why = "is a catch-all, which fits nothing as well" if catch_all else "has a default value"
        raise RouteInvalid(f"The route parameter '{label}' cannot be optional: it {why}.")
    return _Part(
        text=label,
        parameter=True,
        catch_all=catch_all,
        optional=optional,
        default=default,
        checks=tuple(constraint(one) for one in constraints),
    )


def _check_segment(template: str, segment: list[_Part]) -> None:
    problem = ""
    if not segment:
        problem = "an empty segment"
    elif len(segment) > 1 and any(part.catch_all for part in segment):
        problem = "a catch-all parameter beside something else in one segment"
    elif any(before.parameter and after.parameter for before, after in pairwise(segment)):
        problem = "two parameters side by side: put a literal between them"
    elif any(part.optional for part in segment[:-1]) or (
        len(segment) > 1 and segment[-1].optional and segment[-2].text != "."
    ):
        problem = "an optional parameter within a segment: only the last one may be, with nothing but a '.' before it"
    if problem:
        raise RouteInvalid(f"The route template '{template}' has {problem}.")


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
    optional = segment[-1].optional
    pieces: list[str] = []
    for part in segment[:-2] if optional else segment:
        if part.parameter:
            groups.append(part.text)
            pieces.append("([^/]+?)" if optional else "([^/]+)")
        else:
            pieces.append(re.escape(part.text))
    if optional:
        # `{name}.{extension?}`: the dot belongs to the optional part, and the last one divides.
        groups.append(segment[-1].text)
        pieces.append(r"(?:\.([^./]+))?")
    return "".join(pieces)
