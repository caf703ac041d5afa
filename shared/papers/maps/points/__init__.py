"""The points of a map as immutable files: what they hold, their bytes, and their reading."""
