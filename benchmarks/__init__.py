"""Ratios of ocm_geo against named peers, on the same work."""
