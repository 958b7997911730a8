"""A year of dry primitive-equation weather with seasons, continents and mountains as meteorology of the transport model."""
