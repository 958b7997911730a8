"""The embedded transport model: reads the same namelist as MOZART-4, writes the same files."""
