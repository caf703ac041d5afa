"""Where papers lie: pure functions of arrays, which know no database and no storage. Loaded in the activities alone."""
