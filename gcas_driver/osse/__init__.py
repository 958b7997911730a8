"""Synthetic experiments: observations, priors and a truth to be recovered, all written as ordinary input files."""
