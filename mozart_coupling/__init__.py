"""The transport model seen through its files."""
