"""What a person does with the map: which points match a filter, what a point is, where a paper lies, a selection."""
