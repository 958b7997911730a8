"""Temperature, moisture, orography and the surface of the analytic circulation.

Plausible, smooth and cheap: what a tracer model needs to know for air mass, mixing height and sampling altitude.
"""

from __future__ import annotations

from functools import cached_property, lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from mozart_coupling.constants import GRAVITY
from mozart_coupling.embedded.levels import P0, level_pressure, mid_coefficients
from mozart_coupling.grids import Grid, regrid
from mozart_coupling.land import land_fraction

GAS_CONSTANT = 287.04  # dry air, J kg-1 K-1
LATENT_HEAT = 2.501e6  # J kg-1
SOLAR_CONSTANT = 1361.0  # W m-2
LAPSE_RATE = 6.5e-3  # K m-1
DAY_S = 86400.0

# Sea ice: latitude of its edge [degrees] as mean and half range over the year, day of the northern maximum; depth and heat over it
ICE_NORTH, ICE_SOUTH, ICE_DAY = (69.0, 7.0), (67.0, 5.5), 69.0
ICE_HEAT, SEA_HEAT = -2.5, 12.0  # W m-2, upward
SEA_ICE = 2.0  # in ORO

# Deep convection over middle latitudes' summer land: rain [kg m-2 s-1], vapour at cloud base [kg kg-1], share of it that falls as rain
SUMMER_RAIN, CLOUD_BASE_VAPOUR, RAIN_EFFICIENCY = 1.3 / DAY_S, 0.010, 0.4

# Mountains and plateaus: centre longitude, latitude, half widths [degrees], height [m]. Rounded from any atlas.
MOUNTAINS = (
    (88, 33, 13, 6, 4600), (85, 46, 12, 5, 1300), (105, 47, 11, 6, 1100), (130, 63, 22, 7, 600), (50, 34, 13, 5, 1100),
    (10, 46, 5, 2.5, 1000), (12, 64, 6, 5, 600), (-110, 42, 9, 9, 1900), (-128, 58, 10, 7, 1000), (-103, 23, 5, 7, 1400),
    (-69, -18, 4, 9, 3000), (-70, -33, 3, 9, 1800), (-75, -2, 4, 8, 1600), (-47, -17, 8, 7, 500), (35, 1, 6, 10, 1100),
    (39, 9, 5, 5, 1100), (25, -26, 8, 7, 1000), (8, 24, 8, 5, 400), (44, 20, 6, 6, 700), (-41, 73, 10, 7, 2600),
    (60, 60, 4, 8, 300), (133, -25, 15, 8, 200), (141, -5, 5, 3, 700), (-80, 38, 5, 4, 300),
)


class Surface:
    """What does not change with time on one grid."""

    def __init__(self, grid: Grid):
        self.grid = grid
        self.latitude = np.deg2rad(grid.lat)[:, None]
        self.land = land_fraction(grid)
        self.is_land = self.land >= 0.5

    @cached_property
    def height(self) -> np.ndarray:
        """Smooth orography (nlat, nlon) [m]."""
        return np.maximum(regrid(_one_degree_height(), _ONE_DEGREE, self.grid), 0.0)

    @cached_property
    def annual_temperature(self) -> np.ndarray:
        """Annual-mean zonal temperature at sea level (nlat, 1) [K]."""
        return sea_level_temperature(self.latitude, 0.0)


_ONE_DEGREE = Grid.regular(360, 180, lon_first=-179.5)


@lru_cache(maxsize=1)
def _one_degree_height() -> np.ndarray:
    lon, lat = _ONE_DEGREE.lon[None, :], _ONE_DEGREE.lat[:, None]
    height = np.full(_ONE_DEGREE.shape, 150.0)
    for lon0, lat0, wide, high, top in MOUNTAINS:
        east = (lon - lon0 + 180.0) % 360.0 - 180.0
        height += top * np.exp(-((east / wide) ** 2) - ((lat - lat0) / high) ** 2)
    height += 2600.0 / (1.0 + np.exp((lat + 75.0) / 2.5))  # Antarctica
    return gaussian_filter(height * land_fraction(_ONE_DEGREE), 1.5, mode=("nearest", "wrap"))


def reduce_to_ground(sea_level_pressure: np.ndarray, height: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Surface pressure [Pa] at a height [m] under a constant lapse rate from the sea-level temperature [K]."""
    return sea_level_pressure * (1.0 - LAPSE_RATE * height / temperature) ** (GRAVITY / (GAS_CONSTANT * LAPSE_RATE))


def sea_level_temperature(latitude: np.ndarray, winter_north: float) -> np.ndarray:
    """Zonal-mean temperature [K] at sea level; the thermal equator follows the sun."""
    return 301.0 - 46.0 * (np.sin(latitude) + 0.13 * winter_north) ** 2


def complete(surface: Surface, time: np.datetime64, winter_north: float, hyai: np.ndarray, hybi: np.ndarray,
             surface_pressure: np.ndarray, u: np.ndarray, v: np.ndarray, warm: np.ndarray) -> dict[str, np.ndarray]:
    """All fields of the contract from winds, surface pressure and the waves' temperature [K] (nlev, nlat, nlon)."""
    pressure = level_pressure(*mid_coefficients(hyai, hybi), surface_pressure)
    temperature = air_temperature(surface.latitude, pressure, winter_north) + warm
    ground = ground_fields(surface, time, winter_north, u[-1], v[-1])
    sigma_interface = level_pressure(hyai, hybi, surface_pressure) / surface_pressure
    return {
        "T": temperature,
        "U": u,
        "V": v,
        "Q": specific_humidity(surface.latitude, pressure / surface_pressure, pressure, temperature),
        "PS": surface_pressure,
        "PHIS": surface.height * GRAVITY,
        **ground,
        "PBLH": boundary_layer_height(surface, time, np.hypot(u[-1], v[-1]), ground["ORO"] == SEA_ICE),
        "CMFMC": convective_mass_flux(surface, time, winter_north, sigma_interface),
    }


def air_temperature(latitude: np.ndarray, pressure: np.ndarray, winter_north: float) -> np.ndarray:
    """Zonal-mean temperature [K] at pressures (nlev, nlat, nlon) [Pa]: a lapse rate of 6.5 K/km up to the tropopause,
    a stratosphere that warms upward, coldest over the equator."""
    exponent = GAS_CONSTANT * LAPSE_RATE / GRAVITY
    logarithm = np.log(pressure / P0)
    troposphere = sea_level_temperature(latitude, winter_north) * np.exp(exponent * logarithm)
    stratosphere = 196.0 + 20.0 * np.sin(latitude) ** 2 - 8.0 * np.minimum(logarithm + 2.3, 0.0)
    return 0.5 * (troposphere + stratosphere + np.sqrt((troposphere - stratosphere) ** 2 + 9.0))


def specific_humidity(latitude: np.ndarray, sigma: np.ndarray, pressure: np.ndarray, temperature: np.ndarray) -> np.ndarray:
    """Water vapour [kg/kg]: 80 % relative humidity at the ground, drier aloft and in the subtropics.

    Saturation over water after August, Roche and Magnus: e = 610.94 exp(17.625 t / (t + 243.04)), t in deg C.
    """
    celsius = temperature - 273.15
    saturation = 610.94 * np.exp(17.625 * celsius / (celsius + 243.04))
    dry_belt = 1.0 - 0.35 * np.exp(-(((np.abs(np.rad2deg(latitude)) - 25.0) / 10.0) ** 2))
    relative = 0.8 * sigma**1.3 * np.where(sigma > 0.9, 1.0, dry_belt)
    return np.maximum(0.622 * relative * saturation / np.maximum(pressure, 2.0 * saturation), 3.0e-6)


def solar_geometry(surface: Surface, time: np.datetime64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cosine of the zenith angle, hour angle [rad, 0 at noon], and heat taken up since sunrise: the integral of the
    positive cosine over hour angle [rad]; all (nlat, nlon)."""
    time = np.datetime64(time).astype("datetime64[s]")
    utc = (time - time.astype("datetime64[D]")) / np.timedelta64(86400, "s")
    hour = 2.0 * np.pi * ((utc + surface.grid.lon[None, :] / 360.0) % 1.0 - 0.5)
    constant, swing = _sun(surface, time)
    sunset = _sunset(constant, swing)
    lit = np.clip(hour, -sunset, sunset)
    heat = constant * (lit + sunset) + swing * (np.sin(lit) + np.sin(sunset))
    return constant + swing * np.cos(hour), np.broadcast_to(hour, heat.shape), np.maximum(heat, 0.0)


def sunlight(surface: Surface, time: np.datetime64) -> tuple[np.ndarray, np.ndarray]:
    """Positive cosine of the zenith angle now, and its mean over the day; both (nlat, nlon)."""
    constant, swing = _sun(surface, time)
    sunset = _sunset(constant, swing)
    mean = (constant * sunset + swing * np.sin(sunset)) / np.pi
    cosine, hour, _ = solar_geometry(surface, time)
    return np.maximum(cosine, 0.0), np.broadcast_to(np.maximum(mean, 0.0), hour.shape)


def _sun(surface: Surface, time: np.datetime64) -> tuple[np.ndarray, np.ndarray]:
    """Constant part and diurnal amplitude (nlat, 1) of the cosine of the zenith angle."""
    declination = np.deg2rad(23.44) * np.sin(2.0 * np.pi * (_day_of_year(time) - 80.0) / 365.25)
    return np.sin(surface.latitude) * np.sin(declination), np.cos(surface.latitude) * np.cos(declination)


def _sunset(constant: np.ndarray, swing: np.ndarray) -> np.ndarray:
    """Hour angle of sunset [rad]: 0 in the polar night, pi in the polar day."""
    return np.arccos(np.clip(-constant / np.maximum(swing, 1e-9), -1.0, 1.0))


def _day_of_year(time: np.datetime64) -> float:
    """Days since the first of January."""
    time = np.datetime64(time).astype("datetime64[s]")
    return (time - time.astype("datetime64[Y]")) / np.timedelta64(86400, "s")


def frozen_sea(surface: Surface, time: np.datetime64) -> np.ndarray:
    """Where the sea is frozen (nlat, nlon): poleward of an edge that has the extents seen from satellites.

    Those of 1981-2010 (National Snow and Ice Data Center): 15.4 and 6.4 million km2 in the north in March and September,
    18.5 and 2.9 in the south in September and February.
    """
    season = np.cos(2.0 * np.pi * (_day_of_year(time) - ICE_DAY) / 365.25)
    north, south = ICE_NORTH[0] - ICE_NORTH[1] * season, ICE_SOUTH[0] + ICE_SOUTH[1] * season
    latitude = surface.grid.lat[:, None]
    return ~surface.is_land & ((latitude > north) | (latitude < -south))


def boundary_layer_height(surface: Surface, time: np.datetime64, wind: np.ndarray, frozen: np.ndarray) -> np.ndarray:
    """PBLH (nlat, nlon) [m] by surface type, local hour and season; `frozen`: where there is sea ice (nlat, nlon).

    Land: encroachment, h proportional to the square root of the heat taken up since sunrise, which collapses as the
    sun goes down; nights 100 to 200 m with the wind. Sea ice: as such a night at all hours, for the air over it is stable in
    winter (Persson et al. 2002) and its layer shallow in summer too (Peng et al. 2023). Ocean: 500 m + 25 s times the wind,
    400 to 1000 m.
    """
    cosine, hour, heat = solar_geometry(surface, time)
    degrees = np.abs(np.rad2deg(surface.latitude))
    dry = 1.0 + 0.3 * np.exp(-(((degrees - 25.0) / 9.0) ** 2))
    snow = 1.0 / (1.0 + np.exp((degrees - 68.0) / 4.0))
    falling = np.where(hour > 0.0, np.clip(cosine / 0.15, 0.0, 1.0), 1.0) * (cosine > 0.0)
    day = 1050.0 * dry * (0.3 + 0.7 * snow) * np.sqrt(heat) * falling
    night = np.clip(80.0 + 20.0 * wind, 100.0, 200.0)
    sea = np.where(frozen, night, np.clip(500.0 + 25.0 * wind, 400.0, 1000.0))
    return np.where(surface.is_land, np.maximum(day, night), sea)


def ground_fields(surface: Surface, time: np.datetime64, winter_north: float, u: np.ndarray, v: np.ndarray) -> dict[str, np.ndarray]:
    """TS, stresses, heat and water fluxes, solar flux, albedo, snow, soil water, surface type; all (nlat, nlon).

    Stresses are positive with the wind (what the air gives to the ground); fluxes are positive upward. Over sea ice a little heat
    goes down, as in SHEBA's winter and July (Persson et al. 2002); in the Weddell Sea's December 6 W m-2 went up (Vihma et al. 2009).
    """
    cosine, hour, _ = solar_geometry(surface, time)
    sun = np.maximum(cosine, 0.0)
    zonal = sea_level_temperature(surface.latitude, winter_north)
    continental = 8.0 * np.sin(surface.latitude) * -winter_north
    diurnal = 6.0 * np.cos(surface.latitude) * np.cos(hour - np.pi / 6.0)
    land_temperature = zonal + continental + diurnal - LAPSE_RATE * surface.height
    sea_temperature = np.broadcast_to(zonal, land_temperature.shape)
    frozen = frozen_sea(surface, time)
    temperature = np.where(surface.is_land, land_temperature, np.where(frozen, sea_temperature, np.maximum(sea_temperature, 271.4)))
    snow = surface.is_land & (zonal + continental - LAPSE_RATE * surface.height < 271.0)
    solar = 0.62 * SOLAR_CONSTANT * sun
    wind = np.hypot(u, v)
    drag = 1.2 * np.where(surface.is_land, 3.0e-3, 1.3e-3) * wind
    warm = np.clip((temperature - 263.0) / 40.0, 0.0, 1.0)
    latent = np.where(surface.is_land, 0.25 * solar * warm, 130.0 * warm * np.clip(wind / 7.0, 0.3, 1.5))
    sensible = np.where(surface.is_land, np.where(snow, 0.08, 0.22) * solar - 18.0, np.where(frozen, ICE_HEAT, SEA_HEAT))
    return {
        "TS": temperature,
        "TAUX": drag * u,
        "TAUY": drag * v,
        "SHFLX": sensible,
        "QFLX": latent / LATENT_HEAT,
        "FSDS": solar,
        **cover(surface, snow, frozen),
    }


def cover(surface: Surface, snow: np.ndarray, frozen: np.ndarray) -> dict[str, np.ndarray]:
    """Albedo, snow, soil water and surface type (nlat, nlon) of where there are snow and sea ice (nlat, nlon)."""
    return {
        "ALB": np.where(snow | frozen, 0.6, np.where(surface.is_land, 0.18, 0.07)),
        "SNOWH": np.where(snow, 0.1, 0.0),
        "SOILW": np.where(surface.is_land, 0.25, 0.0),
        "ORO": np.where(surface.is_land, 1.0, np.where(frozen, SEA_ICE, 0.0)),
    }


def convective_mass_flux(surface: Surface, time: np.datetime64, winter_north: float, sigma: np.ndarray) -> np.ndarray:
    """CMFMC (nlev+1, nlat, nlon) [kg/m2/s] at interfaces of given p/PS, positive upward.

    Shallow and deep cumuli together, as they were found in the tropics (Yanai et al. 1976). From the ground to cloud base
    (700 m above sea, 1000 m above land) clouds take in air; from there on they only let it out, in every layer.

    - A belt along the thermal equator, strongest over the west Pacific and over land in the afternoon: 10 g m-2 s-1 at cloud
      base and a third of it at 500 hPa, round numbers for fluxes archived with reanalyses (Olivié et al. 2004, Feng et al. 2011).
    - Trade winds over the sea, shallow alone: 12 mm s-1 at cloud base (Vogel et al. 2020), rounded down to 10 g m-2 s-1.
    - Middle latitudes over land in summer, daily means: 4.5 g m-2 s-1 shallow (0.03 rho w* after Grant 2001 in one afternoon of
      five), and deep what gives 1.3 mm of rain a day from air with 10 g/kg of which 0.4 falls, 3.8 g m-2 s-1; a quarter of
      both else. By satellite radar 55 % of this land's rain in the warm season is convective (Schumacher & Funk 2023).

    docs/science/meteorology.md says which numbers were read where, and what the belt's rain says of its deep part.
    """
    _, hour, _ = solar_geometry(surface, time)
    degrees = np.rad2deg(surface.latitude)
    afternoon = 1.0 + 0.8 * np.cos(hour - np.pi / 4.0) * surface.is_land
    pacific = 1.0 + 0.4 * np.cos(np.deg2rad(surface.grid.lon[None, :] - 125.0))
    belt = 0.010 * np.exp(-(((degrees + 7.0 * winter_north) / 9.0) ** 2)) * pacific * afternoon
    trades = 0.010 * np.exp(-(((np.abs(degrees) - 18.0) / 8.0) ** 2)) * ~surface.is_land
    summer = np.maximum(-winter_north * np.sign(degrees), 0.0)
    middle = np.exp(-(((np.abs(degrees) - 42.0) / 12.0) ** 2)) * (0.25 + 0.75 * summer * surface.is_land) * afternoon
    base = np.where(surface.is_land, 0.88, 0.92)
    rising = np.clip((1.0 - sigma) / (1.0 - base), 0.0, 1.0)
    storms = SUMMER_RAIN / (CLOUD_BASE_VAPOUR * RAIN_EFFICIENCY) * middle
    shallow = (0.55 * belt + trades + 0.0045 * middle) * _shallow_profile(sigma, base)
    deep = 0.45 * belt * _deep_profile(sigma, base, 0.13) + storms * _deep_profile(sigma, base, 0.22)
    return rising * (shallow + deep)


def _shallow_profile(sigma: np.ndarray, base: np.ndarray) -> np.ndarray:
    """1 at cloud base, falling by e in about a kilometre (Siebesma & Holtslag 1996), 0 above 62 % of surface pressure."""
    return np.clip((sigma - 0.62) / (base - 0.62), 0.0, 1.0) ** 2


def _deep_profile(sigma: np.ndarray, base: np.ndarray, top: float) -> np.ndarray:
    """1 at cloud base, 0 above `top`: half is let out evenly on the way, half in the fifth of the atmosphere's mass below
    the top (most at 230 hPa with 13 %; at 320 hPa or 8.6 km with 22 %, as over the United States: Starzec et al. 2020)."""
    aloft = np.clip((sigma - top) / 0.2, 0.0, 1.0)
    return 0.5 * np.clip((sigma - top) / (base - top), 0.0, 1.0) + 0.5 * aloft * aloft * (3.0 - 2.0 * aloft)
