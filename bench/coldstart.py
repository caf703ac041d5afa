"""What a cold start pays for imports: the app, beside the libraries that any durable app in Python must import.

The app is measured as its package goes to Azure, with an index of its functions, and as a checkout has it, which loads
every workload at its start. An index moves work to the first call, so that is measured as well. `import pydantic` loads
next to nothing of it; who declares a model pays for the rest. So two peers are shown: the SDK with `import pydantic`,
and the SDK with one model. CPU milliseconds say more than wall time on a machine at work.
"""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import comparison, console, middle, ratio

ROOT = Path(__file__).parents[1]
PACKED = ("activities", "orchestrators", "shared", "triggers", "infra/hooks")
FIRST_ANSWER = """
import asyncio, azure.functions as func, function_app
functions = {one.get_function_name(): one.get_user_function() for one in function_app.app.get_functions()}
request = func.HttpRequest("GET", "http://localhost/health/live", body=b"")
assert asyncio.run(functions["health_live"](req=request)).status_code == 200
"""
PACKAGE, CHECKOUT = "package", "checkout"
CASES = {
    "package: import function_app": (PACKAGE, "import function_app"),
    "package: and the first answer": (PACKAGE, FIRST_ANSWER),
    "checkout: import function_app": (CHECKOUT, "import function_app"),
    "checkout: and the first answer": (CHECKOUT, FIRST_ANSWER),
    "import azure.durable_functions and declare a model": (
        CHECKOUT,
        "import azure.durable_functions\nfrom pydantic import BaseModel\nclass Model(BaseModel):\n    field: int",
    ),
    "import azure.durable_functions, pydantic": (CHECKOUT, "import azure.durable_functions, pydantic"),
    "import azure.functions": (CHECKOUT, "import azure.functions"),
    "python itself": (CHECKOUT, "pass"),
}
SHOWN = 12


def main(*, quick: bool) -> None:
    with tempfile.TemporaryDirectory(prefix="manifold-bench-") as folder:
        # Bytecode is kept, whatever the caller's settings: who compiles every module at each start measures that.
        environment = {**os.environ, "PYTHONPYCACHEPREFIX": f"{folder}/bytecode", "PYTHONDONTWRITEBYTECODE": ""}
        package = Path(folder, "package")
        _pack(package, environment)
        _measure(5 if quick else 15, {PACKAGE: package, CHECKOUT: ROOT}, environment)


def _pack(folder: Path, environment: dict[str, str]) -> None:
    """The app as azd packs it."""
    for name in PACKED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    shutil.copy(ROOT / "function_app.py", folder)
    hook = [sys.executable, "-m", "infra.hooks.index_functions"]
    subprocess.run(hook, cwd=folder, env=environment, check=True, capture_output=True)


def _measure(rounds: int, folders: dict[str, Path], environment: dict[str, str]) -> None:
    for folder, code in CASES.values():
        subprocess.run([sys.executable, "-c", code], cwd=folders[folder], env=environment, check=True)
    times: dict[str, list[float]] = {name: [] for name in CASES}
    spent: dict[str, list[float]] = {name: [] for name in CASES}
    for _ in range(rounds):  # in turn, so that the machine's moods meet all alike
        for name, (folder, code) in CASES.items():
            began, before = time.perf_counter(), _cpu_seconds()
            subprocess.run([sys.executable, "-c", code], cwd=folders[folder], env=environment, check=True)
            times[name].append((time.perf_counter() - began) * 1000)
            spent[name].append((_cpu_seconds() - before) * 1000)
    table = comparison(
        f"Cold start, median of {rounds}", ("process", "ms", "CPU ms", "beside the libraries", "beside one model")
    )
    libraries = middle(spent["import azure.durable_functions, pydantic"])
    model = middle(spent["import azure.durable_functions and declare a model"])
    for name, figures in spent.items():
        cpu = middle(figures)
        table.add_row(name, f"{middle(times[name]):.0f}", f"{cpu:.0f}", ratio(cpu, libraries), ratio(cpu, model))
    console.print(table)
    console.print(_costliest(environment))


def _cpu_seconds() -> float:
    """Of all processes that have ended here."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime


def _costliest(environment: dict[str, str]) -> object:
    """The packages that take longest to import, with all that they import themselves."""
    traced = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", "import function_app"],
        cwd=ROOT, env=environment, check=True, capture_output=True, text=True,
    ).stderr  # fmt: skip
    table = comparison("What it imports", ("module", "own ms", "with its imports, ms"))
    rows = [
        (match[3], int(match[1]) / 1000, int(match[2]) / 1000)
        for match in re.finditer(r"import time:\s+(\d+) \|\s+(\d+) \|\s+(\S+)", traced)
    ]
    for name, own, total in sorted(rows, key=lambda row: -row[2])[:SHOWN]:
        table.add_row(name, f"{own:.1f}", f"{total:.1f}")
    return table
