"""Build tiles from an OpenStreetMap extract and route on them with embedded Valhalla."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path as FilePath
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ocm_geo.errors import MissingDependency, RouteError
from ocm_geo.paths import expand_path, write_whole
from ocm_geo.routing.engines import ValhallaDialect

if TYPE_CHECKING:
    import os

__all__ = ["ValhallaTiles", "build_tiles"]

_CONFIG = "valhalla.json"


def _import_valhalla() -> Any:  # noqa: ANN401 - a module
    """Import the optional package, or name the extra to install."""
    try:
        import valhalla  # noqa: PLC0415 - optional
    except ImportError as error:
        raise MissingDependency("pyvalhalla", "routing") from error
    return valhalla


def build_tiles(
    pbf: str | os.PathLike[str], folder: str | os.PathLike[str], *, costing: str = "auto"
) -> ValhallaTiles:
    """
    Build routing tiles from an OpenStreetMap extract.

    Parameters
    ----------
    pbf : str or path
        An ``.osm.pbf`` file, such as a country's from a mirror of extracts.
    folder : str or path
        Folder of the tiles; created if it does not exist.
    costing : str
        Valhalla's costing model, such as ``auto`` or ``truck``.

    Returns
    -------
    ValhallaTiles
        An engine over the tiles.

    Raises
    ------
    MissingDependency
        If the extra ``routing`` is not installed.
    RouteError
        If the file cannot be read, or contains no roads.

    Examples
    --------
    >>> import ocm_geo as ocm
    >>> engine = ocm.build_tiles("andorra.osm.pbf", "tiles")  # doctest: +SKIP
    """
    package = _import_valhalla()
    pbf = expand_path(pbf, "pbf")
    if not pbf.is_file():
        raise RouteError(f"there is no file {pbf}")
    target = expand_path(folder, "folder")
    target.mkdir(parents=True, exist_ok=True)
    config = package.get_config(tile_extract="", tile_dir=target, verbose=False)
    write_whole(target / _CONFIG, json.dumps(config))
    program = FilePath(package.__file__).parent / "bin" / "valhalla_build_tiles"
    command = [str(part) for part in (program, "-c", target / _CONFIG, pbf)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode or not any(target.rglob("*.gph")):
        raise RouteError(f"no tiles could be built from {pbf}: {done.stderr.strip()[-300:]}")
    return ValhallaTiles(target, costing=costing)


class ValhallaTiles(ValhallaDialect):
    """
    Valhalla inside this process, over tiles on disk.

    Parameters
    ----------
    folder : str or path
        Folder of `build_tiles`.
    costing : str
        Valhalla's costing model, such as ``auto`` or ``truck``.

    Raises
    ------
    MissingDependency
        If the extra ``routing`` is not installed.
    RouteError
        If the folder contains no tiles.
    """

    def __init__(self, folder: str | os.PathLike[str], *, costing: str = "auto") -> None:
        super().__init__(costing)
        self.folder = expand_path(folder, "folder")
        if not (self.folder / _CONFIG).is_file():
            raise RouteError(f"{self.folder} contains no tiles: make them with build_tiles")
        self._package = _import_valhalla()
        # The folder may have been moved since the tiles were built.
        config = self._package.get_config(tile_extract="", tile_dir=self.folder, verbose=False)
        # Given a dictionary, the package would leave a temporary file behind.
        with TemporaryDirectory() as temporary:
            path = FilePath(temporary) / _CONFIG
            path.write_text(json.dumps(config), encoding="utf-8")
            self._actor = self._package.Actor(path)

    def __repr__(self) -> str:
        """Return the class with its folder."""
        return f"ValhallaTiles({str(self.folder)!r}, costing={self.costing!r})"

    def _ask(self, action: str, document: dict[str, Any]) -> dict[str, Any]:
        """Return the answer of the embedded engine."""
        try:
            # The embedded engine has another name for what servers call sources_to_targets.
            word = "matrix" if action == "sources_to_targets" else action
            answer = getattr(self._actor, word)(document)
        except (RuntimeError, self._package.ValhallaError) as error:
            raise RouteError(f"the engine found no path: {error}") from error
        return dict(answer)
