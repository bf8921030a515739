"""What the outside reports back: SMS receipts, later payment results."""
