"""From submissions and a suite to records: put the questions, name the mistakes, keep the score."""
