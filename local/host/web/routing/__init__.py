"""Which functions a URL reaches: route templates, their constraints, and the table of them."""
