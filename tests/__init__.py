"""Tests against real engines, real sockets and real processes."""
