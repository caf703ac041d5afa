"""The map: versions of it, how one is fitted and drawn, and how papers that come later find their place."""
