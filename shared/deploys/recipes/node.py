"""Sources with a package.json: their package manager, their build, and whether what they build is a site of files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.deploys.recipes.files import read_json, read_text, table
from shared.deploys.recipes.sites import built_site

Words = tuple[str, ...]
PNPM, YARN, BERRY, BUN = "pnpm@9.15.9", "yarn@1.22.22", "@yarnpkg/cli-dist@4.12.0", "bun@1.3.3"
_NODE_MODULES: Final = ("env", "YARN_NODE_LINKER=node-modules", "YARN_IMMUTABLE_PATTERNS=none")
"""Or Yarn 2 and newer keep packages where Node finds them through Yarn alone, and refuse to change what is so kept."""
MANAGERS: Final = frozenset({"yarn", "pnpm", "bun"})
BUN_LOCKS: Final = ("bun.lock", "bun.lockb")
_MANAGER: Final = re.compile(r"(npm|pnpm|yarn|bun)@(\d[0-9A-Za-z.-]*)")
_SERVERS: Final = ("server.js", "app.js", "index.js")


@dataclass(frozen=True, slots=True)
class NodeApp:
    """What a package.json asks for.

    Attributes:
        site: the folder of the site that the build leaves; None: it is an app that is started.
    """

    install: tuple[Words, ...]
    build: tuple[Words, ...]
    start: Words
    site: str | None


def node_app(source: Path) -> NodeApp:
    """What the package.json at the root of the source asks for."""
    package = read_json(source / "package.json")
    scripts = table(package, "scripts")
    install, run = _manager(source, package)
    build = ((*run, "build"),) if "build" in scripts else ()
    site = built_site(source, package) if build else None
    start = () if site else _start(source, package, scripts)
    return NodeApp((install,), build, start, site)


def with_tools(source: Path, words: Words, *, starts: bool) -> Words:
    """A command of the deployment's own, without programs that no image has: yarn, pnpm and bun come by npx.

    What `starts` the app is run by npm where it is a script, since npx would fetch the program at each start.
    """
    at = _program_at(words)
    if words[at : at + 1] and words[at] in MANAGERS:
        package = read_json(source / "package.json")
        rest = words[at + 1 :]
        name = rest[1:] if rest[:1] == ("run",) else rest
        if starts and name and name[0] in table(package, "scripts"):
            return (*words[:at], "npm", "run", name[0], *(("--", *name[1:]) if name[1:] else ()))
        return (*words[:at], *_tool(source, package, words[at]), *rest)
    return words


def _program_at(words: Words) -> int:
    """Where the program stands after the variables that `env` sets for it."""
    at = 1 if words[:1] == ("env",) else 0
    while at and at < len(words) and "=" in words[at]:
        at += 1
    return at


def _tool(source: Path, package: dict[str, Any], name: str) -> Words:
    """The words that run a package manager, in the version that is declared."""
    named = _MANAGER.match(str(package.get("packageManager") or ""))
    version = named.group(2) if named and named.group(1) == name else None
    if name == "yarn" and ((version or "1").split(".")[0] != "1" or "__metadata" in read_text(source / "yarn.lock")):
        return (*_NODE_MODULES, "npx", "--yes", f"@yarnpkg/cli-dist@{version}" if version else BERRY)
    return ("npx", "--yes", f"{name}@{version}" if version else {"pnpm": PNPM, "yarn": YARN, "bun": BUN}[name])


def _manager(source: Path, package: dict[str, Any]) -> tuple[Words, Words]:
    """The words that install, development's packages included as builds need them, and those that run a script."""
    named = _MANAGER.match(str(package.get("packageManager") or ""))
    name = named.group(1) if named else None
    if name == "pnpm" or (name is None and (source / "pnpm-lock.yaml").is_file()):
        tool = _tool(source, package, "pnpm")
        frozen = ("--frozen-lockfile",) if (source / "pnpm-lock.yaml").is_file() else ()
        return (*tool, "install", "--prod=false", *frozen), (*tool, "run")
    if name == "yarn" or (name is None and (source / "yarn.lock").is_file()):
        tool = _tool(source, package, "yarn")
        kept = ("--immutable",) if "cli-dist" in tool[-1] else ("--production=false", "--frozen-lockfile")
        return (*tool, "install", *kept), (*tool, "run")
    if name == "bun" or (name is None and any((source / lock).is_file() for lock in BUN_LOCKS)):
        tool = _tool(source, package, "bun")
        frozen = ("--frozen-lockfile",) if any((source / lock).is_file() for lock in BUN_LOCKS) else ()
        return (*tool, "install", *frozen), (*tool, "run")
    locked = any((source / lock).is_file() for lock in ("package-lock.json", "npm-shrinkwrap.json"))
    return ("npm", "ci" if locked else "install", "--include=dev"), ("npm", "run")


def _start(source: Path, package: dict[str, Any], scripts: dict[str, Any]) -> Words:
    if "start" in scripts:
        return ("npm", "start")  # which every image of Node has: others would be fetched at each start of the app
    main = str(package.get("main") or "").removeprefix("./")
    program = next(
        (name for name in (main, *_SERVERS) if name and ".." not in name and (source / name).is_file()), None
    )
    return ("node", program) if program else ()
