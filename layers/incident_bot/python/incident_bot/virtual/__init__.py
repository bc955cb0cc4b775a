"""A world in memory on a virtual clock: real handlers and state machines run over it, without AWS and without waiting."""
