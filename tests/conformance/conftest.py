"""The recordings of Microsoft's extension, how they are masked, and the app that was recorded."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from local.host.durable.sdk.inprocess import InProcessFunctions

GOLDEN = Path(__file__).parent / "golden"
DEVIATIONS = Path(__file__).parents[2] / "docs" / "local-host-deviations.md"
PATTERNS = Path(__file__).parents[1] / "apps" / "patterns" / "function_app.py"

_MASKS = (
    (
        re.compile(r'\{\\*"\$type\\*":\\*"System\.Exception, System.*?WatsonBuckets\\*":null\}', re.DOTALL),
        "<exception>",
    ),
    (re.compile(r'\{\\*"\$type\\*":\\*"System\.Net\.Http\.HttpRequestException.*', re.DOTALL), "<exception>"),
    (re.compile(r"StackTrace: .*", re.DOTALL), "StackTrace: <stack>"),
    (re.compile(r"0x[0-9a-f]{8,}"), "0x<address>"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)?"), r"<time>\2"),
    (re.compile(r"\b(localhost|127\.0\.0\.1):(?!9\b)\d+"), "<host>"),
)
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{32}\b")


def masked(value: Any) -> str:
    """JSON with times, stacks, hosts and addresses hidden and every id replaced by its number of first appearance.

    Order of keys stands; whether an id has dashes is kept, and so is which ids are the same.
    """
    text = json.dumps(_mask(value), ensure_ascii=False, indent=1)
    seen: dict[str, str] = {}

    def number(match: re.Match[str]) -> str:
        kind = "guid" if "-" in match[0] else "hex"
        return seen.setdefault(match[0], f"<{kind} {len(seen)}>")

    return _ID.sub(number, text)


def _mask(value: Any) -> Any:
    if isinstance(value, str):
        for pattern, replacement in _MASKS:
            value = pattern.sub(replacement, value)
        return value
    if isinstance(value, list):
        return [_mask(one) for one in value]
    if isinstance(value, dict):
        return {key: "<stack>" if key == "StackTrace" else _mask(one) for key, one in value.items()}
    return value


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (GOLDEN / name).read_text().splitlines()]


@pytest.fixture(scope="session")
def mask() -> Any:
    return masked


@pytest.fixture(scope="session")
def golden() -> Any:
    """Reads a recording: `golden("results.json")`, `golden("entity.jsonl")`."""
    return lambda name: lines(name) if name.endswith(".jsonl") else json.loads((GOLDEN / name).read_text())


@pytest.fixture
def patterns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InProcessFunctions:
    """The recorded app's durable functions, freshly loaded, counting in a folder of their own."""
    module = load_patterns(tmp_path, monkeypatch)
    functions: Any = InProcessFunctions(module.app.get_functions())
    functions.module = module
    return functions


@pytest.fixture(scope="session")
def deviations() -> set[str]:
    """The ids in the table of docs/local-host-deviations.md."""
    rows = re.findall(r"^\| ([a-z-]+) \|", DEVIATIONS.read_text(), re.MULTILINE)
    return {row for row in rows if row != "id"}


def load_patterns(state: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("PATTERNS_STATE", str(state / "counts"))
    spec = importlib.util.spec_from_file_location("patterns_app", PATTERNS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
