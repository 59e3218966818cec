"""Analyses of ensembles in files, without a model."""
