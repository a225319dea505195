#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what the tests need, builds, and runs every test. The last line of the
# output is `N passed, N failed`; a skipped test counts as failed.
#
#   scripts/test.sh                       everything but the control group
#   scripts/test.sh full                  everything
#   scripts/test.sh checks                formatter and linter
#   scripts/test.sh unit|bpf [REGEX]      C++ tests; bpf: those that need root
#   scripts/test.sh e2e [NAME...]         whole programs through kith
#   scripts/test.sh vm [KERNEL...]        some of them on other kernels
#   scripts/test.sh asan|tsan [REGEX]     unit tests and a few flows, sanitized
#
# The control group is foreign SPIFFE clients beside SPIRE, whose build takes long.
# The sanitizers have their own dependencies and builds: a matter of a night.
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

# The foreign SPIFFE clients of scripts/clients, and what else of them the control
# group needs.
readonly CLIENTS=(go python java rust node envoy spiffe-helper grpcurl)
readonly CONTROL=(spire)

# The oldest and the newest kernel that Debian's suites have for kith, and what is
# likely to differ between kernels, on the path that this machine's own kernel may
# not have. scripts/vm-test.sh runs more.
readonly VM_KERNELS=(6.1 7.x)
readonly VM_TESTS=TcpSemanticsOneNode,CurlNginxOneNode,PlainPeers,test_no_certificate,DirectRevocation,test_after_the_swap
readonly VM_PATH=ktls

# Flows of each kind: in, out, revoked, taken over. The agent cannot be traced, so
# that leaks are the unit tests' to find.
readonly SANITIZED_E2E=(CurlNginxOneNode PlainPeers DirectRevocation test_takeover)
readonly SANITIZED_AGENT_OPTIONS='detect_leaks=0:abort_on_error=1'

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

# run_ctest LABEL JOBS [REGEX] : REGEX selects programs, of the build $BUILD.
BUILD=$ROOT/build
run_ctest() {
  local label=$1 jobs=$2 report passed failed
  local -a only=()
  [[ -z ${3:-} ]] || only=(--tests-regex "$3")
  report=$(mktemp)
  log_step "tests: $label"
  ctest --test-dir "$BUILD" --label-regex "^$label\$" "${only[@]}" \
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

# build_clients NAME...: without one of them its tests fail; the others are still
# worth a run.
build_clients() {
  local name
  for name in "$@"; do
    "$SCRIPTS/clients.sh" "$name" > /dev/null ||
      log_step "the client $name could not be built"
  done
}

# run_sanitized PRESET [REGEX]
run_sanitized() {
  BUILD=$ROOT/build-$1
  run_step "build ($1)" "$SCRIPTS/build.sh" --preset "$1" unit_tests kith ||
    return 0
  run_ctest unit "$(nproc)" "${@:2}"
  [[ $# -eq 1 ]] || return 0
  apt_install_without_services "${E2E_PACKAGES[@]}"
  KITH_BINARY=$BUILD/kith KITH_E2E_SLOWNESS=5 \
    ASAN_OPTIONS=$SANITIZED_AGENT_OPTIONS \
    run_counted "e2e ($1)" "$ROOT/test/e2e/run.py" "${SANITIZED_E2E[@]}"
}

# wants PART WANTED: whether WANTED is, or has, the PART.
wants() {
  [[ $2 == all || $2 == full || $1 == "$2" ]]
}

main() {
  local part=${1:-all}
  [[ $# -eq 0 ]] || shift
  case $part in
    all | full | checks | unit | bpf | e2e | vm | asan | tsan) ;;
    *) die "unknown part '$part'; see the head of $0" ;;
  esac
  [[ $(id -u) -eq 0 ]] || die 'the tests make network namespaces and cgroups and
attach BPF programs to them: run them as root'

  if [[ $part == asan || $part == tsan ]]; then
    run_sanitized "$part" "$@"
    finish
    return
  fi
  if wants checks "$part"; then
    run_checks
  fi
  if [[ $part != checks ]]; then
    run_step 'build' "$SCRIPTS/build.sh" all || { finish; return; }
  fi
  if wants unit "$part"; then
    run_ctest unit "$(nproc)" "$@"
  fi
  # One at a time: they share the machine's cgroup tree.
  if wants bpf "$part"; then
    run_ctest root 1 "$@"
  fi
  if wants e2e "$part"; then
    apt_install_without_services "${E2E_PACKAGES[@]}"
    build_clients "${CLIENTS[@]}"
    if [[ $part == full ]]; then
      build_clients "${CONTROL[@]}"
      export KITH_E2E_CONTROL=1
    fi
    run_counted e2e "$ROOT/test/e2e/run.py" "$@"
  fi
  if wants vm "$part"; then
    [[ $# -gt 0 ]] || set -- "${VM_KERNELS[@]}"
    run_counted vm "$SCRIPTS/vm-test.sh" --path "$VM_PATH" \
      --tests "$VM_TESTS" --jobs 2 "$@"
  fi
  finish
}

main "$@"
