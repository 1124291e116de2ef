"""What nbgrader's and otter's tests have in common: they run in a student's notebook."""
