"""Application Auto Scaling: targets, policies and scheduled actions, kept and checked; nothing scales by itself here.

``api`` answers the calls, ``resources`` makes those of stacks, ``targets`` and ``policies`` are the records.
"""
