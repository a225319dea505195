#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Checks that need no build (default) and clang-tidy (on request).
#
#   scripts/lint.sh                         rules of the tree, shellcheck
#   scripts/lint.sh --tidy BUILD [FILE...]  clang-tidy, all checks of .clang-tidy
#   scripts/lint.sh --tidy-quick BUILD ...  the checks that take seconds a file
#
# BUILD is a configured build directory (compile_commands.json).
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$SCRIPTS")
for part in log apt tree lint_rules; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

# The compiler's front end must know C++20 coroutines as g++ 12 writes them.
readonly CLANG_TIDY=clang-tidy-19

# No data flow analysis, so a file costs what parsing it costs.
readonly QUICK_CHECKS='-*,google-explicit-constructor,google-build-using-namespace,misc-definitions-in-headers,modernize-use-nullptr,modernize-use-override,readability-function-size,readability-identifier-naming'

lint_rules() {
  local rule failed=0
  for rule in rule_length rule_licence rule_kernel_licence rule_own_paths \
    rule_leftovers rule_shell rule_layers rule_names; do
    "$rule" || failed=1
  done
  [[ $failed -eq 0 ]] || die "the tree breaks its rules, see above"
  log_step "lint: clean"
}

lint_tidy() {
  local build=$1 checks=$2
  shift 2
  local -a files=("$@") options=()
  [[ -f $build/compile_commands.json ]] ||
    die "no compile_commands.json in '$build': configure that directory first"
  [[ $# -gt 0 ]] || mapfile -t files < <(tree_files '*.cc')
  [[ -z $checks ]] || options=("--checks=$checks")
  apt_install "$CLANG_TIDY"
  printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "$(nproc)" \
    "$CLANG_TIDY" --quiet -p "$build" "${options[@]}" \
    --extra-arg=-Wno-unknown-warning-option
}

main() {
  local mode=${1:-}
  cd "$ROOT"
  case $mode in
    '') lint_rules ;;
    --tidy) lint_tidy "${2:?--tidy needs a build directory}" '' "${@:3}" ;;
    --tidy-quick)
      lint_tidy "${2:?--tidy-quick needs a build directory}" "$QUICK_CHECKS" \
        "${@:3}"
      ;;
    *) die "unknown option '$mode'; see the head of $0" ;;
  esac
}

main "$@"
