"""JSON as Newtonsoft, Azure's library for it, reads and writes it."""

import json
import re
from pathlib import Path
from typing import Any, cast

_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object with comments and trailing commas allowed. Raises ValueError when it is anything else."""
    text = path.read_text(encoding="utf-8-sig")
    text = _COMMENT.sub(lambda match: match.group(1) or "", text)
    text = _TRAILING_COMMA.sub(lambda match: match.group(1) or "", text)
    parsed = json.loads(text)
    if not isinstance(parsed, dict):
        raise ValueError("the file does not hold a JSON object")  # noqa: TRY004 - one error type for callers
    return cast("dict[str, Any]", parsed)


def indented(value: Any) -> str:
    """JSON as Newtonsoft writes it for people."""
    return json.dumps(value, indent=2, ensure_ascii=False)
