"""Write an orchestration's history from a local task hub as a file for tests/replay.

    python -m tools.record_history .local/host/manifold.db diamonds-nivoda > tests/replay/histories/diamond_run.json

The host must be stopped: it keeps the hub to itself. Look the file through before you commit it: it holds the inputs.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hub", type=Path)
    parser.add_argument("instance")
    options = parser.parse_args()
    if not options.hub.exists():
        parser.error(f"{options.hub} does not exist")
    with sqlite3.connect(f"file:{options.hub}?mode=ro", uri=True) as hub:
        found = hub.execute("SELECT name, input, parent_id FROM instances WHERE id = ?", (options.instance,)).fetchone()
        if found is None:
            known = [row[0] for row in hub.execute("SELECT id FROM instances ORDER BY id")]
            parser.error(f"there is no instance {options.instance}; there are: {', '.join(known)}")
        events = hub.execute(
            "SELECT event FROM history WHERE instance_id = ? ORDER BY position", (options.instance,)
        ).fetchall()
    name, given, parent = found
    json.dump(
        {
            "name": name,
            "instanceId": options.instance,
            "parentInstanceId": parent,
            "input": json.loads(given) if given else None,
            "history": [json.loads(event) for (event,) in events],
        },
        sys.stdout,
        indent=1,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
