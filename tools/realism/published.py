"""What is published about the tracers: each figure with its source; a range only where a source gives numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from . import measures


@dataclass(frozen=True)
class Line:
    """One line of the page's table.

    Attributes
    ----------
    name, what
        Key, and what is measured, with its unit.
    measure
        Of a run.
    low, high
        The published range; None: open on that side; both None: nothing to compare with, given for completeness.
    published
        In words, with the source.
    """

    name: str
    what: str
    measure: Callable[[Mapping[str, np.ndarray]], float]
    low: float | None
    high: float | None
    published: str

    def holds(self, value: float) -> bool | None:
        """Whether a value is inside; None where there is nothing to compare with, or no value."""
        if np.isnan(value) or (self.low is None and self.high is None):
            return None
        return bool((self.low is None or value >= self.low) and (self.high is None or value <= self.high))


LAST = slice(-12, None)
MAISS = "1.4 yr from two stations (Maiss & Levin 1994), 1.7 ± 0.2 yr from ground level (Maiss et al. 1996)"
LINES = (
    Line("ground", "τ by the lowest layer (yr)", lambda run: measures.exchange_times(run)["ground"], 1.2, 1.9, MAISS),
    Line("troposphere", "τ by the troposphere, below 200 hPa (yr)", lambda run: measures.exchange_times(run)["troposphere"], 0.7, 1.4,
         "a mean residence time of about one year (Maiss & Levin 1994); 320 days from winds (Newell et al. 1969)"),
    Line("all air", "τ by all air (yr)", lambda run: measures.exchange_times(run)["all air"], None, None,
         "smaller than at the ground, and less unlike among models (Denning et al. 1999)"),
    Line("ratio", "τ at the ground over τ by all air", lambda run: measures.exchange_times(run)["ground"]
         / measures.exchange_times(run)["all air"], 1.0, None, "sources stay near the ground (Denning et al. 1999)"),
    Line("lag", "SF6 lag of 250 hPa, 50-60°S, behind 850 hPa at 30-60°N (yr)", lambda run: measures.sf6_lag(run, 2.5e4, -60.0, -50.0),
         1.0, 2.0, "over one year at the southernmost flights (Schuck et al. 2024); no upper figure found, twice as much is ours"),
    Line("age", "age at 900 hPa, 40-70°S, since the lowest layer at 30-50°N (yr)", lambda run: measures.age(run, 9.0e4, -70.0, -40.0),
         0.8, 1.7, "southern SF6 follows the north by about a year (Maiss & Levin 1994); too old in most models (Yang et al. 2019)"),
    Line("tropics", "age at 900 hPa, 5°S-5°N (yr)", lambda run: measures.age(run, 9.0e4, -5.0, 5.0), None, None, "no figure found"),
    Line("above layer", "radon above the boundary layer, land 30-60°N, summer afternoons (share)",
         lambda run: measures.radon_shares(run, "JJA")[0], 0.40, 0.70, "0.55 in summer (Liu et al. 1984); ± 0.15 is ours"),
    Line("above 5.5 km", "radon above 5.5 km, land 30-60°N, summer afternoons (share)",
         lambda run: measures.radon_shares(run, "JJA")[1], 0.12, 0.28,
         "0.20 in summer (Liu et al. 1984); ± 0.08 is ours"),
    Line("winter", "radon above the boundary layer, winter over summer", lambda run: measures.radon_shares(run, "DJF")[0]
         / measures.radon_shares(run, "JJA")[0], None, None,
         "considerably less in winter (Liu et al. 1984); their boundary layer's depth in winter is not known to us"),
    Line("winter high", "radon above 5.5 km, winter over summer", lambda run: measures.radon_shares(run, "DJF")[1]
         / measures.radon_shares(run, "JJA")[1], None, 1.0, "less in winter (Liu et al. 1984)"),
    Line("low over 500", "radon at 950 hPa over 500 hPa, summer afternoons", lambda run: measures.radon_at(run, "JJA", 9.5e4)
         / measures.radon_at(run, "JJA", 5.0e4), None, None, "models differ much here (Krol et al. 2018); no figure found"),
    Line("low over 300", "radon at 950 hPa over 300 hPa, summer afternoons", lambda run: measures.radon_at(run, "JJA", 9.5e4)
         / measures.radon_at(run, "JJA", 3.0e4), None, None,
         "no figure found; less than the line above where convection lets its air out aloft"),
    Line("middle over 300", "radon at 700 hPa over 300 hPa, summer afternoons", lambda run: measures.radon_at(run, "JJA", 7.0e4)
         / measures.radon_at(run, "JJA", 3.0e4), 1.0, None,
         "mean profiles fall with height: eddy diffusivities could be derived from them (Liu et al. 1984)"),
    Line("boreal", "radon in the lowest 60 m, boreal land 55-65°N, geometric mean of all hours (Bq m-3)",
         lambda run: measures.boreal_radon(run, LAST), 1.4, 4.3,
         "geometric mean 2.5, standard deviation a factor of 1.7, in southern Finland (Chen et al. 2016)"),
    Line("boreal mean", "the same as an arithmetic mean (Bq m-3)", lambda run: measures.boreal_radon_mean(run, LAST), None, None,
         "was compared with that geometric mean until both were kept"),
    Line("rectifier", "annual mean of a balanced flux at the ground, 60-90°N less 60-90°S (ppm)",
         lambda run: measures.mean_between(run, measures.rectifier(run, False), 60.0, 90.0), 0.5, 2.5,
         "about +1.5 at high northern latitudes in Denning et al. (1995); ± 1 is ours"),
    Line("rectifier polar season", "the same without the day, 60-90°N less 60-90°S (ppm)",
         lambda run: measures.mean_between(run, measures.rectifier(run, True), 60.0, 90.0), None, None,
         "the seasonal rectifier alone; no figure found"),
    Line("rectifier middle", "annual mean of a balanced flux at the ground, 30-60°N less 60-90°S (ppm)",
         lambda run: measures.mean_between(run, measures.rectifier(run, False), 30.0, 60.0), 0.0, None, "positive (Denning et al. 1995)"),
    Line("rectifier season", "the same without the day, 30-60°N",
         lambda run: measures.mean_between(run, measures.rectifier(run, True), 30.0, 60.0), None, None, "no figure found"),
    Line("arctic winter", "Arctic age of the lowest layer, 80-90°N, winter (d)",
         lambda run: measures.polar_age(run, "DJF", None, 80.0, 90.0), 4.0, 10.0, "about 7 (Stohl 2006); 4 to 10 is ours"),
    Line("arctic summer", "Arctic age of the lowest layer, 80-90°N, summer (d)",
         lambda run: measures.polar_age(run, "JJA", None, 80.0, 90.0), 9.0, 19.0,
         "about 14 (Stohl 2006); 9 to 19 is ours"),
    Line("arctic aloft", "Arctic age at 300 hPa, 80-90°N, winter (d)",
         lambda run: measures.polar_age(run, "DJF", 3.0e4, 80.0, 90.0), 2.0, 5.0,
         "about 3 in the upper troposphere (Stohl 2006); 2 to 5 is ours"),
    Line("antarctic", "Antarctic age of the lowest layer, 80-90°S, year's mean of both solstice seasons (d)",
         lambda run: 0.5 * (measures.polar_age(run, "DJF", None, -90.0, -80.0) + measures.polar_age(run, "JJA", None, -90.0, -80.0)),
         None, None, "no figure found"),
)

_DRY = (
    "Measured: the equator is the barrier (below: the way south); in the analytic circulation it is not. Argument, from another dry "
    "model: under heating with a season but the same at all longitudes southern air is much older than observed, and heating like that of"
    " monsoons mends it (Chen et al. 2017). Here land and sea differ in their heating near the ground alone. Not tried in this model.")
_POLAR = (
    "Experiment, of February: more wind across 70°N is enough. With the analytic circulation's polar waves added, and nothing else "
    "changed, ages fall to less than half: neither the advection scheme nor the caps nor the vertical mixing, which stay, keeps them old."
    " Measured: transient v at 71°N near 830 hPa is 3.3 m/s in January and 3.0 in July (analytic circulation: 6.3 and 5.0), near 320 hPa "
    "6.8 and 6.1 (7.8 and 6.2). Not known: the atmosphere's own, for which no figure was found, and why a dry T42 atmosphere has so "
    "little.")
_BOREAL = (
    "Experiments, of February in the analytic circulation: either published flux is enough. With the one that falls from 30°N on (Conen "
    "& Robertson 2002), or with frozen soils that emit a third, it is inside, so mixing need not be at fault. Not shown: the year, and "
    "which flux these soils give.")
WHY = {
    "analytic": {
        "lag":
            "Measured: it is not the height, as was argued here: next to nothing of it lies between 850 and 250 hPa, and three fifths "
            "lie on the way from the source to 10-20°N (below: the way south). Experiments: tropical waves twice as fast bring it "
            "inside, with τ at the lower edge of its ranges; waves that reach twice as far, into the subtropics, do too, with τ below "
            "them; the season of the winds does nothing; without convection it is longer by three tenths, at the same τ of the "
            "troposphere. Its parts: 0.88 yr is what 850 hPa over the source has above the northern troposphere, 1.04 what lies between "
            "the hemispheres, 0.29 what is left in the south. Either of the first two may be too large, for τ has room for a quarter "
            "less of the second; which, is not known.",
        "age":
            "Measured: air is 1.3 years old at 10-20°N and but half a year older in the far south. So it is the way from the northern "
            "middle latitudes into the tropics that is slow, as in most models (Yang et al. 2019). Experiments: tropical waves that "
            "reach twice as far, or are twice as fast, make it younger by 0.14 and 0.08 of 1.39, the former after 38 months by 0.37 of "
            "2.07 (τ: above); the season of the winds does nothing. So the table, which is of two years, shows less of the miss than "
            "there is. Argument, not tried: monsoons, which this circulation has not.",
        "boreal": _BOREAL,
        "rectifier":
            "Experiment: the season of the winds makes most of it. With those of the equinox all year, and boundary layer and clouds as "
            "they are, it is positive, though still below its range, and poleward of 72°N it stays at -0.5 ppm: the rest is not known. "
            "Argument, which ages bear out: this circulation's waves are weaker in summer than in winter, so Arctic air holds the "
            "summer's uptake longer than the winter's respiration (without the season 18.7 and 19.5 days in winter and summer, with it "
            "15.7 and 24.4). The layer over sea ice, argued before, is not it: the open sea's changes next to nothing. Boundary layer "
            "and convection do what is published: without a season in the one, or without the other, it is more negative still.",
    },
    "primitive": {
        **dict.fromkeys(("ground", "troposphere", "lag", "age"), _DRY),
        **dict.fromkeys(("arctic winter", "arctic summer", "arctic aloft"), _POLAR),
        "boreal": _BOREAL,
        "rectifier":
            "Measured: from 46 to 66°N, over land that emits, it is 0.8 to 1.3 ppm; poleward of 72°N it is negative, to -1.8 at the "
            "pole, as in the analytic circulation, whose experiment says that most of it is the season of the winds. Not tried with "
            "these.",
    },
}
"""What is known of why a line is missed, by circulation and line; each says what is measured, shown by an experiment, argued."""

SOURCES = """## Sources
Chen, G., C. Orbe & D. Waugh (2017), J. Geophys. Res. Atmos. 122, 3282 · Chen, X. et al. (2016), Boreal Environ. Res. 21, 299 ·
Conen & Robertson (2002), Tellus 54B, 488 ·
Denning, Fung & Randall (1995), Nature 376, 240 (its figure as others quote it) · Denning et al. (1999), Tellus 51B, 266 ·
Krol et al. (2018), Geosci. Model Dev. 11, 3109 · Liu, McAfee & Cicerone (1984), J. Geophys. Res. 89, 7291 ·
Maiss & Levin (1994), Geophys. Res. Lett. 21, 569 · Maiss et al. (1996), Atmos. Environ. 30, 1621 ·
Newell, Vincent & Kidson (1969), Tellus 21, 641 · Schuck et al. (2024), Atmos. Chem. Phys. 24, 689 ·
Stohl (2006), J. Geophys. Res. 111, D11306 · Yang et al. (2019), Geophys. Res. Lett. 46, 1113 ·
Zhang, B. et al. (2021), Atmos. Chem. Phys. 21, 1861.

Read for this page: the abstracts. Figures that are only in the papers' bodies are not quoted; where "ours" is said, the source gives one
number and the range about it is a choice made before the runs were looked at. The line of radon at 700 hPa over 300 hPa was added after its
profile had been seen.
"""
