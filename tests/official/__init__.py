"""The official account's callback."""
