"""The app as the host loads it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from shared.platform.durable import ACTIVITIES, ENTITIES, ORCHESTRATIONS

ROOT = Path(__file__).parents[2]

# What a cold start may load beyond the standard library and the modules that the durable SDK loads itself.
LOADED_AT_START = {"annotated_types", "pydantic", "pydantic_core", "typing_inspection"}
OURS = {"activities", "function_app", "orchestrators", "shared", "triggers"}
# Of the standard library, what only a few activities or a program for the command line need; pydantic loads
# importlib.metadata when the first model or TypeAdapter is built, which then lacks `defer_build`.
SELDOM_NEEDED = {"argparse", "importlib.metadata", "sqlite3", "unittest"}


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


def printed(code: str) -> set[str]:
    """The words that a program prints in a process of its own."""
    return set(
        subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.split()
    )


def test_a_cold_start_loads_no_library_beyond_the_sdk_and_pydantic() -> None:
    loaded = "import sys, {}; print(*sys.modules)"
    of_sdk = printed(loaded.format("azure.functions, azure.durable_functions"))
    own = printed(loaded.format("function_app")) - of_sdk
    known = LOADED_AT_START | OURS | sys.stdlib_module_names
    assert {name for name in own if name.partition(".")[0] not in known and not name.startswith("_")} == set()
    assert own & SELDOM_NEEDED == set()


def test_a_cold_start_builds_no_model() -> None:
    # A model is built when it is first used, if it derives from LazyModel and no module makes one while it is loaded.
    code = (
        "import function_app, pydantic\n"
        "def below(model):\n"
        "    for one in model.__subclasses__():\n"
        "        yield from (one, *below(one))\n"
        "for model in below(pydantic.BaseModel):\n"
        "    if model.__pydantic_complete__ and model.__pydantic_fields__:\n"
        "        print(f'{model.__module__}.{model.__name__}')\n"
    )
    assert printed(code) == set()
