"""The steps of a release: one module per state of the state machines, each a plain function.

A step takes the world as ports and the time as a clock; nothing is created here. Every step may run twice, late, or
die after any line: it first looks at what the records say, and each write is conditional.
"""
