"""Every setting of GCAS, once: name, type, unit, range, default and meaning.

The strict parser (`settings.py`) and the documentation page (`document.py`) are both made from `GROUPS`. A setting that is not
here does not exist. What types mean stands in `variables.py`; the groups of observation streams are in `stream_groups.py`.
"""

from __future__ import annotations

from .stream_groups import COLUMN, COLUMN_MAP, SATELLITE, SURFACE
from .variables import REQUIRED, Group
from .variables import Variable as V

SCHEMES = ("bio", "bio_ocn", "bio_ocn_fossil", "net", "bio_ocn_fire")
COMPONENTS = ("bio", "ocn", "fossil", "fire")
LAMBDA_GRID, LAMBDA_GRID_TEXT = r"transport|regions|[1-9]\d*x[1-9]\d*", "'transport', 'regions' or 'NxM'"

CASE = Group("case", "What the experiment is called and where it lives.", (
    V("name", "str", REQUIRED, "Name of the case; it begins the names of the transport model's files.",
      pattern=r"[A-Za-z0-9][A-Za-z0-9_-]{0,19}", pattern_text="1 to 20 letters, digits, '_' or '-'; a name, not a path"),
    V("directory", "path", None, "The case's directory. Default: a directory of the case's name beside the namelist."),
    V("seed", "int", 1, "Seed of the perturbations: one seed, one ensemble, on any machine.", minimum=0, maximum=2**31 - 1),
), required=True)

TIME = Group("time", "The period and its windows. Give `end` or `days`.", (
    V("start", "date", REQUIRED, "First day of the first window."),
    V("end", "date", None, "The day after the last one.", change="accept"),
    V("days", "int", None, "Length of the run, instead of `end`.", "d", minimum=1, maximum=36600, change="accept"),
    V("window_days", "int", 7, "Length of an assimilation window; the last window may be shorter.", "d", minimum=1, maximum=366),
    V("evaluate_from", "date", None, "Windows that start earlier are spin-up and do not count in the evaluation. Default: `start`.",
      change="free"),
), required=True)

STATE = Group("state", "What is perturbed and optimised: X = X0 + λ δ X0.", (
    V("scheme", "str", "bio_ocn", "Which components are optimised; `net` takes their sum as one.", choices=SCHEMES),
    V("members", "int", 50, "Ensemble members N.", minimum=2, maximum=9999),
    V("lambda_bio", "float", 3.0, "λ of BIO, and of the sum in scheme `net`.", minimum=0, maximum=1000),
    V("lambda_ocn", "float", 5.0, "λ of OCN.", minimum=0, maximum=1000),
    V("lambda_fossil", "float", 1.0, "λ of FOSSIL.", minimum=0, maximum=1000),
    V("lambda_fire", "float", 1.0, "λ of FIRE.", minimum=0, maximum=1000),
    V("lambda_file", "path", None, "NetCDF file with gridded λ: variables `lambda_bio`, `lambda_ocn`, … on lat, lon; those it has "
      "take the place of the numbers."),
    V("lambda_grid", "str", "transport", "Grid of the scaling factors: `transport` (the model's), `NxM` such as `120x60` for "
      "3°×3°, or `regions` (one factor per region of &regions).",
      pattern=LAMBDA_GRID, pattern_text=LAMBDA_GRID_TEXT),
    V("lambda_grid_bio", "str", "", "… of BIO, and of the sum in scheme `net`. Default: `lambda_grid`.", pattern=LAMBDA_GRID,
      pattern_text=LAMBDA_GRID_TEXT),
    V("lambda_grid_ocn", "str", "", "… of OCN. Default: `lambda_grid`.", pattern=LAMBDA_GRID, pattern_text=LAMBDA_GRID_TEXT),
    V("lambda_grid_fossil", "str", "", "… of FOSSIL. Default: `lambda_grid`.", pattern=LAMBDA_GRID, pattern_text=LAMBDA_GRID_TEXT),
    V("lambda_grid_fire", "str", "", "… of FIRE. Default: `lambda_grid`.", pattern=LAMBDA_GRID, pattern_text=LAMBDA_GRID_TEXT),
    V("perturbation", "str", "scale", "`scale` multiplies the flux; `shift` scales the window's total and spreads the change over "
      "time in proportion to |flux|.", choices=("scale", "shift")),
    V("centred", "bool", True, "Centre the perturbations over the members, so that the ensemble mean is the prior."),
    V("correlation_land_km", "float", 0.0, "Correlation length of the perturbations over land; 0: independent cells.", "km",
      minimum=0, maximum=20000),
    V("correlation_ocean_km", "float", 0.0, "… over the ocean.", "km", minimum=0, maximum=20000),
    V("correlation_shape", "str", "exponential", "Shape of the correlation.", choices=("exponential", "gaussian")),
    V("sign_threshold", "float", 0.2, "No sign rule for a parameter where |Σ flux| is below this share of Σ |flux| in the window.",
      minimum=0, maximum=1),
))

ANALYSIS = Group("analysis", "The filter and its localization.", (
    V("method", "str", "ensrf", "Serial ensemble square-root filter, or local ensemble transform Kalman filter.",
      choices=("ensrf", "letkf")),
    V("localize", "bool", True, "`.false.`: every observation corrects every factor, and nothing below about radii, test, sign, taper and "
      "`max_observations` applies: only with far more members than independent parameters."),
    V("near_km", "float", 500.0, "Nearer than this an observation is used if its correlation obeys the sign rule.", "km",
      minimum=0, maximum=20100),
    V("far_km", "float", 3000.0, "From `near_km` to here only if the correlation is significant; beyond: never.", "km",
      above=0, maximum=20100),
    V("p_value", "float", 0.05, "Level of the significance test; 1: no test.", above=0, maximum=1),
    V("sign", "bool", True, "Only correlations of a flux with what it can cause count (one-sided test)."),
    V("taper", "str", "none", "Additional distance taper that reaches 0 at `far_km`: of the covariances (ensrf), of 1/R (letkf).",
      choices=("none", "gaspari-cohn")),
    V("max_observations", "int", 0, "At most so many observations per parameter; 0: no limit.", minimum=0),
    V("max_observations_by", "str", "nearest", "Which of them: the nearest, or the best correlated.", choices=("nearest", "correlated")),
    V("letkf_interpolation_km", "float", 0.0, "The LETKF's transforms are made on a grid of this spacing and interpolated; needs "
      "`p_value = 1` and `sign = .false.`; 0: made for every parameter.", "km", minimum=0, maximum=20100),
    V("order", "str", "time", "Order of the serial update: `time` (then decreasing prior variance / error variance), `file` (as read) or "
      "`greedy` (decreasing prior variance / error variance, of the prior ensemble).", choices=("time", "file", "greedy")),
    V("inflation", "float", 1.0, "Multiplicative inflation of the prior perturbations.", minimum=1, maximum=10),
    V("inflation_adaptive", "bool", False, "`inflation` is a first guess, which the innovations of every window correct; the estimate goes "
      "from window to window."),
    V("inflation_error", "float", 0.5, "… standard error of the first guess; 0 holds it.", minimum=0, maximum=10),
    V("inflation_minimum", "float", 0.5, "… least factor.", above=0, maximum=10),
    V("inflation_maximum", "float", 3.0, "… greatest factor.", above=0, maximum=10),
    V("inflation_growth", "float", 1.1, "… factor of the estimate's variance from window to window: about growth/(growth − 1) windows are "
      "remembered; 1: all.", minimum=1, maximum=100),
    V("rtpp", "float", 0.0, "Relaxation of the posterior to the prior perturbations.", minimum=0, maximum=1),
    V("rtps", "float", 0.0, "Relaxation of the posterior to the prior spread.", minimum=0, maximum=1),
    V("gross_ppm", "float", 15.0, "An observation to be assimilated whose simulated value is farther off is rejected; 0: no limit.", "ppm",
      minimum=0),
    V("gross_sigma", "float", 0.0, "… the same in standard deviations of the innovation; 0: no limit.", minimum=0),
    V("huber", "float", 0.0, "A super-observation whose innovation is more than so many of its standard deviations counts less the farther "
      "off it is (Huber's weights); 0: all count in full.", minimum=0),
    V("precision", "str", "double", "Precision of the perturbations in the analysis.", choices=("double", "single")),
    V("threads", "int", 0, "Threads of the analysis; 0: all. The results are the same.", minimum=0, maximum=1024, change="free"),
))

TRANSPORT = Group("transport", "The transport model.", (
    V("model", "str", "embedded", "`embedded`: the model that comes with GCAS; `command`: any executable that speaks the MOZART-4 "
      "file contract, started by `command`.", choices=("embedded", "command")),
    V("command", "strs", (), "Command line, one word per string; `{namelist}` stands for the namelist's name. No shell is involved."
      " Example: 'mpirun', '-np', '24', './mz4_mpi', '{namelist}'.", change="accept"),
    V("run_files", "paths", (), "Files to be present in the run directory of the ensemble, such as the executable and its "
      "`mz4.dat` (linked, not copied). Without an `mz4.dat` GCAS makes one.", change="accept"),
    V("run_files_forward", "paths", (), "… of the forward run with its two tracers. Default: `run_files`.", change="accept"),
    V("data_directory", "path", None, "The model's input directory (`local_data_path`). Default: one in the case's directory."),
    V("namelist_template", "path", None, "The model's own namelist; only the values that change are patched. Default: one made by "
      "GCAS."),
    V("met_directory", "path", None, "Meteorology in the contract's files, one a day. Without it the embedded model runs on its "
      "analytic circulation, written to the case's directory first."),
    V("met_prefix", "str", "met_", "What the names of the met files begin with."),
    V("met_date_format", "str", "yyyymmdd", "Date in the names of the met files.",
      choices=("yyyymmdd", "yyyy-mm-dd", "yyyy/mm/dd")),
    V("grid", "str", "128x64", "Grid of the analytic circulation: `128x64` (Gaussian), `144x96`, `288x192` (with poles), or any "
      "`NxM` (regular). With `met_directory` the grid is the files' own.", pattern=r"[1-9]\d*x[1-9]\d*", pattern_text="'NxM'"),
    V("levels", "int", 28, "Levels of the analytic circulation.", minimum=3, maximum=200),
    V("met_seed", "int", 1, "Seed of the analytic circulation.", minimum=0),
    V("timestep", "str", "30m", "Time step: a whole number and s, m or h.", pattern=r"[1-9]\d*[smh]",
      pattern_text="a whole number followed by s, m or h"),
    V("sampling", "str", "inline", "`inline`: the model writes profiles at the observations (if it can); `history`: they are taken "
      "from its history files.", choices=("inline", "history")),
    V("sampling_hours", "float", 3.0, "Observations are compared with the model's mean over the interval of this length that "
      "contains them; 0: with the instant (in-line sampling only).", "h", minimum=0, maximum=24),
    V("sampling_place", "str", "nearest", "The cell that contains the observation, or bilinear between cell centres.",
      choices=("nearest", "bilinear")),
    V("members_per_run", "int", 0, "Split the ensemble over several runs of at most so many tracers; 0: one run.", minimum=0),
    V("threads", "int", 0, "Threads of the embedded model; 0: all. The results are the same.", minimum=0, maximum=1024, change="free"),
    V("retries", "int", 1, "How often a failed run is tried again.", minimum=0, maximum=100, change="free"),
    V("timeout_hours", "float", 0.0, "A run that takes longer is ended and counts as failed; 0: no limit.", "h", minimum=0,
      change="free"),
    V("mode", "str", "linear", "Advection of the embedded model. The ensemble needs `linear`.", choices=("linear", "monotone")),
    V("precision", "str", "single", "How the embedded model carries the members: `single` carries them as single-precision "
      "anomalies from the mean; forward runs are always double.", choices=("double", "single")),
    V("boundary_layer", "bool", True, "Boundary-layer mixing in the embedded model."),
    V("convection", "bool", True, "Column convection in the embedded model."),
    V("tracer_units", "str", "mmr", "Unit of `_VMR_avrg` in the model's history: kg/kg (`mmr`) or mol/mol (`vmr`).",
      choices=("mmr", "vmr")),
    V("mw_air", "float", None, "Molar mass of dry air the model uses. Default: 28.9644 for the embedded model, 29 else.", "g mol-1",
      minimum=28, maximum=30),
    V("mw_co2", "float", None, "Molar mass of CO2 the model uses. Default: 44.0095 for the embedded model, 44 else.", "g mol-1",
      minimum=43, maximum=45),
    V("emission_tag", "str", "T42LR", "Tag in the names of the emission files.", pattern=r"[A-Za-z0-9_.-]+",
      pattern_text="letters, digits, '_', '.' or '-'"),
))

INITIAL = Group("initial", "The CO2 field at the start: a file or one number.", (
    V("file", "path", None, "An initial file in the contract's form (used as it is if it fits grid and levels), CarbonTracker's mole "
      "fractions, or a history or restart file of MOZART, on any grid and levels; of several records the nearest to `start` is taken."),
    V("uniform_ppm", "float", None, "The same mole fraction everywhere.", "ppm", minimum=150, maximum=1000),
    V("format", "str", "", "Layout of the file. Default: told from its contents.", choices=("", "carbontracker", "mozart")),
    V("tracer", "str", "", "Name of the variable. Default: `co2`, `CO2`, or the first member."),
    V("units", "str", "", "kg/kg (`mmr`), mol/mol (`vmr`) or `ppm`. Default: by the file's attribute and the size of the values, which "
      "must agree.", choices=("", "mmr", "vmr", "ppm")),
    V("date_tolerance_days", "float", 1.0, "A field that is further from `start` is refused.", "d", minimum=0, maximum=100000),
), required=True)

PRIOR = Group("prior", "Prior fluxes of one component; one group for each. Several of one component add up; a component without any is "
              "zero.", (
    V("component", "str", REQUIRED, "Which component.", choices=COMPONENTS),
    V("format", "str", "gcasv2", "Layout of the files: `gcasv2` (one a day, below `directory` in a folder of the component's name), "
      "`carbontracker` (flux1x1), `carbontracker_prior` (by `codes`), `gfed` (GFED4.1s), `odiac`, `cdiac` (gridcar), `takahashi` (table), "
      "`climatology` (twelve months, NetCDF), or any `cf` file that states its units.",
      choices=("gcasv2", "carbontracker", "carbontracker_prior", "gfed", "odiac", "cdiac", "takahashi", "climatology", "cf")),
    V("directory", "path", REQUIRED, "Where the files are."),
    V("file_pattern", "str", "", "Names of the files below `directory`, with `{component}`, `{date}` (yyyymmdd), `{year}`, `{month}`, "
      "`{day}`, `{code}` and `*`. Default: the layout's own, for gcasv2 `{component}/emissions.{component}.{date}.nc`."),
    V("variable", "str", "", "Name of the flux variable (or column); several joined by `+` are added up. Default: the layout's own."),
    V("units", "str", "", "Units, for files that do not state them: an amount of CO2 or carbon per area or per `cell`, and time. Default: "
      "the layout's own."),
    V("time_stamp", "str", "", "What a time in the file marks. Default: the layout's own.", choices=("", "start", "centre", "end")),
    V("positive", "str", "", "Direction in which the file counts. Default: what the file says by its attributes, else `up`.",
      choices=("", "up", "down")),
    V("factor", "float", 1.0, "The flux is multiplied by this: 0.5 in each of two groups makes their mean.", minimum=-1e6, maximum=1e6),
    V("codes", "strs", (), "Codes of CarbonTracker's priors whose mean is taken, such as 'fm', 'fo'."),
    V("name", "str", "", "Name by which other groups refer to this one.", pattern=r"|[A-Za-z][A-Za-z0-9_-]{0,39}",
      pattern_text="a letter, then letters, digits, '_' or '-'"),
    V("counts", "bool", True, "`.false.`: the group is no flux of its own; it fills gaps of another or lends it its diurnal cycle."),
    V("gaps_from", "str", "", "Name of the group that gives the flux where this one has none. Default: no flux there."),
    V("diurnal", "str", "", "Diurnal cycle of a product without one: `sun`, `temperature`, `afternoon`, or the name of a group with "
      "three-hourly fluxes. Every day's total stays. Default: even."),
    V("recycle_years", "ints", (), "First and last year of the files (or one): days of other years are read from these. Default: a year "
      "without files is an error.", minimum=1, maximum=9999),
    V("recycle_by", "str", "cycle", "`cycle`: the years go round; `nearest`: the first or last one stands for all beyond.",
      choices=("cycle", "nearest")),
), repeated=True, required=True)

SUPER = Group("super_observations", "Observations of one product in one cell, model level and time bin become one.", (
    V("enabled", "bool", True, "`.false.`: every observation is assimilated by itself."),
    V("grid", "str", "transport", "Grid of the cells in which observations are merged: `transport` (the model's) or `NxM`.",
      pattern=r"transport|[1-9]\d*x[1-9]\d*", pattern_text="'transport' or 'NxM'"),
    V("by_level", "bool", True, "Point observations are merged within one model level only; `.false.`: over all of a cell's."),
    V("bin_hours", "float", 0.0, "Observations are merged within bins of this length only, counted from 00 UTC; 0: over the whole window.",
      "h", minimum=0, maximum=8784),
    V("error_correlation", "float", 0.0, "Error correlation ρ within a cell: r² = (1 + (m − 1) ρ) / Σ (1/r_j²).",
      minimum=0, maximum=1),
))

REGIONS = Group("regions", "The regions of the evaluation.", (
    V("file", "path", "builtin", "GCAS's own approximate map of the 22 TransCom regions, or a file: CarbonTracker's `regions.nc`, "
      "TransCom's mask, GCASv2's region file, any other mask of whole numbers, or a text file with polygons.", choices=("builtin",)),
    V("variable", "str", "", "Name of the mask in a NetCDF file, such as `land_ecosystems`. Default: the first known one."),
    V("longitudes", "str", "", "What the longitudes of a mask are: centres of cells, or their western or eastern edges. Default: centres, "
      "and eastern edges in the original TransCom 3 mask.", choices=("", "centres", "western_edges", "eastern_edges")),
))

ANCILLARY = Group("ancillary", "A monthly field to compare the fluxes' changes with (`gcas table5`); one group for each.", (
    V("name", "str", "", "What it is called in the table. Default: the format.", change="free"),
    V("format", "str", REQUIRED, "`spei`: SPEIbase; `lai3g`: GIMMS LAI3g's binary files; `gridded`: any field on time, lat and lon.",
      choices=("spei", "lai3g", "gridded"), change="free"),
    V("directory", "path", REQUIRED, "Where the files are.", change="free"),
    V("file_pattern", "str", "", "Their names, with `*`. Default: the format's own.", change="free"),
    V("variable", "str", "", "Name of the variable. Default: the format's own, or the only one there is.", change="free"),
    V("measure", "str", "", "Per region: the mean, or the area below or above `threshold`. Default: `area_below` for spei, else `mean`.",
      choices=("", "mean", "area_below", "area_above"), change="free"),
    V("threshold", "float", -1.5, "See `measure`; severe drought is an SPEI below -1.5.", change="free"),
    V("quality", "int", 2, "Highest quality digit of LAI3g that is used: 0 good, 1 from a spline, 2 from the season.", minimum=0, maximum=2,
      change="free"),
    V("mask_file", "path", None, "Only where the mask in this file (as for &regions) …", change="free"),
    V("mask_variable", "str", "", "… of this name …", change="free"),
    V("mask_values", "ints", (), "… has one of these numbers. Default: any but 0.", minimum=1, change="free"),
), repeated=True)

TRUTH = Group("truth", "Synthetic experiments only (`gcas osse`): what is made, and the truth to compare with.", (
    V("directory", "path", REQUIRED, "Where the inputs are made: `gosat`, `flask`, `truth`, and `prior` if the &prior groups name it."),
    V("seed", "int", 1, "Seed of the truth's errors and of the observations.", minimum=0, maximum=2**31 - 1),
    V("prior_seed", "int", 1, "Seed of the synthetic prior fluxes.", minimum=0, maximum=2**31 - 1),
    V("soundings_per_day", "int", 375, "Cloud-free soundings a day, about.", minimum=1, maximum=1000000),
    V("surface_sites", "bool", True, "Make flasks at NOAA's sites too."),
))

OUTPUT = Group("output", "What is kept.", (
    V("flux_interval", "str", "daily", "Time resolution of the fluxes in windows/*/fluxes.nc.", choices=("daily", "3-hourly"),
      change="accept"),
    V("compression", "int", 1, "Compression level of the output files.", minimum=0, maximum=9, change="accept"),
    V("keep_history", "bool", False, "Keep the model's history files after the window has been done.", change="free"),
))

REPORT = Group("report", "The report.", (
    V("title", "str", "", "Title of the page. Default: the case's name.", change="free"),
    V("figures", "bool", True, "Maps and series; without them only tables.", change="free"),
))

GROUPS: tuple[Group, ...] = (CASE, TIME, STATE, ANALYSIS, TRANSPORT, INITIAL, PRIOR, SATELLITE, COLUMN_MAP, COLUMN, SURFACE, SUPER,
                             REGIONS, ANCILLARY, TRUTH, OUTPUT, REPORT)
"""All groups, in the order of the documentation."""


def group(name: str) -> Group | None:
    """The group of that name, or None."""
    return next((g for g in GROUPS if g.name == name), None)
