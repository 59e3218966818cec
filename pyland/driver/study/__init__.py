"""Several assimilation runs of one case, compared."""
