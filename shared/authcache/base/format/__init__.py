"""How rows and their indexes stand in the files of a segment."""
