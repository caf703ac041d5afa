"""The query language of Azure Cosmos DB for NoSQL: `parser` reads it, `run` answers it over JSON documents.

Own code, because no library fits: the general SQL parsers (sqlglot and its like) know no dialect with SELECT VALUE,
undefined, `JOIN x IN c.list`, `??` or JSON constructors, and would have to be taught most of this grammar.
Rules: "Query language reference" in the documentation of Azure Cosmos DB for NoSQL.
"""
