"""The way in: from a request or a queue's record to observations, and from a batch of those to one transaction."""
