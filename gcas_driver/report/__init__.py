"""The report of a case: one self-contained HTML page with tables, maps and series."""
