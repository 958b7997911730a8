"""Where the sun stands."""

from __future__ import annotations

import numpy as np

DAY_SECONDS = 86400.0


def solar_zenith(time: np.ndarray, lon: np.ndarray, lat: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Solar zenith angle and declination [degrees]; good to about half a degree."""
    since_2000 = time / DAY_SECONDS - 10957.5
    mean_longitude = np.deg2rad((280.47 + 0.9856474 * since_2000) % 360.0)
    anomaly = np.deg2rad((357.53 + 0.9856003 * since_2000) % 360.0)
    ecliptic = mean_longitude + np.deg2rad(1.915 * np.sin(anomaly) + 0.020 * np.sin(2 * anomaly))
    tilt = np.deg2rad(23.44)
    declination = np.arcsin(np.sin(tilt) * np.sin(ecliptic))
    right_ascension = np.arctan2(np.cos(tilt) * np.sin(ecliptic), np.cos(ecliptic))
    equation = (mean_longitude - right_ascension + np.pi) % (2 * np.pi) - np.pi
    hour_angle = 2 * np.pi * (time / DAY_SECONDS % 1.0) - np.pi + np.deg2rad(lon) + equation
    phi = np.deg2rad(lat)
    cosine = np.sin(phi) * np.sin(declination) + np.cos(phi) * np.cos(declination) * np.cos(hour_angle)
    return np.rad2deg(np.arccos(np.clip(cosine, -1.0, 1.0))), np.rad2deg(declination)
