"""Official registers of charging stations, read into the station table of the package."""

from ocm_geo.registers.catalogue import registers
from ocm_geo.registers.reading import read_register

__all__ = ["read_register", "registers"]
