"""Evaluation of a case from its output files: statistics, uncertainties, regional budgets, scores against truth."""
