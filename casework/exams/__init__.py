"""Driving tests: plans, places and lines, a student's record, results."""
