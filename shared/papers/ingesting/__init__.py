"""From a file to the papers' table: cut, staged, judged, merged."""
