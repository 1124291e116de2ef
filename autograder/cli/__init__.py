"""The command `autograder`: a thin face over the library."""
