"""The settings of observation streams: satellites, columns from the ground, samples at places. Part of the table in `definitions.py`."""

from __future__ import annotations

from .satellite_products import PRODUCTS, defaults_text
from .variables import REQUIRED, Group
from .variables import Variable as V

OF_SUPER_OBSERVATIONS = (
    V("error_floor_ppm", "float", 1.0, "Least error of a super-observation.", "ppm", minimum=0),
    V("error_correlation", "float", None, "Error correlation ρ within a super-observation. Default: that of &super_observations.",
      minimum=0, maximum=1),
    V("error_correlation_km", "float", 0.0, "Errors of different super-observations are correlated as exp(-d/L) with this length L; 0: "
      "independent.", "km", minimum=0, maximum=5000),
    V("error_correlation_hours", "float", 0.0, "… and as exp(-|t|/T) with this time T; 0: within an hour (an overpass) time does not "
      "count, beyond it nothing is correlated.", "h", minimum=0, maximum=8760),
    V("near_km", "float", None, "Radius of the near band of this stream's observations. Default: that of &analysis.", "km",
      minimum=0, maximum=20100),
    V("far_km", "float", None, "… of the far band, and of the taper. Default: that of &analysis.", "km", above=0, maximum=20100),
)
"""What every stream, of columns or points, says of its super-observations."""

SATELLITE = Group("satellite", "A stream of column observations; one group for each.", (
    V("product", "str", REQUIRED, "`acos_lite`: ACOS GOSAT Lite files (any Lite file is read); `oco2_lite`, `oco3_lite`; `oco2_mip`: "
      "10-second averages of the OCO-2 or OCO-3 intercomparison; `gcasv2_satellite`: daily files of GCASv2's layout; `mapped`: any "
      "other, by `map`.",
      choices=tuple(PRODUCTS)),
    V("directory", "path", REQUIRED, "Where the files are."),
    V("name", "str", "", "What the stream is called in output. Default: the product."),
    V("map", "str", "", "For `mapped`: the `name` of the &column_map group that describes the files."),
    V("file_pattern", "str", "", "Names of the files, with `{yymmdd}` or `{yyyymmdd}` and `*`; without a day all that match are looked at. "
      "Default: the product's own."),
    V("missing_days", "bool", True, "A day without a file is allowed (and said in the log); a run without any file never is."),
    V("assimilate", "bool", True, "`.false.`: simulated and compared only."),
    V("quality_flag", "int", None, "The quality flag that is kept (0: good in Lite files, 1: to be assimilated in `oco2_mip`); -1: all. "
      + defaults_text("quality_flag"), minimum=-1),
    V("withheld_flag", "int", -1, "Soundings with this quality flag are simulated and compared only, such as 2 in `oco2_mip` files of v11; "
      "-1: none.", minimum=-1),
    V("outcome_flags", "ints", (), "Outcomes of the retrieval to keep, where files have them. Default: all."),
    V("warn_level_bounds", "ints", (8, 12), "Highest warn level of each group but the last, best group first; -1: one group.",
      minimum=-1),
    V("modes", "strs", (), "Observation modes to keep: `nadir`, `glint`, `target`, `transition`, `sam` of OCO; `land_h`, `land_m`, "
      "`ocean` of GOSAT; `LN`, `LG`, … of `oco2_mip`; numbers of others, as strings. Default: all."),
    V("surface", "str", "", "Soundings over `land` or `ocean` only. Default: all.", choices=("", "land", "ocean")),
    V("minimum_uncertainty_ppm", "float", 0.0, "Soundings that state a smaller uncertainty are dropped (0.001 is used by some centres).",
      "ppm", minimum=0, maximum=10),
    V("glint_zenith_sum", "float", 0.0, "Ocean glint is dropped where the zenith angles of sun and sensor sum to more (80 is used by some "
      "centres); 0: none.", "degree", minimum=0, maximum=180),
    V("cell_degrees", "float", None, "Soundings of one overpass are averaged in cells of this size, from the best warn-level group in it; "
      "0: not at all. " + defaults_text("cell_degrees"), minimum=0, maximum=30, unit="degree"),
    V("value_variable", "str", "", "Name of the XCO2 variable, such as `xco2_x2019`. Default: the product's own."),
    V("uncertainty_variable", "str", "", "Name of the variable of its error, such as `xco2_increased_uncert`. Default: the product's own."),
    V("bias_variables", "strs", (), "Linear bias correction: the value becomes value − Σ slope · (variable − mean) over these variables "
      "(`name` or `Group/name`) …"),
    V("bias_slopes", "floats", (), "… their slopes, ppm per unit of the variable …", minimum=-1e9, maximum=1e9),
    V("bias_means", "floats", (), "… and means, in the variable's units.", minimum=-1e9, maximum=1e9),
    V("scale", "str", "", "CO2 scale of the values. Default: what the file says, else `unknown`.",
      choices=("", "X2007", "X2019", "unknown")),
    V("convert_scale", "str", "", "Values are brought to this scale from the one that the file says: X2019 = 1.00079 · X2007 − 0.142 ppm.",
      choices=("", "X2007", "X2019")),
    V("value_factor", "float", 1.0, "The value becomes factor · value + offset; X2007 to X2019 is 1.00079 and -0.142.",
      minimum=0.5, maximum=2),
    V("value_offset_ppm", "float", 0.0, "See `value_factor`.", "ppm", minimum=-50, maximum=50),
    V("error_factor", "float", None, "The retrieval's error is multiplied by this. " + defaults_text("error_factor"), above=0, maximum=100),
    V("error_variables", "strs", None, "Variables that are added to the error in quadrature after that; '': none. "
      + defaults_text("error_variables")),
    V("sounding_floor_ppm", "float", 0.0, "Least error of a single sounding.", "ppm", minimum=0),
    *OF_SUPER_OBSERVATIONS,
    V("operator", "str", "linear", "Mapping to the retrieval's levels: linear in pressure, or mass-conserving layers.",
      choices=("linear", "layers")),
), repeated=True)

COLUMN_MAP = Group("column_map", "Which variable is what in the files of a &satellite stream with `product = 'mapped'`: names as `name` or "
                   "`Group/name`. Defaults are the names of Lite files.", (
    V("name", "str", REQUIRED, "What `map` of &satellite calls it."),
    V("time", "strs", ("time",), "Variable of the time, or several, by `time_form`."),
    V("time_form", "str", "cf", "`cf`: units since a date; `components`: year, month, day and so on, columns of one variable or variables; "
      "`date_hour`: two variables, YYYYMMDD and decimal hour; `number`: YYYYMMDDhhmmss; `text`: such as 2018-06-01T12:34:56.",
      choices=("cf", "components", "date_hour", "number", "text")),
    V("time_units", "str", "", "For `cf`: such as 'seconds since 1993-01-01'. Default: the file's."),
    V("latitude", "str", "latitude", "Degrees north."),
    V("longitude", "str", "longitude", "Degrees east, −180…180 or 0…360."),
    V("xco2", "str", "xco2", "The value."),
    V("xco2_units", "str", "", "Such as 'ppm' or 'mol mol-1'. Default: the file's."),
    V("uncertainty", "str", "xco2_uncertainty", "Its error."),
    V("uncertainty_units", "str", "", "Default: the file's."),
    V("prior_xco2", "str", "", "XCO2 of the prior profile. Default: its weighted mean."),
    V("prior_profile", "str", "co2_profile_apriori", "Prior CO2 at the levels."),
    V("prior_units", "str", "", "Units of both priors. Default: the file's."),
    V("pressure", "str", "pressure_levels", "Pressure at the levels; '': by `sigma` and `surface_pressure`."),
    V("sigma", "str", "", "Share of the surface's pressure at the levels."),
    V("surface_pressure", "str", "", "Pressure of the surface."),
    V("pressure_units", "str", "", "Such as 'hPa'. Default: the file's."),
    V("pressure_weight", "str", "pressure_weight", "Pressure weights; '': each level has half of the layers beside it."),
    V("averaging_kernel", "str", "xco2_averaging_kernel", "The column's averaging kernel."),
    V("kernel_form", "str", "normalised", "`weighted`: the kernel in the file is multiplied by the pressure weights already.",
      choices=("normalised", "weighted")),
    V("level_order", "str", "", "Order of kernel, weights and prior. Default: that of the pressures, whichever it is.",
      choices=("", "top_first", "surface_first")),
    V("quality", "str", "", "Quality flag. Default: none, all soundings are good."),
    V("quality_rule", "str", "", "Which flags are good, such as '== 0' or '<= 2'. Default: `quality_flag` of the stream.",
      pattern=r"\s*(==|!=|<=|>=|<|>)\s*[+-]?\d+\.?\d*([eE][+-]?\d+)?\s*|", pattern_text="a comparison and a number"),
    V("outcome", "str", "", "Outcome of the retrieval."),
    V("mode", "str", "", "Number of the observation mode, 0 to 99."),
    V("surface", "str", "", "Kind of surface …"),
    V("land_values", "ints", (), "… its values over land …"),
    V("ocean_values", "ints", (), "… and over the ocean."),
    V("solar_zenith", "str", "", "Zenith angle of the sun, degrees."),
    V("sensor_zenith", "str", "", "Zenith angle of the sensor, degrees."),
    V("identifier", "str", "", "Identifier of a sounding. Default: file and row."),
    V("missing", "floats", (), "Further numbers that mean a missing value, beside the usual ones and the file's own.", minimum=-1e38,
      maximum=1e38),
), repeated=True)

COLUMN = Group("column", "A stream of columns seen from the ground (TCCON), independent of the analysis; one group for each.", (
    V("product", "str", REQUIRED, "`tccon`: public files of GGG2020 or GGG2014; `tccon_mip`: hourly averages of the OCO-2 intercomparison.",
      choices=("tccon", "tccon_mip")),
    V("directory", "path", REQUIRED, "Where the files are."),
    V("files", "strs", (), "File names or patterns with `*`, in `directory`. Default: the product's own."),
    V("name", "str", "", "What the stream is called in output. Default: the product."),
    V("sites", "strs", (), "Only these sites (wildcards allowed), by TCCON's two letters. Default: all."),
    V("assimilate", "bool", False, "`.true.`: assimilated, and no longer independent."),
    V("average_hours", "float", 1.0, "Spectra of one site within bins of this length are averaged; 0: each by itself.", "h",
      minimum=0, maximum=24),
    V("kernel_extrapolation", "int", 2, "Spectra to keep by their averaging kernel: 0 from inside the provider's table, 1 also "
      "extrapolated, 2 all.", minimum=0, maximum=2),
    V("largest_zenith", "float", 90.0, "Largest solar zenith angle.", "degree", above=0, maximum=90),
    V("scale", "str", "", "CO2 scale of the values; of files that have both it chooses. Default: X2007, or what the file says.",
      choices=("", "X2007", "X2019", "unknown")),
    V("value_factor", "float", 1.0, "The value becomes factor · value + offset; X2007 to X2019 is 1.00079 and -0.142.",
      minimum=0.5, maximum=2),
    V("value_offset_ppm", "float", 0.0, "See `value_factor`.", "ppm", minimum=-50, maximum=50),
    V("error_factor", "float", 1.0, "The error of a mean is multiplied by this …", above=0, maximum=100),
    V("error_ppm", "float", 0.4, "… and this is added in quadrature: what no averaging lessens.", "ppm", minimum=0, maximum=20),
    *OF_SUPER_OBSERVATIONS,
    V("operator", "str", "linear", "Mapping to the retrieval's levels: linear in pressure, or mass-conserving layers.",
      choices=("linear", "layers")),
), repeated=True)

SURFACE = Group("surface", "A stream of point observations (flasks, towers, ships, aircraft); one group for each.", (
    V("format", "str", REQUIRED, "`noaa_flask`: NOAA GML's own files, text or NetCDF; `obspack`: ObsPack, NetCDF or text; `csv`: tables "
      "such as ICOS's, by a map of columns; `gcasv2_surface`: daily text of GCASv2's layout.",
      choices=("noaa_flask", "obspack", "csv", "gcasv2_surface")),
    V("directory", "path", REQUIRED, "Where the files are."),
    V("files", "strs", (), "File names or patterns with `*`, in `directory`. Default: the format's own."),
    V("name", "str", "", "What the stream is called in output. Default: the format."),
    V("missing_days", "bool", True, "For daily files: a day without a file is allowed."),
    V("assimilate", "bool", True, "`.false.`: all its sites are withheld: simulated and compared only."),
    V("sites", "strs", (), "Only these sites (wildcards allowed). Default: all."),
    V("sites_withheld", "strs", (), "These sites are not assimilated."),
    V("projects", "strs", (), "Only these projects, such as `surface-flask`, `tower-insitu`, `aircraft-*`. Default: all."),
    V("selections", "strs", (), "Only data sets with these selection tags, such as `representative`, `allvalid*`. Default: all."),
    V("flags", "strs", (), "Provider's flags that are accepted, with wildcards. Default: NOAA's rule for three-character flags, `O`, `U` "
      "and `R` in csv."),
    V("background_only", "bool", False, "Only samples that the provider calls representative of large scales."),
    V("assimilation_flags", "ints", (), "Values of a pack's `CT_assim` that are assimilated. Default: the flag is not looked at."),
    V("evaluation_flags", "ints", (), "… and those that are withheld: simulated and compared only; all others are rejected."),
    V("concerns", "strs", (), "Reject samples about which a pack names these concerns (`assimilation_concerns`), or `any`."),
    V("local_hours", "floats", (), "Only samples between these two local solar hours; the first may be the later one (22, 6).", "h",
      minimum=0, maximum=24),
    V("altitudes_m", "floats", (), "Only samples between these two heights above sea level.", "m", minimum=-500, maximum=50000),
    V("average_minutes", "float", 0.0, "Samples of one site within bins of this length are averaged; 0: no such bin.", "min",
      minimum=0, maximum=10080),
    V("average_degrees", "float", 0.0, "… and within cells of this size …", "degree", minimum=0, maximum=30),
    V("average_metres", "float", 0.0, "… and within layers of this thickness. With all three 0 only replicates are averaged.", "m",
      minimum=0, maximum=50000),
    V("columns", "strs", (), "For csv: what is where, as `'value=co2'`. Default: ICOS's names."),
    V("time_stamp", "str", "", "What a time in the file marks. Default: what the file or format says.",
      choices=("", "start", "middle", "end")),
    V("interval_minutes", "float", 0.0, "Length of what was averaged, where the file does not tell it.", "min", minimum=0, maximum=44640),
    V("utc_offset_hours", "float", 0.0, "For csv: local time of the file minus UTC.", "h", minimum=-14, maximum=14),
    V("record_format", "str", "", "For gcasv2_surface: Fortran format of a record. Default: split at blanks."),
    V("scale", "str", "", "CO2 scale of the values. Default: what the file says, else `unknown`.",
      choices=("", "X2007", "X2019", "unknown")),
    V("value_factor", "float", 1.0, "The value becomes factor · value + offset.", minimum=0.5, maximum=2),
    V("value_offset_ppm", "float", 0.0, "See `value_factor`.", "ppm", minimum=-50, maximum=50),
    V("error_ppm", "float", 1.5, "Model-data mismatch error of a sample; added in quadrature to the file's measurement error.", "ppm",
      above=0),
    V("error_sites", "strs", (), "Sites, data sets or projects (wildcards allowed) with an error of their own …"),
    V("error_sites_ppm", "floats", (), "… and that error, in the same order.", "ppm", above=0),
    V("error_table", "path", None, "Text table of more of them: name and ppm a line."),
    V("error_table_format", "str", "", "Fortran format of its lines. Default: split at blanks and commas."),
    V("error_variable", "str", "", "Variable of the files with each sample's own error, such as `CT_MDM`."),
    V("error_factor", "float", 1.0, "The error is multiplied by this.", above=0, maximum=100),
    *OF_SUPER_OBSERVATIONS,
), repeated=True)
