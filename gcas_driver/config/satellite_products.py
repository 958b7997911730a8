"""Satellite products that GCAS reads, and the settings whose default depends on the product, each with its source.

Pure data: the definition table, the settings' defaults and the readers take it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Product:
    """Defaults of one product.

    Attributes
    ----------
    error_factor : float
        Factor on the retrieval's uncertainty [1].
    quality_flag : int
        Value of the quality flag that is kept; -1: all.
    cell_degrees : float
        Cells in which the soundings of an overpass are averaged [degrees]; 0: none.
    error_variables : tuple of str
        Variables added to the error in quadrature.
    pattern : str
        Names of the files.
    """

    error_factor: float
    quality_flag: int
    cell_degrees: float
    error_variables: tuple[str, ...]
    pattern: str


PRODUCTS: Mapping[str, Product] = MappingProxyType({
    # 1.9: Jiang et al. (2021), section 3.3, after Deng et al. (2014) and Wang et al. (2019), for GOSAT.
    "acos_lite": Product(1.9, 0, 1.0, (), "*_??CO2_{yymmdd}_*.nc4"),
    # 3.5: what groups that run GCASv2 multiply the errors of single OCO-2 soundings with; not published. OCO-3 as OCO-2.
    "oco2_lite": Product(3.5, 0, 1.0, (), "oco2_LtCO2_{yymmdd}_*.nc4"),
    "oco3_lite": Product(3.5, 0, 1.0, (), "oco3_LtCO2_{yymmdd}_*.nc4"),
    # The intercomparison's own files: averages over 10 s with their error and the models'; flag 1 is "assimilate".
    "oco2_mip": Product(1.0, 1, 0.0, ("model_error",), "OCO*_10sec_*.nc*"),
    "gcasv2_satellite": Product(1.9, -1, 1.0, (), "*_{yyyymmdd}.nc"),
    # Nothing is known of it: nothing is assumed.
    "mapped": Product(1.0, -1, 0.0, (), ""),
})
BY_PRODUCT = ("error_factor", "quality_flag", "cell_degrees", "error_variables")
"""Settings of &satellite that take the product's default where the namelist leaves them out."""


def product_defaults(product: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The product's values of those settings that are None in `given`."""
    return {name: getattr(PRODUCTS[product], name) for name in BY_PRODUCT if given[name] is None}


def defaults_text(name: str, also: str = "") -> str:
    """A sentence for the documentation: the default by product."""
    values: dict[Any, list[str]] = {}
    for product, record in PRODUCTS.items():
        values.setdefault(getattr(record, name), []).append(f"`{product}`")
    parts = [f"{'none' if value == () else ', '.join(value) if isinstance(value, tuple) else format(value, 'g')} for {', '.join(products)}"
             for value, products in values.items()]
    return f"Default: {'; '.join(parts)}{also}."
