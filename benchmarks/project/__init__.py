"""The Django project that the benchmarks serve."""
