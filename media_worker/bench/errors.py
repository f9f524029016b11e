"""What a person can mend before a benchmark runs."""


class BenchError(Exception):
    """Its message says what is missing, and what to do."""
