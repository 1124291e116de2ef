"""A course kept in nbgrader, graded as it is."""
