"""Each benchmark runs us and a peer in one call and prints the ratio, with medians."""
