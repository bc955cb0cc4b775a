"""The product's state in the store: one module per kind of item, each the only one that knows its item's shape."""
