"""A package, so that ``tests/stacks`` or ``tests/slack_app`` never stand in front of what they test."""
