# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Rules of the tree that a compiler does not know. Each prints what breaks it
# and fails.

# A file that needs more has two jobs.
readonly MAX_FILE_LINES=300

# is_verbatim FILE: whether its text is not ours to change: what a package manager
# writes (versions and checksums), and licences.
is_verbatim() {
  case $1 in
    go.sum | Cargo.lock | package-lock.json) return 0 ;;
    */go.sum | */Cargo.lock | */package-lock.json) return 0 ;;
    LICENSE | LICENSES/*.txt) return 0 ;;
  esac
  return 1
}

rule_length() {
  local file lines failed=0
  while IFS= read -r file; do
    ! is_verbatim "$file" || continue
    grep -qI . "$file" || continue
    lines=$(wc -l < "$file")
    ((lines <= MAX_FILE_LINES)) && continue
    printf '%s: %s lines, more than %s\n' "$file" "$lines" "$MAX_FILE_LINES"
    failed=1
  done < <(tree_files)
  return $failed
}

# licence_for FILE: what its SPDX line says. LICENSES/README.md says why.
licence_for() {
  case $1 in
    bpf/* | vmlinux*.h) echo 'GPL-2.0-only OR BSD-2-Clause' ;;
    include/abi/*) echo 'Apache-2.0 OR GPL-2.0-only OR BSD-2-Clause' ;;
    *) echo 'Apache-2.0' ;;
  esac
}

# licence_in FILE: what the SPDX line says, without the end of a comment.
licence_in() {
  sed -nE '4q; s/.*SPDX-License-Identifier: +//; T; s/ *(\*\/|-->)? *$//; p; q' "$1"
}

# Formats without comments (JSON), prose and captured test inputs carry none.
rule_licence() {
  local file wanted found failed=0
  while IFS= read -r file; do
    case $file in
      *.md | *.json | */fixtures/* | */corpus/*) continue ;;
    esac
    ! is_verbatim "$file" || continue
    grep -qI . "$file" || continue
    wanted=$(licence_for "$file")
    found=$(licence_in "$file")
    [[ $found != "$wanted" ]] || continue
    printf "%s: want 'SPDX-License-Identifier: %s' in its first lines, got '%s'\n" \
      "$file" "$wanted" "$found"
    failed=1
  done < <(tree_files)
  return $failed
}

# The kernel's own spelling of what bpf/ is under (license_is_gpl_compatible()).
rule_kernel_licence() {
  ! tree_files 'bpf/*' | xargs -d '\n' grep -nHF 'SEC("license")' |
    grep -vF '= "Dual BSD/GPL";'
}

# What is true of this machine only (where the tree and the home are, which
# archive apt uses) must not be written down.
rule_own_paths() {
  local mirror
  local -a words=("$ROOT/")
  [[ $HOME == / ]] || words+=("${HOME%/}/")
  for mirror in $(apt_mirrors); do
    [[ $mirror == *://*/* ]] || continue
    mirror=${mirror#*://}
    words+=("${mirror%%/*}")
  done
  ! tree_files | xargs -d '\n' grep -nIHF -f <(printf '%s\n' "${words[@]}")
}

rule_leftovers() {
  ! tree_files | xargs -d '\n' grep -nIHE '[T]ODO|[F]IXME|[X]XX:|<{7} |>{7} '
}

rule_shell() {
  local -a scripts
  if ! command -v shellcheck > /dev/null; then
    log_step "shellcheck is not installed: scripts are not checked"
    return 0
  fi
  mapfile -t scripts < <(tree_files '*.sh' '.ci/run')
  shellcheck -x -P SCRIPTDIR "${scripts[@]}"
}

# Which folder may include which is a decision (scripts/layers).
rule_layers() {
  python3 scripts/lib/lint_layers.py
}

rule_names() {
  python3 scripts/lib/lint_names.py
}
