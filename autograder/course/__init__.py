"""What is a course? `course.toml`, its assignments, its key and its references."""
