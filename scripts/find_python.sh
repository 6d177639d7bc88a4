# Print the newest Python from 3.11 to 3.13 that really runs (shims of version managers may not).
check='import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))'
for candidate in $PYTHON python3.13 "$HOME"/.pyenv/versions/3.13.*/bin/python3.13 \
    python3.12 "$HOME"/.pyenv/versions/3.12.*/bin/python3.12 \
    python3.11 "$HOME"/.pyenv/versions/3.11.*/bin/python3.11 python3 python; do
  if "$candidate" -c "$check" >/dev/null 2>&1; then
    "$candidate" -c 'import sys; print(sys.executable)'
    exit 0
  fi
done
echo "no Python 3.11, 3.12 or 3.13 was found; set PYTHON=/path/to/python" >&2
exit 1
