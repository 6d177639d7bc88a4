"""Tests of ocm_geo.standards."""
