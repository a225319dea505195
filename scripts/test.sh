#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds, and runs every test. The last line of the
# output is `N passed, N failed`; a skipped test counts as failed.
#
#   scripts/test.sh                       everything
#   scripts/test.sh checks                formatter and linter
#   scripts/test.sh unit|bpf [REGEX]      C++ tests; bpf: those that need root
#   scripts/test.sh e2e [NAME...]         whole programs through kith
#   scripts/test.sh vm [KERNEL...]        some of them on other kernels
set -euo pipefail

SCRIPTS=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(dirname "$SCRIPTS")
for part in log apt services; do
  # shellcheck disable=SC1090  # each is checked by itself
  . "$SCRIPTS/lib/$part.sh"
done

# The programs that the end-to-end tests put under kith, and their tools.
readonly E2E_PACKAGES=(curl nginx-light openssl openssh-client openssh-server
  redis-server redis-tools postgresql-15 postgresql-client-15 perl-base
  iproute2 bpftool util-linux python3 python3-grpcio gdb)

# The oldest and the newest kernel that Debian's suites have for kith, and what is
# likely to differ between kernels, on the path that this machine's own kernel may
# not have. scripts/vm-test.sh runs more.
readonly VM_KERNELS=(6.1 7.x)
readonly VM_TESTS=TcpSemanticsOneNode,CurlNginxOneNode,PlainPeers,test_no_certificate,DirectRevocation,test_after_the_swap
readonly VM_PATH=ktls

PASSED=0
FAILED=0

tally() {
  PASSED=$((PASSED + $1))
  FAILED=$((FAILED + $2))
}

finish() {
  echo "$PASSED passed, $FAILED failed"
  [[ $FAILED -eq 0 && $PASSED -gt 0 ]]
}

# run_step NAME COMMAND... : a step that is one test by itself.
run_step() {
  local name=$1
  shift
  log_step "$name"
  if "$@"; then
    tally 1 0
  else
    echo "FAIL $name"
    tally 0 1
    return 1
  fi
}

run_checks() {
  apt_install shellcheck
  run_step 'formatter' "$SCRIPTS/format.sh" --check || true
  run_step 'linter' "$SCRIPTS/lint.sh" || true
}

# run_ctest LABEL JOBS [REGEX] : REGEX selects programs.
run_ctest() {
  local label=$1 jobs=$2 report passed failed
  local -a only=()
  [[ -z ${3:-} ]] || only=(--tests-regex "$3")
  report=$(mktemp)
  log_step "tests: $label"
  ctest --test-dir "$ROOT/build" --label-regex "^$label\$" "${only[@]}" \
    --parallel "$jobs" --output-on-failure --no-tests=error \
    --test-output-size-passed 1000000 --test-output-size-failed 1000000 \
    --output-junit "$report" || true
  read -r passed failed < <("$SCRIPTS/lib/count_tests.py" "$report" ||
    echo 0 1)
  tally "$passed" "$failed"
  rm -f "$report"
}

# run_counted NAME COMMAND... : one whose last line is `N passed, N failed`.
run_counted() {
  local name=$1 output line
  shift
  output=$(mktemp)
  log_step "tests: $name"
  "$@" | tee "$output" || true
  line=$(tail -n 1 "$output")
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    tally "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
  else
    tally 0 1
  fi
  rm -f "$output"
}

main() {
  local part=${1:-all}
  [[ $# -eq 0 ]] || shift
  case $part in
    all | checks | unit | bpf | e2e | vm) ;;
    *) die "unknown part '$part'; see the head of $0" ;;
  esac
  [[ $(id -u) -eq 0 ]] || die 'the tests make network namespaces and cgroups and
attach BPF programs to them: run them as root'

  if [[ $part == all || $part == checks ]]; then
    run_checks
  fi
  if [[ $part != checks ]]; then
    run_step 'build' "$SCRIPTS/build.sh" all || { finish; return; }
  fi
  if [[ $part == all || $part == unit ]]; then
    run_ctest unit "$(nproc)" "$@"
  fi
  # One at a time: they share the machine's cgroup tree.
  if [[ $part == all || $part == bpf ]]; then
    run_ctest root 1 "$@"
  fi
  if [[ $part == all || $part == e2e ]]; then
    apt_install_without_services "${E2E_PACKAGES[@]}"
    # Without the client its tests fail; the others are still worth a run.
    "$SCRIPTS/gospiffe.sh" > /dev/null ||
      log_step 'the go-spiffe client could not be built'
    run_counted e2e "$ROOT/test/e2e/run.py" "$@"
  fi
  if [[ $part == all || $part == vm ]]; then
    [[ $# -gt 0 ]] || set -- "${VM_KERNELS[@]}"
    run_counted vm "$SCRIPTS/vm-test.sh" --path "$VM_PATH" \
      --tests "$VM_TESTS" --jobs 2 "$@"
  fi
  finish
}

main "$@"
