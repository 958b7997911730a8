"""The one door to the Fortran analysis: ensemble filters, their localization, and operators linear in the members."""

from .diagnostics import Diagnostics, diagnose, nothing_to_diagnose
from .filters import ensrf, letkf
from .inflation import AdaptiveInflation
from .localization import Localization, critical_correlation
from .result import AnalysisResult

__all__ = ["AdaptiveInflation", "AnalysisResult", "Diagnostics", "Localization", "critical_correlation", "diagnose", "ensrf", "letkf",
           "nothing_to_diagnose"]
