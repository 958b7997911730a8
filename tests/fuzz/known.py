"""What no reader can see."""

from __future__ import annotations

from fnmatch import fnmatch

from .runner import Failure

INVISIBLE: tuple[tuple[str, str, str], ...] = (
    ("obspack*", "variable * qcflag", "providers' flags are optional in the schema: without them nothing is rejected"),
    ("obspack*", "variable * obs_flag", "the flag of large-scale representativity is optional in the schema"),
    ("initial_contract", "a level less: lev", "a field may have any levels; `gcas check` compares them with the meteorology's"),
    ("obspack*", "units converted in numbers alone: altitude*", "868 m and 0.868 m are both heights that a sample can have"),
    ("obspack_2019", "*global attribute* dataset_data_frequency*", "without the length of the average its start is taken for its middle"),
    ("obspack_2019", "no global attributes", "without the length of the average its start is taken for its middle"),
    ("obspack_*", "* inside: from *", "the HDF5 library does not come back from some damaged files"),
    ("noaa_event_netcdf", "*: value_unc*", "a measurement error that is missing or tiny counts as none, beside the mismatch of some ppm"),
    ("noaa_event_current", "a number that is none: number 12 *", "a missing measurement error counts as none"),
    ("noaa_event_legacy", "a number that is none: number 9 *", "a missing measurement error counts as none"),
    ("csv_by_map", "a number that is none: number 7 *", "a missing measurement error counts as none"),
    ("tccon_ggg2014", "*: prior_date*", "a day without a prior takes that of the nearest day within a month"),
    ("tccon_ggg2014", "other type: time as f4", "days since 1970 in four bytes are minutes off"),
    ("tccon_*", "a level less: *", "kernels and priors may have any number of levels"),
    ("csv_by_map", "columns glued in a line: 8 and 9", "a flag that is none of those accepted rejects its sample"),
    ("gridded_temperature", "variable without attributes: t2m", "whole numbers of a field of any kind can be its values"),
    ("region_polygons", "lines in another order", "corners in another order are another region"),
    ("region_polygons", "lines given twice: all", "corners of other regions after the last corner make another ring"),
    ("region_polygons", "truncated: after a line*", "a list that ends earlier has fewer regions, or a region with fewer corners"),
)
"""(specimens, faults, why): wildcards. The faults leave nothing to see in the file. docs/user/inputs.md tells users of them."""


def expected(failure: Failure) -> bool:
    """Whether a failure is on the list."""
    return any(fnmatch(failure.specimen, specimens) and fnmatch(str(failure.fault), faults) for specimens, faults, _ in INVISIBLE)
