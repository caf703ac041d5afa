"""Import an app's code and find its function app object, as the Python worker does; forget it again for a reload."""

import contextlib
import importlib
import re
import sys
import traceback
from collections.abc import Mapping, MutableSequence, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType

from azure.functions.decorators.function_app import AsgiFunctionApp, FunctionRegister

from local.host.core.logs import host_log
from local.host.worker import hooks
from local.host.worker.converters import forget_streaming
from local.host.worker.failures import app_stack

_SCRIPT = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_\-]*\.py\Z")
_HOSTS_PACKAGE = __name__.partition(".")[0]
_HOSTS_FOLDER = Path(__file__).parents[2]
_PROJECT = _HOSTS_FOLDER.parent
_NOT_ITS_CODE = {"site-packages", "dist-packages", ".python_packages", ".venv", "venv", "node_modules"}
# Beside an installed host lie other installed packages; beside the one of a repository, packages that no app knows.
_IS_INSTALLED = not _NOT_ITS_CODE.isdisjoint(_PROJECT.parts)


class AppNotLoaded(Exception):
    """No function of the app can be used. The message names the error and the stack, as the worker reports it."""

    def __init__(self, error: BaseException) -> None:
        kind, text = type(error).__name__, str(error)
        super().__init__(f"{kind}: {text}")
        # What a SyntaxError points at stands below the stack.
        self.stack = f"{app_stack(error)}\n{''.join(traceback.format_exception_only(error))}".strip()


class _AppsFolders(MetaPathFinder):
    """Finds an app's folders without an `__init__.py`, which the packages of this project would hide.

    Python prefers a package anywhere on the path to such a folder. What is installed stays preferred.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if path is not None or not (self._folder / fullname).is_dir():
            return None
        return PathFinder.find_spec(fullname, [one for one in sys.path if Path(one).resolve() != _PROJECT], target)


class AppCode:
    """The code of one app folder in this process: loaded, and taken out again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.app: FunctionRegister | None = None
        self._there_before = set(sys.modules)
        self._displaced: dict[str, ModuleType] = {}
        self._paths: list[str] = []
        self._finder = _AppsFolders(folder)
        self._package_path: MutableSequence[str] | None = None

    def load(self, environment: Mapping[str, str]) -> FunctionRegister:
        """The one FunctionApp, DFApp, AsgiFunctionApp or WsgiFunctionApp of the app's script. Raises AppNotLoaded."""
        script = environment.get("PYTHON_SCRIPT_FILE_NAME") or "function_app.py"
        if not _SCRIPT.match(script):
            raise AppNotLoaded(ValueError(f"Invalid file name: {script} (PYTHON_SCRIPT_FILE_NAME takes no folder)"))
        if not (self.folder / script).is_file():
            raise AppNotLoaded(FileNotFoundError(f"There is no {script} in {self.folder}.{self._hint()}"))
        for path in (self.folder / ".python_packages" / "lib" / "site-packages", self.folder):
            if path.is_dir() and str(path) not in self._paths:
                sys.path.insert(0, str(path))
                self._paths.append(str(path))
        if not _IS_INSTALLED and self.folder.resolve() != _PROJECT and self._finder not in sys.meta_path:
            sys.meta_path.insert(0, self._finder)
        importlib.invalidate_caches()
        self._displace(script)
        self._share_package()
        try:
            module = importlib.import_module(script.removesuffix(".py"))
            self.app = _only_app(module, script)
        except ModuleNotFoundError as error:
            raise AppNotLoaded(
                ModuleNotFoundError(
                    f"{error}. Cannot find module. Please check the requirements.txt file for the missing module "
                    f"and install it into the environment of this host: {sys.executable} -m pip install "
                    f"{self._requirements()}"
                ).with_traceback(error.__traceback__)
            ) from error
        except (Exception, SystemExit) as error:
            raise AppNotLoaded(error) from error
        return self.app

    async def unload(self) -> None:
        """Run the ASGI shutdown, if there is one, and forget every module that came from the app's folder."""
        app, self.app = self.app, None
        if isinstance(app, AsgiFunctionApp) and app.startup_task_done:
            app.startup_task_done = False
            await app.middleware.notify_shutdown()
        for name, module in list(sys.modules.items()):
            if (name not in self._there_before or name in self._displaced) and self._holds(name, module):
                del sys.modules[name]
        forget_streaming()
        hooks.forget()
        sys.modules.update(self._displaced)
        self._displaced.clear()
        for path in self._paths:
            with contextlib.suppress(ValueError):
                sys.path.remove(path)
        self._paths.clear()
        if self._finder in sys.meta_path:
            sys.meta_path.remove(self._finder)
        if self._package_path is not None:
            sys.modules[_HOSTS_PACKAGE].__path__ = self._package_path
            self._package_path = None

    def _share_package(self) -> None:
        """Let an app have a package of the name of this host's: its modules are found beside the host's own."""
        folder, package = self.folder / _HOSTS_PACKAGE, sys.modules[_HOSTS_PACKAGE]
        if not folder.is_dir() or folder.resolve() == _HOSTS_FOLDER.resolve() or self._package_path is not None:
            return
        # Kept as it is and put back: of an installed host it is no list, but follows sys.path.
        self._package_path = package.__path__
        package.__path__ = [*package.__path__, str(folder)]
        start = folder / "__init__.py"
        if start.is_file() and start.read_bytes().strip():
            host_log.warning(
                "%s is not run: this host is part of a package of that name itself. Modules beside it are found; "
                "move what it holds into one of them.",
                start,
            )

    def _displace(self, script: str) -> None:
        """Set aside modules of the same names of other apps, as a test process may hold them, and an older script.

        What is part of Python or installed stays, as it does in the Python worker, which has loaded much of it before.
        """
        own = {path.stem for path in self.folder.glob("*.py")} | {path.name for path in self.folder.glob("*/")}
        own -= {_HOSTS_PACKAGE, *sys.stdlib_module_names}
        for name, module in list(sys.modules.items()):
            if name.partition(".")[0] in own and name in self._there_before:
                path = Path(getattr(module, "__file__", None) or "")
                installed = _NOT_ITS_CODE.intersection(path.parts)
                elsewhere = not path.is_relative_to(self.folder) and not installed
                if elsewhere or name == script.removesuffix(".py"):
                    self._displaced[name] = sys.modules.pop(name)

    def _holds(self, name: str, module: ModuleType) -> bool:
        """Whether a module is the app's own: under its folder, in no environment there, and not this host."""
        # A folder without an `__init__.py` has no file.
        file = getattr(module, "__file__", None) or next(iter(getattr(module, "__path__", ())), None)
        if not isinstance(file, str) or name == _HOSTS_PACKAGE:
            return False
        path = Path(file)
        if not path.is_relative_to(self.folder) or path.is_relative_to(_HOSTS_FOLDER):
            return False
        return not _NOT_ITS_CODE.intersection(path.relative_to(self.folder).parts)

    def _requirements(self) -> str:
        listed = self.folder / "requirements.txt"
        return f"-r {listed}" if listed.is_file() else "<its package>"

    def _hint(self) -> str:
        old_model = sorted(path.parent.name for path in self.folder.glob("*/function.json"))
        if not old_model:
            return ""
        return f" function.json files were found ({', '.join(old_model)}): only the v2 model runs here."


def _only_app(module: ModuleType, script: str) -> FunctionRegister:
    found = [value for value in vars(module).values() if isinstance(value, FunctionRegister)]
    if not found:
        raise ValueError(f"Could not find top level function app instances in {script}.")
    if len(found) > 1:
        kind = type(found[0]).__name__
        raise ValueError(f"More than one {kind} or other top level function app instances are defined.")
    return found[0]
