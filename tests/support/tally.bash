# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Counts tests, for scripts that end with one line: "N passed, N failed".

passed=0
failed=0

# tally PASSED FAILED STATUS: a runner that fails without naming a failed test has failed itself.
tally()
{
	passed=$((passed + $1))
	failed=$((failed + $2))
	if [ "$2" -eq 0 ] && [ "$3" -ne 0 ]; then
		failed=$((failed + 1))
	fi
}

# tally_pytest XML STATUS
# pytest writes <testsuite … errors="0" failures="1" skipped="0" tests="3" …>.
tally_pytest()
{
	local tests errors failures skipped

	tests=$(suite_attribute "$1" tests)
	errors=$(suite_attribute "$1" errors)
	failures=$(suite_attribute "$1" failures)
	skipped=$(suite_attribute "$1" skipped)
	tally $((tests - errors - failures - skipped)) $((errors + failures)) "$2"
}

suite_attribute()
{
	local value

	value=$(grep -oE "<testsuite [^>]*" "$1" 2>/dev/null | grep -oE " $2=\"[0-9]+\"" |
		grep -oE '[0-9]+')
	echo "${value:-0}"
}

# The last line, and whether all is well.
tally_end()
{
	if [ $((passed + failed)) -eq 0 ]; then
		echo "no test ran"
	fi
	echo "$passed passed, $failed failed"
	[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
}
