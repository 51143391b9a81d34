"""What a unit of work costs, here and elsewhere: ``python -m benchmarks --help``."""
