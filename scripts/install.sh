# Install a locked set and ocm_geo itself: sh scripts/install.sh core|dev|oldest [.venv]
# Uses uv from the bootstrap environment; plain pip, slower, where uv could not be had.
set -eu
boot=.make/bootstrap/bin
venv=${2:-.venv}
python=$venv/bin/python

if [ ! -x "$python" ]; then
  "$boot/python" -m venv --clear "$venv"
fi
pip="$python -m pip install --quiet"
install=$pip
if [ -x "$boot/uv" ]; then
  # uv stops where its cache cannot be written; HOME may be read-only.
  cache=${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}
  if [ -z "${UV_CACHE_DIR:-}" ] && ! { mkdir -p "$cache/uv" && [ -w "$cache/uv" ]; } 2>/dev/null; then
    export UV_CACHE_DIR="$PWD/.make/uv-cache"
  fi
  install="$boot/uv pip install --quiet --python $python"
fi
locked="--require-hashes -r requirements/$1.txt"
# uv does not know all settings of pip: where it fails, pip has the last word.
$install $locked || $pip $locked
$pip --no-deps --no-build-isolation -e .
