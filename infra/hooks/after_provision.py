"""Run by azd after it provisioned: the database's schema, then the images that apps are built on.

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
    # First what needs the environment whole: the migrations leave of it what concerns the database alone.
    import_images.main()
    prepare_database.main()


if __name__ == "__main__":
    main()
