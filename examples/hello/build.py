"""The build step: makes public/index.html of the template and of what the environment says."""

import os
from pathlib import Path
from string import Template

HERE = Path(__file__).parent


def main() -> None:
    version = (HERE / "VERSION").read_text(encoding="utf-8").strip()
    greeting = os.environ.get("GREETING", "Hello from Manifold")
    template = Template((HERE / "templates" / "index.html").read_text(encoding="utf-8"))
    public = HERE / "public"
    public.mkdir(exist_ok=True)
    (public / "index.html").write_text(template.substitute(greeting=greeting, version=version), encoding="utf-8")
    print(f"built public/index.html, version {version}")


if __name__ == "__main__":
    main()
