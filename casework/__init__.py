"""What can be done: one function a verb, the same for every door."""
