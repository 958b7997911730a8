"""Damaged files of every format, and an oracle that knows what may come of them.

A fault damages a file and says what is allowed then; `oracle` compares what the reader gave with what it gave for the whole file.
Neither looks at any reader's code. `fuzz.runner` runs faults over specimens, also as a command: ``python -m fuzz.runner NAME…``.
"""
