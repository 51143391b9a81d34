"""Whom something is for, and what is told about it: ids, rooms, targets, descriptions, outcomes.

Values only: nothing here has a state that changes, or knows of a loop, a transport or a layer.
"""
