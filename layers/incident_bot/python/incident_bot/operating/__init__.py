"""What the operator API does: its documents, what it reads together for people, and the orders it takes from them."""
