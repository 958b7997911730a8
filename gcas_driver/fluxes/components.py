"""The kinds of surface flux, and the schemes that say which of them are perturbed and optimised.

Scheme names and what they keep: equations (2)-(5) of Jiang et al. (2021), and one more from later practice.
"""

from __future__ import annotations

from dataclasses import dataclass

from gcas_driver.errors import SettingsError

COMPONENTS: tuple[str, ...] = ("bio", "ocn", "fossil", "fire")
NET = "net"

LONG_NAMES = {
    "bio": "net ecosystem exchange of the land biosphere",
    "ocn": "air-sea exchange",
    "fossil": "fossil fuel and cement emission",
    "fire": "biomass burning emission",
    NET: "sum of all surface fluxes",
}

# Position of a component in the counter of the random numbers. Never renumber: runs could not be repeated.
RANDOM_CODES = {"bio": 0, "ocn": 1, "fossil": 2, "fire": 3, NET: 4}


@dataclass(frozen=True)
class Scheme:
    """What is perturbed and optimised, and what is kept.

    Attributes
    ----------
    name : str
        Value of the setting `scheme`.
    optimised : tuple of str
        Names of the optimised fluxes; ("net",) stands for the sum of all components as one flux.
    kept : tuple of str
        Components that enter the transport unchanged.
    equation : str
        Of Jiang et al. (2021).
    """

    name: str
    optimised: tuple[str, ...]
    kept: tuple[str, ...]
    equation: str

    def parts(self, optimised: str) -> tuple[str, ...]:
        """The components whose sum is the optimised flux of that name."""
        return COMPONENTS if optimised == NET else (optimised,)


SCHEMES: dict[str, Scheme] = {
    scheme.name: scheme
    for scheme in (
        Scheme("bio", ("bio",), ("ocn", "fossil", "fire"), "(2)"),
        Scheme("bio_ocn", ("bio", "ocn"), ("fossil", "fire"), "(3)"),
        Scheme("bio_ocn_fossil", ("bio", "ocn", "fossil"), ("fire",), "(4)"),
        Scheme(NET, (NET,), (), "(5)"),
        Scheme("bio_ocn_fire", ("bio", "ocn", "fire"), ("fossil",), ""),
    )
}


def scheme_of(scheme: str | Scheme) -> Scheme:
    """The scheme of that name.

    Raises
    ------
    SettingsError
        If there is none.
    """
    if isinstance(scheme, Scheme):
        return scheme
    if scheme not in SCHEMES:
        raise SettingsError("unknown scheme", "&state, scheme", repr(scheme), ", ".join(SCHEMES))
    return SCHEMES[scheme]
