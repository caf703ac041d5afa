"""dlt taking the same file of records into PostgreSQL by upsert, in an environment of its own."""

import json
import sys
import time
from pathlib import Path

import dlt


def main() -> None:
    path, dsn = sys.argv[1:]

    @dlt.resource(
        name="papers",
        primary_key="id",
        write_disposition={"disposition": "merge", "strategy": "upsert"},
        max_table_nesting=0,
    )
    def papers():
        with Path(path).open(encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)

    began = time.perf_counter()
    pipeline = dlt.pipeline(
        "bench_papers", destination=dlt.destinations.postgres(dsn), dataset_name="dlt_bench", dev_mode=True
    )
    pipeline.run(papers())
    print(json.dumps({"seconds": time.perf_counter() - began}))


main()
