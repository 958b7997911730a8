"""The one door to the Fortran analysis: ensemble filters, their localization, and operators linear in the members."""

from .filters import AnalysisResult, ensrf, letkf
from .localization import Localization, critical_correlation

__all__ = ["AnalysisResult", "Localization", "critical_correlation", "ensrf", "letkf"]
