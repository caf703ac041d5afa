"""One side effect each of a deployment; every one may be delivered twice and changes nothing the second time."""
