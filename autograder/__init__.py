"""Compile a lecturer's reference into a hidden test suite and grade notebooks by it, in a jail."""

__version__ = "0.1.0"
