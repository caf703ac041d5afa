"""Import an app's code and find its function app object, as the Python worker does; forget it again for a reload."""

import importlib
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

from azure.functions.decorators.function_app import AsgiFunctionApp, FunctionRegister

_NOT_ITS_CODE = {"site-packages", "dist-packages", ".python_packages", ".venv", "venv", "node_modules"}


class AppNotLoaded(Exception):
    """No function of the app can be used. The message names the error and the stack, as the worker reports it."""

    def __init__(self, error: BaseException) -> None:
        kind, text = type(error).__name__, str(error)
        super().__init__(f"{kind}: {text}")
        self.stack = "".join(traceback.format_exception(error)).rstrip()


def load_app(folder: Path, environment: Mapping[str, str]) -> FunctionRegister:
    """The one FunctionApp, DFApp, AsgiFunctionApp or WsgiFunctionApp of the app's script. Raises AppNotLoaded."""
    script = environment.get("PYTHON_SCRIPT_FILE_NAME") or "function_app.py"
    if not (folder / script).is_file():
        old_model = sorted(path.parent.name for path in folder.glob("*/function.json"))
        hint = (
            f" function.json files were found ({', '.join(old_model)}): only the v2 model runs here."
            if old_model
            else ""
        )
        raise AppNotLoaded(FileNotFoundError(f"There is no {script} in {folder}.{hint}"))
    for path in (folder / ".python_packages" / "lib" / "site-packages", folder):
        if str(path) not in sys.path and path.is_dir():
            sys.path.insert(0, str(path))
    importlib.invalidate_caches()
    try:
        module = importlib.import_module(script.removesuffix(".py").replace("/", "."))
        return _only_app(module, script)
    except ModuleNotFoundError as error:
        raise AppNotLoaded(
            ModuleNotFoundError(
                f"{error}. Cannot find module. Please check the requirements.txt file for the missing module: "
                f"install it into the environment that runs this host ({sys.prefix})."
            ).with_traceback(error.__traceback__)
        ) from error
    except (Exception, SystemExit) as error:
        raise AppNotLoaded(error) from error


async def unload_app(app: FunctionRegister | None, folder: Path) -> None:
    """Run the ASGI shutdown, if there is one, and forget every module that came from the app's folder."""
    if isinstance(app, AsgiFunctionApp) and app.startup_task_done:
        app.startup_task_done = False
        await app.middleware.notify_shutdown()
    for name, module in list(sys.modules.items()):
        if belongs_to(module, folder):
            del sys.modules[name]


def belongs_to(module: ModuleType, folder: Path) -> bool:
    """Whether a module is the app's own code: under its folder, but not in an environment that lies there."""
    file = getattr(module, "__file__", None)
    if not isinstance(file, str):
        return False
    path = Path(file)
    if not path.is_relative_to(folder):
        return False
    return not _NOT_ITS_CODE.intersection(path.relative_to(folder).parts)


def _only_app(module: ModuleType, script: str) -> FunctionRegister:
    found = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    if not found:
        raise ValueError(f"Could not find top level function app instances in {script}.")
    if len(found) > 1:
        kind = type(found[0]).__name__
        raise ValueError(f"More than one {kind} or other top level function app instances are defined.")
    return found[0]
