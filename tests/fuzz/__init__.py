"""Fuzzing: random input, guided by what code it reaches (atheris, that is libFuzzer).

``make fuzz`` runs all targets, ``python -m tests.fuzz decoder --runs 1000000`` one. A target fails
with any exception that is not the answer to bad input, a hang of seconds, or memory that grows.
"""
