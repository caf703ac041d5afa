"""From the archive of a source to the image of an app."""
