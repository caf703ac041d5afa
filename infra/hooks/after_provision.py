"""Run by azd after it provisioned: the database's schema, then the images that apps are built on.

Without the schema nothing works. Without the images only deployments wait, so a refusal of Docker Hub ends nothing.

azd runs it after a preview as well, which made nothing: PREVIEW=true leaves everything as it is.
"""

from __future__ import annotations

import os
import sys

from infra.hooks import import_images, prepare_database


def main() -> None:
    if os.environ.get("PREVIEW") == "true":
        sys.stderr.write("Nothing is prepared after a preview.\n")
        return
    environment = dict(os.environ)
    prepare_database.main()
    os.environ.update(environment)  # the migrations leave of it what concerns the database alone
    try:
        import_images.main()
    except SystemExit as refused:
        sys.stderr.write(f"{refused}\n")


if __name__ == "__main__":
    main()
