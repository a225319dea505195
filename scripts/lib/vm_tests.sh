# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The end-to-end tests in guests, several at a time, and their sum.
# Needs lib/log.sh and vm_run.sh.

# How much more time than a machine of its own the tests give an emulated one
# (KITH_E2E_SLOWNESS of test/e2e), unless the caller says: where others need the
# processors, too, more.
readonly VM_SLOWNESS=${KITH_E2E_SLOWNESS:-10}
# What direct flows carry inside of a node is not encrypted, so that most tests on
# one node do not apply to them; they have some of their own.
readonly VM_DIRECT_TESTS=(test_same_node TwoNodes)
# The guests have no other foreign clients, nor interpreters for them.
readonly VM_ALL_TESTS=('!test_clients.' '!test_envoy.' '!test_spiffe_helper.'
  '!test_grpcurl.')

# vm_go_spiffe: prints FILE=NAME of the foreign program that a test needs, where
# scripts/clients.sh looks for it in the guest.
vm_go_spiffe() {
  local program
  program=$("$SCRIPTS/clients.sh" go)/client || return
  printf '%s=root/.cache/kith/%s\n' "$program" "${program#"$KITH_CACHE/"}"
}

# vm_count OUTPUT STATUS: prints "PASSED FAILED". A run that did not come to its
# end, or that ran nothing, is one more failure.
vm_count() {
  local line passed failed
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$1" | tail -n 1) || true
  if [[ $line =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed$ ]]; then
    passed=${BASH_REMATCH[1]} failed=${BASH_REMATCH[2]}
  else
    passed=$(grep -c '^ok ' "$1" || true)
    failed=$(grep -c '^FAIL ' "$1" || true)
  fi
  if ((passed + failed == 0 || ($2 != 0 && failed == 0))); then
    failed=$((failed + 1))
  fi
  printf '%s %s\n' "$passed" "$failed"
}

# vm_test KERNEL PATH RESULT SECONDS PROGRAM FILE=NAME [TEST...]: runs the tests
# with such names, and leaves "PASSED FAILED" in the file RESULT.
vm_test() {
  local label="$1 $2" result=$3 status=0 began=$SECONDS command passed failed
  command="KITH_E2E_PATH=$2 KITH_E2E_SLOWNESS=$VM_SLOWNESS test/e2e/run.py"
  local -a tests=("${@:7}")
  if [[ $# -lt 7 ]]; then
    tests=("${VM_ALL_TESTS[@]}")
    [[ $2 != direct ]] || tests=("${VM_DIRECT_TESTS[@]}")
  fi
  command+=$(printf ' %q' "${tests[@]}")
  vm_run "$1" "$4" "$5" "$command" "$6" | tee "$result.output" |
    sed -u "s/^/[$label] /" || status=${PIPESTATUS[0]}
  vm_count "$result.output" "$status" > "$result"
  read -r passed failed < "$result"
  echo "[$label] $passed passed, $failed failed, $((SECONDS - began)) s"
}

# vm_sum RESULT...: prints "PASSED FAILED" of all. A missing one is a failure.
vm_sum() {
  local result passed failed all_passed=0 all_failed=0
  for result in "$@"; do
    read -r passed failed < "$result" || { passed=0 failed=1; }
    all_passed=$((all_passed + passed))
    all_failed=$((all_failed + failed))
  done
  printf '%s %s\n' "$all_passed" "$all_failed"
}
