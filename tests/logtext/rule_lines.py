"""
A line for each rule, in the order of the tables: its tool, the kind of failure, and the line.

``⇥`` stands for a tab.
"""

# ruff: noqa: RUF001 -- tools write signs of all kinds

LINES = r"""
runner | runner_lost | The self-hosted runner lost communication with the server. Verify the machine is running.
runner | timeout | The job running on runner big-1 has exceeded the maximum execution time of 360 minutes.
system | disk_full | npm warn tar TAR_ENTRY_ERROR ENOSPC: no space left on device, write
system | out_of_memory | java.lang.OutOfMemoryError: Java heap space
system | crash | parcel: error: cannot run the tests: signal: killed
runner | cancelled | Error: The operation has been canceled.
pytest | test | FAILED tests/test_parcel.py::test_lost - assert 'kg' == 'lb'
pytest | test | tests/test_parcel.py::test_lost FAILED      [ 50%]
pytest | test | E       assert 'kg' == 'lb'
pytest | test | __________ test_lost __________
pytest | test | ==== no tests ran in 0.73s ====
unittest | test | FAIL: test_lost (tests.test_parcel.ParcelTest)
python | lint | app/parcel.py:9: error: Name 'weight' is not defined  [name-defined]
ruff | lint | --> app/parcel.py:3:1
lintrunner | lint |   Warning (SHELLCHECK) SC2086
black | lint | would reformat app/parcel.py
pre-commit | lint | check yaml..............................................Failed
go test | test | --- FAIL: TestParcel (1.20s)
go test | test | parcel_test.go:48: no parcel came back
go test | test | FAIL⇥example.org/parcel⇥0.005s
gotestsum | test | === FAIL: pkg/parcel TestParcel (1.20s)
ginkgo | test | [Fail] Parcel [It] finds no parcel
go | compile | parcel/parcel.go:7:2: undefined: weight
go modules | dependencies | missing go.sum entry for module providing package example.org/parcel
cargo test | test | test parcel::finds_none ... FAILED
cargo test | test | FAIL [   0.004s] parcel tests::finds_none
rustc | compile | error[E0432]: unresolved import `parcel::weight`
rustfmt | lint | Diff in /src/lib.rs:48:
compiler | test | /src/ParcelTests.swift:14: error: ParcelTests.testFindsNone : XCTAssertEqual failed
compiler | compile | src/parcel.c:4:10: fatal error: parcel.h: No such file or directory
linker | compile | /usr/bin/ld: main.o: in function `main': undefined reference to `parcel'
msvc | compile | src\parcel.cpp(4): error C2065: 'weight': undeclared identifier
gtest | test | [  FAILED  ] Parcel.FindsNone (0 ms)
gtest | test | parcel_test.cc:48: Failure
ctest | test |   3 - parcel_finds_none (Failed)
ctest | test | 3/9 Test #3: parcel_finds_none .....***Failed  0.73 sec
meson | test |  3/10 parcel:finds_none   FAIL    0.12s   exit status 1
surefire | test | finds_none(ParcelTest)  Time elapsed: 0.73 s  <<< FAILURE!
surefire | test | [ERROR]   ParcelTest.findsNone:48 expected:<4> but was:<3>
gradle test | test | ParcelTest > findsNone() FAILED
junit | test | Test org.example.ParcelTest FAILED
testng | test | FAILED: findsNone
scalatest | test | - finds no parcel *** FAILED ***
checkstyle | lint | [ERROR] /src/Parcel.java:48:3: Missing a Javadoc comment. [JavadocMethod]
javac | compile | /src/Parcel.java:[48,34] cannot find symbol
jest | test | ● parcel › finds no parcel
jest | test | FAIL src/parcel.test.ts > parcel > finds no parcel
jest | test | Jest: "src" coverage threshold for branches (90%) not met: 61%
vitest | test | ✕ finds no parcel (5 ms)
dart | test | 00:04 +5 -1: test/parcel_test.dart: finds no parcel [E]
exunit | test |   1) test finds no parcel (ParcelTest)
perl | test | #   Failed test 'finds no parcel'
latex | compile | ! LaTeX Error: File `parcel.sty' not found.
karma | test | Chrome Headless 120.0 (Linux 0.0.0) Parcel finds no parcel FAILED
tap | test | not ok 3 - finds no parcel
node:test | test | ✖ finds no parcel (1.2ms)
tsc | compile | src/parcel.ts:3:7 - error TS2322: Type 'string' is not assignable to type 'number'.
eslint | lint |   48:3  error  'weight' is never used  no-unused-vars
stylelint | lint |   48:3  ✖  Unexpected unknown unit  unit-no-unknown
prettier | lint | [warn] src/parcel.ts
biome | lint | src/parcel.ts format ━━━━━━━━━━
bundler | compile | Module not found: Error: Can't resolve './parcel' in '/src'
bundler | compile | Failed to compile with 2 errors
rspec | test | rspec ./spec/parcel_spec.rb:48 # Parcel finds no parcel
rspec | test | Failure/Error: expect(parcel).to eq 4
minitest | test | ParcelTest#test_finds_none [test/parcel_test.rb:48]:
minitest | test | rails test test/parcel_test.rb:48
cucumber | test | cucumber features/parcel.feature:48 # Scenario: weighs
pest | test | FAILED  Tests\Unit\ParcelTest > it finds no parcel
php | compile | PHP Fatal error:  Uncaught Error: Call to undefined function parcel()
phpcs | lint |  48 | ERROR | [x] Expected 1 space
dotnet test | test |   Failed Parcel.Tests.FindsNone [48 ms]
dotnet test | test | [xUnit.net 00:00:00.51]     Parcel.Tests.FindsNone [FAIL]
compiler | test | Test Case '-[ParcelTests testFindsNone]' failed (0.002 seconds).
swift | compile | error: no such module 'Parcel'
xcodebuild | compile | xcodebuild: error: Scheme Parcel is not currently configured for the test action.
playwright | test |   1) [chromium] › parcel.spec.ts:48:5 › finds no parcel
cypress | test | AssertionError: Timed out retrying after 4000ms: Expected to find element: `#parcel`
bazel | compile | ERROR: /src/BUILD:48:3: Compiling parcel.cc failed: (Exit 1): gcc failed
bazel test | test | //parcel:parcel_test                 FAILED in 1.2s
ansible | other | fatal: [web1]: FAILED! => {"changed": false, "msg": "No package matching 'parcel'"}
helm | other | Error: INSTALLATION FAILED: cannot re-use a name that is still in use
shellcheck | lint | In run.sh line 48:
solidity | compile | Error (9574): Type uint256 is not implicitly convertible to expected type uint8.
forge test | test | [FAIL: assertion failed: 3 != 4] testParcel() (gas: 1234)
numbered | test | 1) Parcel finds no parcel
location | lint | docs/parcel.md:48:1: Line too long
gradle | other | * What went wrong:
cmake | compile | CMake Error at CMakeLists.txt:48 (message):
powershell | other | Line |
terraform | other | │ Error: Invalid reference
docker build | other | target web: failed to solve: dockerfile parse error on line 9: unknown flag: platfrom
uv | dependencies | × No solution found when resolving dependencies for split (python_full_version >= '3.13'):
poetry | dependencies | Because parcel depends on weight (^9) which doesn't match any versions, version solving failed.
pip | dependencies | ERROR: Could not find a version that satisfies the requirement parcel==9
npm | dependencies | npm error notarget No matching version found for parcel@^9.9.9.
pnpm | dependencies | ERR_PNPM_FETCH_404  GET https://registry.example/parcel: Not Found - 404
yarn | dependencies | error Couldn't find package "parcel" on the "npm" registry.
apt | dependencies | E: Unable to locate package libparcel-dev
composer | dependencies | Problem 1
bundler | dependencies | Could not find gem 'parcel' in rubygems repository https://rubygems.org/.
cargo | dependencies | error: failed to select a version for `parcel`.
conda | dependencies | LibMambaUnsatisfiableError: Encountered problems while solving:
maven | other | [ERROR] Failed to execute goal org.example:compile on project parcel: Fatal error compiling: invalid target release: 25
aws | other | upload failed: An error occurred (SlowDown) when calling the PutObject operation: Rate exceeded
git | other | CONFLICT (content): Merge conflict in src/parcel.c
kubectl | other | Error from server (NotFound): deployments.apps "parcel" not found
docker | other | docker: Error response from daemon: manifest for parcel:9 not found
resolver | dependencies | Could not resolve dependencies for project org.example:parcel:jar:1
shell | missing | run.sh: line 3: parcel: command not found
access | permission | cp: cannot create regular file '/parcel': Permission denied
net | network | Error: getaddrinfo EAI_AGAIN registry.example
time | timeout | Exceeded timeout of 5000 ms for a hook: Timeout waiting for the scale
crash | crash | thread 'main' panicked at src/parcel.rs:9:5:
exception | other | Caused by: org.example.ParcelException: the label is torn
"""
