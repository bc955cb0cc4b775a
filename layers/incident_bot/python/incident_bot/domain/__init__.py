"""The decisions of Incident Bot: pure functions over frozen dataclasses; the standard library is all they know."""
