"""Settings of the observation streams, as the readers take them; the namelist groups are mapped onto these."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from gcas_driver.config.satellite_products import PRODUCTS, product_defaults


@dataclass(frozen=True)
class SatelliteStream:
    """One satellite product.

    What is None takes the product's default (`gcas_driver.config.satellite_products`).

    Attributes
    ----------
    product : str
        Name of the stream in tables and output; unique in a run.
    format : str
        "acos_lite" (any Lite file), "oco2_lite", "oco3_lite", "oco2_mip" (10-second averages), "gcasv2_satellite" (GCASv2's daily files)
        or "mapped" (anything, by `column_map`).
    directory : Path
        Where the files lie.
    file_pattern : str
        The day as ``{yymmdd}``, ``{yyyymmdd}`` or strftime codes, and shell wildcards, e.g. ``acos_LtCO2_{yymmdd}_*.nc4``; without a day
        all files that match are looked at. "" takes the format's own.
    assimilate : bool
        False: simulated and evaluated, but withheld from the analysis.
    missing_days : bool
        Whether a day without a file is allowed (it is said in the log); a period without any file never is.
    error_factor : float
        Factor on the retrieval error of each sounding [1].
    error_variables : tuple of str
        Variables [mole fraction] that are added to it in quadrature, after the factor.
    sounding_floor_ppm : float
        Least error of a single sounding [ppm]; 0: none. (The floor after super-observation is another setting.)
    quality_flag : int
        Value of the quality flag that is kept: 0 is "good" in ACOS and OCO Lite files; -1: all.
    withheld_flag : int
        Value of the quality flag of soundings that are simulated and evaluated only; -1: none.
    outcome_flags : tuple of int
        Outcomes of the retrieval to keep; empty: all.
    warn_level_bounds : tuple of int
        Highest warn level of each group but the last: (8, 12) for <= 8, 9..12, >= 13; empty: one group.
    cell_degrees : float
        Size of the cells in which the soundings of one overpass are averaged [degrees]; 0: no averaging.
    modes : tuple of str
        Observation modes to keep; empty: all.
    surface : str
        "land" or "ocean": keep soundings over it only; "": all.
    minimum_uncertainty_ppm : float
        Soundings with less are dropped [ppm].
    glint_zenith_sum : float
        Ocean glint with a larger sum of solar and sensor zenith angle is dropped [degrees]; 0: none.
    value_variable, uncertainty_variable : str
        Names of the variables of XCO2 and its error; "" takes the format's own.
    bias_variables, bias_slopes, bias_means : tuple
        The value becomes value - slope * (variable - mean) for each; variables as "name" or "Group/name", means in their units.
    scale : str
        Calibration scale of the values as they leave the reader; "" takes the file's word, else "unknown".
    convert_scale : str
        Scale to which the values are brought from the one that the file says; "": they stay.
    value_factor, value_offset_ppm : float
        The value becomes factor * value + offset; X2007 to X2019 is 1.00079 and -0.142.
    column_map : object or None
        For "mapped": which variable is what, the settings of a &column_map group.
    """

    product: str
    directory: Path
    format: str = "acos_lite"
    file_pattern: str = ""
    assimilate: bool = True
    missing_days: bool = True
    error_factor: float | None = None
    error_variables: tuple[str, ...] | None = None
    sounding_floor_ppm: float = 0.0
    quality_flag: int | None = None
    withheld_flag: int = -1
    outcome_flags: tuple[int, ...] = ()
    warn_level_bounds: tuple[int, ...] = (8, 12)
    cell_degrees: float | None = None
    modes: tuple[str, ...] = ()
    surface: str = ""
    minimum_uncertainty_ppm: float = 0.0
    glint_zenith_sum: float = 0.0
    value_variable: str = ""
    uncertainty_variable: str = ""
    bias_variables: tuple[str, ...] = ()
    bias_slopes: tuple[float, ...] = ()
    bias_means: tuple[float, ...] = ()
    scale: str = ""
    convert_scale: str = ""
    value_factor: float = 1.0
    value_offset_ppm: float = 0.0
    column_map: Any = None

    def __post_init__(self) -> None:
        if self.format in PRODUCTS:
            for name, value in product_defaults(self.format, vars(self)).items():
                object.__setattr__(self, name, value)


@dataclass(frozen=True)
class SurfaceStream:
    """One set of samples at places: flasks, towers, ships, aircraft.

    Attributes
    ----------
    product : str
        Name of the stream in tables and output; unique in a run.
    format : str
        "noaa_flask" (NOAA GML's own files, text or NetCDF), "obspack" (NetCDF or text), "csv" (tables by a map of columns) or
        "gcasv2_surface" (GCASv2's daily text).
    directory : Path
        Where the files lie.
    files : tuple of str
        Shell wildcards; for gcasv2_surface one pattern with the day in it. Empty takes the format's own.
    sites : tuple of str
        Site codes to read, in any case, with wildcards; empty: all.
    sites_withheld : tuple of str
        Site codes that are evaluated but kept from the analysis.
    projects, selections : tuple of str
        Projects ("surface-flask", "aircraft-*") and selection tags ("representative", "allvalid*") to read; empty: all.
    flags : tuple of str
        Provider's flags that are accepted, with wildcards; empty: the format's own rule.
    assimilation_flags, evaluation_flags : tuple of int
        Values of a pack's `CT_assim` that are assimilated, and those that are withheld; others are rejected. Both empty: not looked at.
    concerns : tuple of str
        Columns of a pack's `assimilation_concerns` that reject a sample if they are set, by the names the file gives, or "any".
    assimilate : bool
        False: all sites are withheld.
    missing_days : bool
        For daily files: whether a day without a file is allowed.
    error_ppm : float
        Model-data mismatch error of a sample [ppm], of sites without an own one; added in quadrature to the file's
        measurement error.
    site_error_ppm : mapping
        Site code, data set or project (wildcards allowed) to error [ppm]; the most special entry counts.
    error_table : Path or None
        Text table of the same, name and ppm a line; `site_error_ppm` goes before it.
    error_table_format : str
        Fortran format of the table's lines; "" splits at blanks and commas.
    error_variable : str
        Variable of the files with each sample's error, such as "CT_MDM"; goes before errors of projects and `error_ppm`.
    error_factor : float
        Factor on the error of each sample [1].
    background_only : bool
        Only samples the provider calls representative of large scales; else all it did not reject.
    local_hours : tuple of float or None
        Keep samples whose local solar hour lies in [first, last); first > last wraps midnight (e.g. (22, 6) for
        mountains at night). None: all.
    altitudes_m : tuple of float or None
        Keep samples between these heights above sea level [m]; None: all.
    average_minutes, average_degrees, average_metres : float
        Samples of one site in one time bin, cell and layer of this size are averaged; 0: no such bin, all 0: replicates only.
    columns : tuple of str
        For csv: what is where, as "value=co2"; see `csv_sites`.
    time_stamp : str
        What a time in the file marks, "start", "middle" or "end" of what was averaged; "": as the file or format says.
    interval_minutes : float
        Length of what was averaged, for files that do not tell it [min].
    utc_offset_hours : float
        For csv: local time of the file minus UTC [h].
    record_format : str
        For gcasv2_surface: Fortran format of a record; "" splits at blanks.
    scale, value_factor, value_offset_ppm
        As in `SatelliteStream`.
    """

    product: str
    directory: Path
    format: str = "noaa_flask"
    files: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    sites_withheld: tuple[str, ...] = ()
    assimilate: bool = True
    missing_days: bool = True
    error_ppm: float = 1.5
    site_error_ppm: Mapping[str, float] = field(default_factory=dict)
    error_factor: float = 1.0
    background_only: bool = False
    local_hours: tuple[float, float] | None = None
    projects: tuple[str, ...] = ()
    selections: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    assimilation_flags: tuple[int, ...] = ()
    evaluation_flags: tuple[int, ...] = ()
    concerns: tuple[str, ...] = ()
    error_table: Path | None = None
    error_table_format: str = ""
    error_variable: str = ""
    altitudes_m: tuple[float, float] | None = None
    average_minutes: float = 0.0
    average_degrees: float = 0.0
    average_metres: float = 0.0
    columns: tuple[str, ...] = ()
    time_stamp: str = ""
    interval_minutes: float = 0.0
    utc_offset_hours: float = 0.0
    record_format: str = ""
    scale: str = ""
    value_factor: float = 1.0
    value_offset_ppm: float = 0.0


@dataclass(frozen=True)
class ColumnStream:
    """One set of columns seen from the ground: TCCON. Independent of the analysis unless `assimilate` says otherwise.

    Attributes
    ----------
    product : str
        Name of the stream in tables and output; unique in a run.
    directory : Path
        Where the files lie.
    format : str
        "tccon" (public files of GGG2020 and GGG2014, by their content) or "tccon_mip" (the OCO-2 intercomparison's hourly averages).
    files : tuple of str
        Shell wildcards; empty takes the format's own.
    sites : tuple of str
        Codes of the sites to read, in any case, with wildcards; empty: all.
    assimilate : bool
        True: the columns are not withheld.
    average_hours : float
        Spectra of one site within bins of this length are averaged [h]; 0: each by itself.
    kernel_extrapolation : int
        Which spectra are kept by how their averaging kernel was found in the provider's table: 0 inside it, 1 also extrapolated, 2 all.
    largest_zenith : float
        Largest solar zenith angle that is kept [degrees].
    error_factor : float
        Factor on the error of the mean [1].
    error_ppm : float
        Error of a site's columns that no averaging lessens, added to it in quadrature [ppm].
    scale, value_factor, value_offset_ppm
        As in `SatelliteStream`; of files with XCO2 on both scales `scale` chooses.
    """

    product: str
    directory: Path
    format: str = "tccon"
    files: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    assimilate: bool = False
    average_hours: float = 1.0
    kernel_extrapolation: int = 2
    largest_zenith: float = 90.0
    error_factor: float = 1.0
    error_ppm: float = 0.4
    scale: str = ""
    value_factor: float = 1.0
    value_offset_ppm: float = 0.0


def streams_from(settings: Any) -> list[SatelliteStream | ColumnStream | SurfaceStream]:
    """The streams of the namelist's &satellite, &column and &surface groups, in their order.

    Parameters
    ----------
    settings : Settings
        As `gcas_driver.config` loads them; only `satellite`, `column_map`, `column` and `surface` are looked at.
    """
    streams: list[SatelliteStream | ColumnStream | SurfaceStream] = []
    own = {f.name for f in fields(SatelliteStream)} - {"product", "format", "warn_level_bounds", "error_variables", "column_map"}
    maps = {group.name: SimpleNamespace(**vars(group)) for group in settings.column_map}
    for group in settings.satellite:
        bounds = () if -1 in group.warn_level_bounds else tuple(group.warn_level_bounds)
        errors = tuple(name for name in group.error_variables if name)
        streams.append(SatelliteStream(product=group.name, format=group.product, warn_level_bounds=bounds, error_variables=errors,
                                       column_map=maps.get(group.map), **{name: getattr(group, name) for name in own}))
    for group in settings.column:
        same = {f.name: getattr(group, f.name) for f in fields(ColumnStream) if f.name not in ("product", "format")}
        streams.append(ColumnStream(product=group.name, format=group.product, **same))
    own = {f.name for f in fields(SurfaceStream)} - {"product", "local_hours", "altitudes_m", "site_error_ppm"}
    for group in settings.surface:
        streams.append(SurfaceStream(product=group.name, local_hours=tuple(group.local_hours) or None,
                                     altitudes_m=tuple(group.altitudes_m) or None,
                                     site_error_ppm=dict(zip(group.error_sites, group.error_sites_ppm, strict=True)),
                                     **{name: getattr(group, name) for name in own}))
    return streams
