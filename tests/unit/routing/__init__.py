"""Tests of ocm_geo.routing."""
