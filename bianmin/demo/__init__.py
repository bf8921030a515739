"""``make demo``: the whole story, hands-free, against freshly started real processes."""
