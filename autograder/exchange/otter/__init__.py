"""An assignment made for otter-grader, graded as it is."""
