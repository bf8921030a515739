"""Door 3: the conversation with the official account."""
