"""Sites of NOAA's flask network: approximate coordinates, for synthetic experiments only.

`error_ppm` is the model-data mismatch that an experiment gives a site of its kind: small over the ocean and at the
poles, larger on coasts and mountains, largest inside continents.
"""

from __future__ import annotations

from dataclasses import dataclass

ERROR_PPM = {"marine": 0.8, "polar": 0.6, "mountain": 1.2, "coast": 1.8, "land": 3.0}


@dataclass(frozen=True)
class Site:
    """Code, place [degrees], elevation of the ground and height of the inlet above it [m], kind (see `ERROR_PPM`)."""

    code: str
    lat: float
    lon: float
    elevation: float
    intake: float
    kind: str

    @property
    def altitude(self) -> float:
        """Height of the sample above sea level [m]."""
        return self.elevation + self.intake

    @property
    def error_ppm(self) -> float:
        """Model-data mismatch error [ppm]."""
        return ERROR_PPM[self.kind]


SITES = tuple(Site(*row) for row in (
    ("ABP", -12.77, -38.17, 1, 5, "coast"), ("ALT", 82.45, -62.51, 185, 5, "polar"), ("AMT", 45.03, -68.68, 53, 107, "land"),
    ("ASC", -7.97, -14.40, 85, 5, "marine"), ("ASK", 23.26, 5.63, 2710, 5, "mountain"), ("AZR", 38.77, -27.38, 19, 5, "marine"),
    ("BAL", 55.35, 17.22, 3, 25, "coast"), ("BAO", 40.05, -105.00, 1584, 300, "land"), ("BHD", -41.41, 174.87, 85, 10, "coast"),
    ("BKT", -0.20, 100.32, 845, 30, "coast"), ("BMW", 32.26, -64.88, 30, 30, "marine"), ("BRW", 71.32, -156.61, 11, 16, "polar"),
    ("BSC", 44.18, 28.66, 0, 5, "coast"), ("CBA", 55.21, -162.72, 21, 5, "marine"), ("CGO", -40.68, 144.69, 94, 70, "marine"),
    ("CHR", 1.70, -157.15, 0, 5, "marine"), ("CPT", -34.35, 18.49, 230, 30, "marine"), ("CRZ", -46.43, 51.85, 197, 5, "marine"),
    ("DRP", -59.00, -64.69, 0, 10, "marine"), ("DSI", 20.70, 116.73, 3, 5, "coast"), ("EIC", -27.16, -109.43, 47, 8, "marine"),
    ("GMI", 13.39, 144.66, 0, 6, "marine"), ("HBA", -75.61, -26.21, 30, 5, "polar"), ("HPB", 47.80, 11.02, 936, 5, "land"),
    ("HUN", 46.95, 16.65, 248, 96, "land"), ("ICE", 63.40, -20.29, 118, 9, "marine"), ("IZO", 28.31, -16.50, 2373, 5, "mountain"),
    ("KEY", 25.67, -80.16, 1, 5, "coast"), ("KUM", 19.52, -154.82, 3, 5, "marine"), ("LEF", 45.95, -90.27, 472, 396, "land"),
    ("LLN", 23.47, 120.87, 2862, 5, "mountain"), ("LMP", 35.52, 12.62, 45, 5, "coast"), ("MEX", 18.98, -97.31, 4464, 5, "mountain"),
    ("MHD", 53.33, -9.90, 5, 21, "marine"), ("MID", 28.21, -177.38, 5, 6, "marine"), ("MKN", -0.06, 37.30, 3644, 5, "mountain"),
    ("MLO", 19.54, -155.58, 3397, 5, "mountain"), ("NAT", -5.51, -35.26, 15, 5, "coast"), ("NMB", -23.58, 15.03, 456, 5, "coast"),
    ("NWR", 40.05, -105.59, 3523, 3, "mountain"), ("OXK", 50.03, 11.81, 1022, 163, "land"), ("PAL", 67.97, 24.12, 565, 5, "land"),
    ("PSA", -64.77, -64.05, 10, 5, "polar"), ("PTA", 38.95, -123.73, 17, 5, "coast"), ("RPB", 13.16, -59.43, 15, 5, "marine"),
    ("SDZ", 40.65, 117.12, 287, 5, "land"), ("SEY", -4.68, 55.53, 2, 5, "marine"), ("SGP", 36.61, -97.49, 314, 60, "land"),
    ("SHM", 52.71, 174.13, 23, 5, "marine"), ("SMO", -14.25, -170.56, 42, 18, "marine"), ("SPO", -89.98, -24.80, 2810, 11, "polar"),
    ("STM", 66.00, 2.00, 0, 7, "marine"), ("SUM", 72.60, -38.42, 3210, 5, "polar"), ("SYO", -69.01, 39.58, 14, 2, "polar"),
    ("TAP", 36.74, 126.13, 16, 5, "coast"), ("THD", 41.05, -124.15, 107, 5, "coast"), ("TIK", 71.60, 128.89, 19, 10, "coast"),
    ("USH", -54.85, -68.31, 12, 20, "coast"), ("UTA", 39.90, -113.72, 1327, 5, "land"), ("UUM", 44.45, 111.10, 1007, 5, "land"),
    ("WIS", 29.97, 35.06, 151, 5, "land"), ("WKT", 31.31, -97.33, 251, 457, "land"), ("WLG", 36.29, 100.90, 3810, 5, "mountain"),
    ("ZEP", 78.91, 11.89, 474, 5, "polar"),
))
"""64 sites."""
