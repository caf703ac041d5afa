"""A real, headless browser for tests of pages: the one that `make setup` unpacks, so nothing is installed by root."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from playwright.async_api import Page, async_playwright

FOLDER = Path(__file__).parents[1] / ".tools" / "chromium"
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
    *, width: int = 1280, height: int = 900, dark: bool = False, expects: str | None = None
) -> AsyncGenerator[Page]:
    """A page of a browser without a past. What it logs as an error fails the test, but for what `expects` names.

    Raises:
        FileNotFoundError: the browser was not unpacked.
        AssertionError: the page reported errors.
    """
    if not (FOLDER / "chromium").exists():
        raise FileNotFoundError(f"There is no browser in {FOLDER}: run `make setup`.")
    libraries = os.pathsep.join(filter(None, [str(FOLDER / "lib"), os.environ.get("LD_LIBRARY_PATH")]))
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=FOLDER / "chromium", args=FLAGS, env={**os.environ, "LD_LIBRARY_PATH": libraries}
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
