"""A real, headless browser for tests of pages.

On Linux on x86-64 it is the one that `make setup` unpacks, so that nothing is installed by root; no package brings one
for other machines, where the machine's own Chromium or Chrome is taken.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright

from local.node import node

FOLDER = Path(__file__).parents[1] / ".tools" / "chromium"
INSTALLED = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--headless=shell",
    "--no-sandbox",  # its sandbox refuses to run as root; it sees our own pages only
    "--single-process",
    "--no-zygote",
    "--disable-gpu",
    "--in-process-gpu",
]


@asynccontextmanager
async def browser_page(
    *,
    width: int = 1280,
    height: int = 900,
    dark: bool = False,
    expects: str | None = None,
    flags: Sequence[str] = (),
) -> AsyncGenerator[Page]:
    """A page of a browser without a past. What it logs as an error fails the test, but for what `expects` names.

    `flags` are further ones of the browser's command line.

    Raises:
        FileNotFoundError: there is no browser.
        AssertionError: the page reported errors.
    """
    # Playwright's own Node needs a library that a bare Debian lacks.
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", node())
    libraries = os.pathsep.join(filter(None, [str(FOLDER / "lib"), os.environ.get("LD_LIBRARY_PATH")]))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=program(), args=[*FLAGS, *flags], env={**os.environ, "LD_LIBRARY_PATH": libraries}
        )
        try:
            page = await browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark" if dark else "light"
            )
            errors: list[str] = []
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
            yield page
            unexpected = [error for error in errors if expects is None or expects not in error]
            assert not unexpected, unexpected
        finally:
            await browser.close()


def program() -> Path:
    """The browser to start.

    Raises:
        FileNotFoundError: there is none; the message says how to get one.
    """
    unpacked = FOLDER / "chromium"
    if unpacked.exists():
        return unpacked
    for name in INSTALLED:
        if found := shutil.which(name):
            return Path(found)
    raise FileNotFoundError(
        f"There is no browser in {FOLDER}, and none is installed: run `make setup`, or install chromium."
    )
