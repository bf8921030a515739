"""Keys changed under a house that goes on working."""
