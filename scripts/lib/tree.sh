# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The project's own files: what git tracks or would add, and that exists.

# tree_files [PATTERN...]: paths below the current directory, one a line.
tree_files() {
  local file
  git ls-files --cached --others --exclude-standard -- "$@" | sort -u |
    while IFS= read -r file; do
      [[ ! -f $file ]] || printf '%s\n' "$file"
    done
}
