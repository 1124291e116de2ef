"""What was handed in and graded, what people decided about it, and which scores follow."""
