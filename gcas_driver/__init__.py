"""GCAS: the surface fluxes of CO2 that best agree with observations of the atmosphere."""

from importlib.metadata import version

__version__ = version("gcas")

__all__ = ["__version__"]
