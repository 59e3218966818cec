"""Estimation of parameters of a case: all chains are members of one model call (``pyland calibrate``)."""
