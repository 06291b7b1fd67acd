"""Fixtures of the tests of every workload type."""
