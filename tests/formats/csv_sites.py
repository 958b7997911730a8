"""Tables of samples: ICOS's atmosphere files, and one of another making that a map of columns describes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gcas_driver.observations import csv_sites
from gcas_driver.observations.streams import SurfaceStream

from . import Specimen
from .obspack import components
from .reading import rows

START, END = np.datetime64("2019-06-01", "s"), np.datetime64("2019-07-01", "s")
ICOS_HEADER = """# ICOS ATC Release - Hourly mole fractions
# STATION CODE: HTM
# STATION NAME: Hyltemossa
# LATITUDE: 56.0976
# LONGITUDE: 13.4189
# ALTITUDE: 115.0 m asl
# SAMPLING HEIGHTS: 70.0 m agl
# PARAMETER: co2
# TIME INTERVAL: hourly
# MEASUREMENT UNIT: µmol.mol-1
# MEASUREMENT SCALE: WMO CO2 X2019
# SAMPLING TYPE: continuous
# TIME ZONE: UTC
# COMMENT: Time-averaged values are reported at the beginning of the averaging interval.
# Flag: U, O and R mark valid data
#"""
ICOS_NAMES = "#Site;SamplingHeight;Year;Month;Day;Hour;Minute;DecimalDate;co2;Stdev;NbPoints;Flag;InstrumentId;QualityId"
OTHER_MAP = ("value=CO2 [ppm]", "uncertainty=unc [ppm]", "site=station", "time=time_utc", "latitude=lat", "longitude=lon",
             "altitude=height_asl", "flag=qc", "units=:ppm", "scale=:X2019")


def _write_icos(directory: Path) -> Path:
    path = directory / "ICOS_ATC_L2_L2-2020.1_HTM_70.0_CTS.CO2.csv"
    lines = []
    for i in range(24):
        time = np.datetime64("2019-06-10T00", "s") + np.timedelta64(i, "h")
        year, month, day, hour, minute, _ = components([time.astype(int)])[0]
        decimal = 2019.0 + (time - np.datetime64("2019-01-01", "s")).astype(int) / (365.0 * 86400.0)
        value = "-999.990;-9.990;0;N" if i == 4 else f"{408.0 + 0.25 * i:.3f};0.512;55;{'K' if i == 6 else 'O'}"
        lines.append(f"HTM;70.0;{year};{month:02d};{day:02d};{hour:02d};{minute:02d};{decimal:.8f};{value};395;{i}")
    path.write_text(ICOS_HEADER + "\n" + ICOS_NAMES + "\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def _write_other(directory: Path) -> Path:
    path = directory / "stations.csv"
    lines = ["# samples of two stations", "station,time_utc,lat,lon,height_asl,CO2 [ppm],unc [ppm],qc,remark"]
    for i in range(12):
        site, place = (("AAA", "48.5,7.5,350.0"), ("BBB", "-12.0,130.5,25.0"))[i % 2]
        value = "" if i == 5 else f"{410.0 - 0.3 * i:.2f}"
        lines.append(f'{site},2019-06-{10 + i:02d}T12:30:00Z,{place},{value},0.12,{"bad" if i == 8 else "ok"},"fog, wind"')
    path.write_text("\n".join(lines) + "\n")
    return path


def _read_icos(path: Path) -> dict[str, np.ndarray]:
    return rows(csv_sites.read(SurfaceStream("icos", path.parent, "csv"), START, END))


def _read_other(path: Path) -> dict[str, np.ndarray]:
    stream = SurfaceStream("stations", path.parent, "csv", columns=OTHER_MAP, flags=("ok",), time_stamp="middle")
    return rows(csv_sites.read(stream, START, END))


SPECIMENS = [Specimen("csv_icos", "text", _write_icos, _read_icos), Specimen("csv_by_map", "text", _write_other, _read_other)]
