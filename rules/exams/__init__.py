"""Driving tests (驾驶人考试): plans, a student's record, bookings."""
