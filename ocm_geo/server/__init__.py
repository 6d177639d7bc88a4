"""A mirror served as version 3 of the Open Charge Map API, on this machine or for a classroom."""

from ocm_geo.server.options import ServerOptions
from ocm_geo.server.running import RunningServer, make_app, serve_mirror
from ocm_geo.server.trouble import Trouble

__all__ = ["RunningServer", "ServerOptions", "Trouble", "make_app", "serve_mirror"]
