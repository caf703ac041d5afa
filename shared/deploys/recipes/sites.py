"""Sites of files that tools of Node build: which tool builds a source, and where it leaves the site."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from shared.deploys.recipes.files import read_json, read_text, table

_OUT_DIR: Final = re.compile(r"""outDir\s*:\s*["']([A-Za-z0-9._/-]+)["']""")
_FOLDER: Final = re.compile(r"[A-Za-z0-9_@-][A-Za-z0-9._@-]*(/[A-Za-z0-9_@-][A-Za-z0-9._@-]*)*")
_DEVELOPMENT: Final = re.compile(
    r"\b(react-scripts start|vue-cli-service serve|vite( dev| serve| preview)?\b|parcel|astro (dev|start|preview)\b"
    r"|docusaurus (start|serve)\b|eleventy\b|gatsby (develop|start|serve)\b|ng (serve|s)\b)"
)
"""What tools start: servers for development, or for a look at what was built."""
_SCRIPT: Final = re.compile(r"(?:npm run|yarn(?: run)?|pnpm(?: run)?|bun run) ([\w:-]+)")
_SERVED: Final = frozenset(
    {
        "@angular/ssr",
        *(f"@astrojs/{name}" for name in ("node", "cloudflare", "netlify", "vercel")),
        *(f"@sveltejs/adapter-{name}" for name in ("auto", "node", "cloudflare", "netlify", "vercel")),
    }
)
"""By these a tool builds a server instead."""


@dataclass(frozen=True, slots=True)
class _Tool:
    """The package that a tool is in, the program that its build runs, and where the site is then."""

    package: str
    program: str
    folder: str
    configured: Callable[[Path], str | None] = lambda _: None


def built_site(source: Path, package: dict[str, Any]) -> str | None:
    """The folder of the site that the script `build` leaves; None: there is none, or what it builds is a server."""
    scripts = table(package, "scripts")
    packages = {**table(package, "dependencies"), **table(package, "devDependencies")}
    start, build = str(scripts.get("start") or ""), str(scripts.get("build") or "")
    if another := _SCRIPT.fullmatch(start):
        start = str(scripts.get(another.group(1)) or "")
    if (start and not _DEVELOPMENT.search(start)) or _SERVED & packages.keys():
        return None
    for tool in _TOOLS:
        if tool.package in packages and re.search(rf"\b{tool.program}\b", build):
            return tool.configured(source) or tool.folder
    return None


def _vite(source: Path) -> str | None:
    """Where the configuration of Vite says that the site goes, if that is inside the source."""
    for name in ("vite.config.ts", "vite.config.js", "vite.config.mjs", "vite.config.mts"):
        if match := _OUT_DIR.search(read_text(source / name)):
            return _inside(match.group(1))
    return None


def _angular(source: Path) -> str | None:
    """Where angular.json says that the site of its first project goes; newer builders put it into `browser`."""
    projects = table(read_json(source / "angular.json"), "projects")
    for name in projects:
        build = table(table(table(projects, name), "architect"), "build")
        options = table(build, "options")
        named = table(options, "outputPath")
        base = named.get("base") or (options.get("outputPath") if not named else None) or f"dist/{name}"
        usual = "browser" if str(build.get("builder")).endswith(":application") else ""
        return _inside(f"{base}/{named.get('browser', usual)}")
    return None


def _inside(folder: str) -> str | None:
    path = folder.removeprefix("./").strip("/")
    return path if _FOLDER.fullmatch(path) else None


_TOOLS: Final = (
    _Tool("react-scripts", "react-scripts", "build"),
    _Tool("@vue/cli-service", "vue-cli-service", "dist"),
    _Tool("@sveltejs/adapter-static", "vite", "build"),
    _Tool("vite", "vite", "dist", _vite),
    _Tool("parcel", "parcel", "dist"),
    _Tool("astro", "astro", "dist"),
    _Tool("@docusaurus/core", "docusaurus", "build"),
    _Tool("@11ty/eleventy", "eleventy", "_site"),
    _Tool("gatsby", "gatsby", "public"),
    _Tool("@angular/cli", "ng", "dist", _angular),
)
