# Print the newest Python from 3.11 to 3.13 that runs and can make a virtual environment.
# Every folder of PATH is tried, because a version manager's shim may stand first and fail.
check='import ensurepip, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'

try() {
  if "$1" -c "$check" >/dev/null 2>&1; then
    "$1" -c 'import sys; print(sys.executable)'
    exit 0
  fi
}

if [ -n "$PYTHON" ]; then
  try "$PYTHON"
  echo "PYTHON=$PYTHON is no Python from 3.11 to 3.13 with the modules venv and ensurepip" >&2
  exit 1
fi
for name in python3.13 python3.12 python3.11 python3 python; do
  version=${name#python}
  rest=$PATH:
  while [ -n "$rest" ]; do
    folder=${rest%%:*}
    rest=${rest#*:}
    [ -x "$folder/$name" ] && try "$folder/$name"
  done
  case $version in 3.*)
    for found in "$HOME/.pyenv/versions/$version".*/bin/"$name" \
        "$HOME"/.local/share/uv/python/cpython-"$version".*/bin/"$name"; do
      [ -x "$found" ] && try "$found"
    done
  esac
done
echo "found no Python 3.11, 3.12 or 3.13 with the modules venv and ensurepip:" >&2
echo "install one, or name it: make PYTHON=/path/to/python ..." >&2
exit 1
