"""The app as the host loads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.platform.durable import ACTIVITIES, ENTITIES, ORCHESTRATIONS

ROOT = Path(__file__).parents[2]

# Libraries that only an activity needs, and what each costs at a cold start.
HEAVY = (
    "psycopg",
    "httpx",
    "azure.storage",
    "azure.identity",
    "azure.cosmos",
    "azure.servicebus",
    "cryptography",
    "rich",
    "boto3",
    "jinja2",
    "jwt",
    "openai",
    "azure.communication",
    "dns",
    "standardwebhooks",
)


@pytest.fixture(scope="module")
def functions() -> dict[str, str]:
    """The functions of the app by name, with the kind of their trigger. An app may be indexed once per process."""
    code = (
        "import function_app\n"
        "for f in function_app.app.get_functions():\n"
        "    print(f.get_function_name(), f.get_trigger().type)\n"
    )
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(line.split() for line in answer.stdout.splitlines())


def test_every_step_that_orchestrations_name_is_registered(functions: dict[str, str]) -> None:
    # A call of a step that the host does not know leaves the orchestration running for ever, without a word.
    __import__("function_app")
    unit_tests_own = {name for name in (*ACTIVITIES, *ORCHESTRATIONS) if name.startswith("unit_")}
    activities = {name for name, kind in functions.items() if kind == "activityTrigger"}
    orchestrations = {name for name, kind in functions.items() if kind == "orchestrationTrigger"}
    entities = {name for name, kind in functions.items() if kind == "entityTrigger"}
    assert entities == set(ENTITIES)
    assert activities == set(ACTIVITIES) - unit_tests_own
    assert orchestrations == set(ORCHESTRATIONS) - unit_tests_own


def test_function_names_are_what_the_host_takes(functions: dict[str, str]) -> None:
    assert all(name.isidentifier() and len(name) < 128 and name != "host" for name in functions)


def test_a_cold_start_imports_no_heavy_library() -> None:
    code = f"import sys, function_app; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert answer.stdout.split() == []
