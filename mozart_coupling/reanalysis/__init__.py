"""Reanalyses as users download them → met files of the contract: ERA5, ERA-Interim, GEOS (MERRA-2, GEOS-FP).

`files` opens, `parts` reads one record in one orientation, `names` knows what the fields are called, `timing` makes means of
accumulations, `columns` and `vertical` put a record on the model's grid and levels, `convert` writes the days.
"""
