"""A world in memory on a virtual clock: real handlers and machines run over it without AWS and without waiting."""
