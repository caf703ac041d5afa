"""What Cosmos DB keeps of deployments and projects, how it may change, and how long it is kept."""
