"""Commands of builds and of apps: within limits, with their output in a file that shows no secret."""
