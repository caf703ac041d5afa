"""dlt loading the supplier's diamonds into PostgreSQL, as its documentation shows, in an environment of its own."""

import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import dlt
import requests

QUERY = """
query($offset: Int) { diamonds_by_query(query: {}, offset: $offset, limit: 50, order: {type: none, direction: ASC}) {
  items { id price discount markup_price diamond { id availability HoldId supplierStockId image video eyeClean brown
    green milky supplier { name } certificate { lab certNumber shape carats color clarity cut polish symmetry floInt
    floCol length width depth depthPercentage table labgrown } } } } }
"""
COUNT = "{ diamonds_by_query_count(query: {}) }"
LOGIN = '{ authenticate { username_and_password(username: "manifold", password: "manifold") { token } } }'
PAGES_AT_ONCE = 30


def main() -> None:
    endpoint, dsn = sys.argv[1:]
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=PAGES_AT_ONCE))

    def ask(query: str, variables: dict | None = None) -> dict:
        answer = session.post(endpoint, json={"query": query, "variables": variables or {}}, timeout=60)
        answer.raise_for_status()
        return answer.json()["data"]

    session.headers["Authorization"] = f"Bearer {ask(LOGIN)['authenticate']['username_and_password']['token']}"

    @dlt.resource(name="diamonds", write_disposition="replace", max_table_nesting=0)
    def diamonds():
        total = ask(COUNT)["diamonds_by_query_count"]
        with ThreadPoolExecutor(PAGES_AT_ONCE) as pool:
            pages = pool.map(lambda offset: ask(QUERY, {"offset": offset}), range(0, total, 50))
            for page in pages:
                yield page["diamonds_by_query"]["items"]

    began = time.perf_counter()
    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.postgres(dsn), dataset_name="dlt_bench", dev_mode=True
    )
    pipeline.run(diamonds())
    print(json.dumps({"seconds": time.perf_counter() - began}))


main()
