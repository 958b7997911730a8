"""Settings: one definition table, a strict parser and the documentation made from it."""

from .settings import Settings, load

__all__ = ["Settings", "load"]
