"""`make bench`: run the benchmarks, or those named: `python -m bench [--quick] [coldstart diamonds.run ...]`."""

from __future__ import annotations

import argparse
import importlib
import sys

from bench.report import console, machine

BENCHMARKS = {
    "coldstart": "milliseconds of `import function_app`, beside the libraries it must import",
    "diamonds.run": "the diamond run end to end, beside dlt and a plain binary COPY",
    "diamonds.consolidation": "consolidation and re-pricing of 500,000 diamonds, beside a row-by-row worker",
    "diamonds.missing": "marking what a feed no longer offers, with stale statistics, beside the planner left alone",
    "diamonds.search": "latency of the diamonds' search at 500,000 diamonds",
    "bill": "the monthly bill of the nightly run on Flex, beside the containers it replaces",
    "deploys": "deployments: first step, overhead over the bare build, many at once, status reads, the bill",
    "authcache.reads": "share checks, log-ins, cold instances, folds; beside dicts, DuckDB and PostgreSQL",
    "authcache.writes": "durable registrations on three hosts, beside pyiceberg's upsert",
    "local_host.orchestrations": "the local host's orchestrations, beside DBOS and Microsoft's recorded figures",
    "local_host.http_triggers": "HTTP requests/s of the local host, beside bare Starlette",
    "followups.kills": "mails handed over twice and lost under kill -9, beside APScheduler and procrastinate",
    "papers.maps": "a map fitted, all papers placed, its files; how far papers move; pgvector asked one by one",
    "papers.ingest": "taking papers in, from JSON lines to the table, beside a plain binary COPY and dlt",
    "papers.embedding": "a million abstracts embedded and stored, beside the model alone",
    "papers.map": "the map page at a million points: pictures and frames, beside deck.gl and regl-scatterplot",
    "papers.search": "the nearest papers under filters: recall and latency, beside the common ways",
    "backups": "a database of papers backed up and restored at two sizes; a restore of 17.9 million, extrapolated",
    "authcache.accounts": "a profile over HTTP, and a log-in beside the hash that it computes",
    "papers.bits": "vectors of 1,536 numbers: an index of bits with re-ranking, projected to a million",
    "papers.bill": "the monthly bill of 1 and of 10 million papers, beside the replaced system's documents",
    "followups.bill": "the monthly bill of the follow-ups of 10,000 clients, beside a replica that never stops",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="; ".join(f"{n}: {t}" for n, t in BENCHMARKS.items()))
    parser.add_argument("--quick", action="store_true", help="smaller sizes and fewer repetitions")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"there is no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    console.print(f"Machine: {machine()}")
    for name in options.names or BENCHMARKS:
        console.rule(f"{name}: {BENCHMARKS[name]}")
        importlib.import_module(f"bench.{name}").main(quick=options.quick)
    return 0


if __name__ == "__main__":
    sys.exit(main())
