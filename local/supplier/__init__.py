"""The diamond supplier on a laptop: Nivoda's GraphQL API over real diamonds, with faults on demand."""
