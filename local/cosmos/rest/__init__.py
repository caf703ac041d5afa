"""Cosmos DB's REST interface: requests, signatures, feeds, batches, and the account that answers."""
