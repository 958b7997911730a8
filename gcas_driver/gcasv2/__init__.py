"""From a GCASv2 installation to GCAS: its namelist is read, its directories are looked at, a namelist of GCAS is written."""
