"""A stand-in for Azure Cosmos DB for NoSQL over HTTP, in front of SQLite, for the azure-cosmos SDK as it is.

`python -m local.cosmos --port 8081 --data DIR` starts it. It behaves as a serverless account of one region with session
consistency, has one physical partition, and refuses what Azure refuses. The modules: `app` and `account` (the HTTP
interface), `signature` (who may), `store` (databases and containers), `items` (documents), `patch`, `batch`, `feeds`
(pages, queries, changes), `sql` (the query language).
"""
