"""Surface fluxes: components and schemes, priors from files, perturbations, parameters, member fluxes, regions."""
