"""What grading costs, measured beside the least it could cost."""
