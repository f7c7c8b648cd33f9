"""KEEP: a customer's files, told apart by their content, without where they were taken."""
