"""What Slack speaks to: checks who speaks, opens a dialog in time, queues the rest, and answers in milliseconds.

Standard library only, so that a cold start stays far below the three seconds after which Slack gives up.
"""
