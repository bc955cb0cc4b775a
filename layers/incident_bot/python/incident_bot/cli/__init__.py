"""The operator's command line: a thin client of the operator API, and what works without one. Left out of the layer."""
