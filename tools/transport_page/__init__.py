"""The page of the transport tests: what is run, the figures, the tables."""
