"""Download of the stations of a map: CSV and GeoPackage."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import ipywidgets

from ocm_geo.files import write
from ocm_geo.widgets.parts import own_widget

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

__all__ = ["Downloads", "pack_csv", "pack_geopackage"]


def pack_csv(stations: gpd.GeoDataFrame) -> bytes:
    """
    Return stations as CSV with the file of its source, in one archive.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.

    Returns
    -------
    bytes
        A zip archive: a bare CSV file would lose source, date and licence.
    """
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        write(stations, Path(folder) / "stations.csv")
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).iterdir()):
                archive.write(path, path.name)
    return packed.getvalue()


def pack_geopackage(stations: gpd.GeoDataFrame) -> bytes:
    """
    Return stations as GeoPackage.

    Parameters
    ----------
    stations : geopandas.GeoDataFrame
        A station table.

    Returns
    -------
    bytes
        The file, with its source inside.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stations.gpkg"
        write(stations, path)
        return path.read_bytes()


_KINDS = (
    ("Download CSV", "stations_csv.zip", "application/zip", pack_csv),
    ("Download GeoPackage", "stations.gpkg", "application/geopackage+sqlite3", pack_geopackage),
)


class Downloads:
    """
    Buttons that download stations.

    Parameters
    ----------
    choose : callable
        Returns the stations that are downloaded.
    tell : callable
        Receives a text when there are none.

    Attributes
    ----------
    buttons : list of ipywidgets.Button
        One for each kind of file.
    saver : anywidget.AnyWidget
        Hands the file over to the browser.
    """

    def __init__(self, choose: Callable[[], gpd.GeoDataFrame], tell: Callable[[str], None]) -> None:
        self._choose, self._tell = choose, tell
        self.saver = own_widget("saver")
        self.buttons = [ipywidgets.Button(description=label) for label, *_ in _KINDS]
        for button, (_, name, kind, pack) in zip(self.buttons, _KINDS, strict=True):
            button.layout.width = "auto"
            button.tooltip = "The selected stations, or those in view if none is selected"
            button.on_click(lambda _, name=name, kind=kind, pack=pack: self.send(name, kind, pack))

    def send(self, name: str, kind: str, pack: Callable[[gpd.GeoDataFrame], bytes]) -> None:
        """
        Send the chosen stations to the browser.

        Parameters
        ----------
        name : str
            Name of the file.
        kind : str
            Its media type.
        pack : callable
            Returns the file.
        """
        stations = self._choose()
        if stations.empty:
            self._tell("Nothing to download: no station is selected or in view.")
            return
        self.saver.send({"name": name, "type": kind}, [pack(stations)])
