"""Write docs/settings.md from the settings' own names, defaults and descriptions: `python -m tools.settings_page`."""

from __future__ import annotations

from pathlib import Path

from pydantic.fields import FieldInfo

import function_app
from shared.platform.settings import Settings
from shared.platform.workload import workloads

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = """# Settings

Every setting of the app, in alphabetical order. In Azure they are app settings, which `infra/bicep/main.bicep` fills
in, secrets by reference to Key Vault; locally they stand under `Values` in `local.settings.json`, and the example has
all that a laptop needs. One that is missing or unusable stops the start with its name. Made by
`python -m tools.settings_page`.

| setting | default | |
|---|---|---|
"""


def page() -> str:
    """The page as it should be."""
    return HEAD + "".join(_row(name, field) for name, field in sorted(every_setting().items()))


def every_setting() -> dict[str, FieldInfo]:
    """The settings of all workloads by their names in the environment."""
    assert function_app.app, "loading it tells which workloads there are"
    groups: list[type[Settings]] = [workload.settings for workload in workloads() if workload.settings]
    return {field.alias or name.upper(): field for group in groups for name, field in group.model_fields.items()}


def _row(name: str, field: FieldInfo) -> str:
    default = "needed" if field.is_required() else _shown(field.default)
    return f"| `{name}` | {default} | {(field.description or '').replace('|', chr(92) + '|')} |\n"


def _shown(default: object) -> str:
    return "" if default is None or default == "" or not isinstance(default, str | int | float) else f"{default}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
