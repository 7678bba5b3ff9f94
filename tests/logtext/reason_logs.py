"""
The ends of failing steps, one a family of tools, with the headline that a person would quote.

Each is the output of a step, without times. ``>>> `` marks the headline, ``kind:`` its kind.
"""

# ruff: noqa: RUF001 -- tools write signs of all kinds

LOGS = r"""
=== pytest: test
collected 3 items
tests/test_total.py .F.                                                  [100%]
=================================== FAILURES ===================================
_________________________________ test_discount ________________________________
    def test_discount():
>       assert total(100, discount=10) == 90
E       assert 100 == 90
tests/test_total.py:14: AssertionError
=========================== short test summary info ============================
>>> FAILED tests/test_total.py::test_discount - assert 100 == 90
========================= 1 failed, 2 passed in 0.31s ==========================
##[error]Process completed with exit code 1.
=== unittest: test
..F
======================================================================
>>> FAIL: test_discount (tests.test_total.TotalTest.test_discount)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "/home/runner/work/shop/tests/test_total.py", line 14, in test_discount
    self.assertEqual(total(100, discount=10), 90)
AssertionError: 100 != 90
----------------------------------------------------------------------
Ran 3 tests in 0.002s
FAILED (failures=1)
##[error]Process completed with exit code 1.
=== jest: test
PASS src/cart.test.js
FAIL src/total.test.js
>>>   ● total › takes the discount off
    expect(received).toBe(expected) // Object.is equality
    Expected: 90
    Received: 100
      12 | test("takes the discount off", () => {
    > 13 |   expect(total(100, 10)).toBe(90);
         |                          ^
      at Object.toBe (src/total.test.js:13:26)
Test Suites: 1 failed, 1 passed, 2 total
Tests:       1 failed, 7 passed, 8 total
npm error Lifecycle script `test` failed with error:
npm error code 1
##[error]Process completed with exit code 1.
=== vitest: test
 RUN  v2.1.0 /home/runner/work/shop/shop
 ❯ src/total.test.ts (3 tests | 1 failed) 8ms
   × total > takes the discount off 5ms
     → expected 100 to be 90 // Object.is equality
⎯⎯⎯⎯⎯⎯⎯ Failed Tests 1 ⎯⎯⎯⎯⎯⎯⎯
>>>  FAIL  src/total.test.ts > total > takes the discount off
AssertionError: expected 100 to be 90 // Object.is equality
 ❯ src/total.test.ts:13:26
 Test Files  1 failed (1)
      Tests  1 failed | 2 passed (3)
 ELIFECYCLE  Command failed with exit code 1.
##[error]Process completed with exit code 1.
=== mocha: test
  total
    ✓ adds prices
    1) takes the discount off
  2 passing (11ms)
  1 failing
>>>   1) total
       takes the discount off:
      AssertionError [ERR_ASSERTION]: 100 == 90
      + expected - actual
      -100
      +90
      at Context.<anonymous> (test/total.js:9:12)
##[error]Process completed with exit code 1.
=== go test: test
ok  	example.org/shop/cart	0.004s
=== RUN   TestDiscount
    total_test.go:14: total(100, 10) = 100, want 90
>>> --- FAIL: TestDiscount (0.00s)
FAIL
FAIL	example.org/shop/total	0.005s
FAIL
##[error]Process completed with exit code 1.
=== cargo: test
running 2 tests
test total::adds ... ok
>>> test total::discount ... FAILED
failures:
---- total::discount stdout ----
thread 'total::discount' panicked at src/total.rs:22:9:
assertion `left == right` failed
  left: 100
 right: 90
note: run with `RUST_BACKTRACE=1` environment variable to display a backtrace
failures:
    total::discount
test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out
error: test failed, to rerun pass `--lib`
##[error]Process completed with exit code 101.
=== rustc: compile
   Compiling shop v0.1.0 (/home/runner/work/shop/shop)
warning: unused variable: `tax`
 --> src/total.rs:3:9
>>> error[E0308]: mismatched types
 --> src/total.rs:9:5
  |
9 |     "ninety"
  |     ^^^^^^^^ expected `u32`, found `&str`
For more information about this error, try `rustc --explain E0308`.
error: could not compile `shop` (lib) due to 1 previous error; 1 warning emitted
##[error]Process completed with exit code 101.
=== gcc: compile
[ 40%] Building CXX object CMakeFiles/shop.dir/total.cpp.o
/src/total.cpp: In function 'int total(int)':
>>> /src/total.cpp:7:12: error: 'discout' was not declared in this scope; did you mean 'discount'?
    7 |     return discout;
      |            ^~~~~~~
gmake[2]: *** [CMakeFiles/shop.dir/build.make:76: CMakeFiles/shop.dir/total.cpp.o] Error 1
gmake: *** [Makefile:136: all] Error 2
##[error]Process completed with exit code 2.
=== clang: compile
[12/40] Linking CXX executable shop
>>> Undefined symbols for architecture arm64:
  "total(int)", referenced from:
      _main in main.o
ld: symbol(s) not found for architecture arm64
clang++: error: linker command failed with exit code 1 (use -v to see invocation)
ninja: build stopped: subcommand failed.
##[error]Process completed with exit code 1.
=== msvc: compile
  total.cpp
>>> D:\a\shop\total.cpp(7,12): error C2065: 'discout': undeclared identifier [D:\a\shop\shop.vcxproj]
Build FAILED.
    0 Warning(s)
    1 Error(s)
##[error]Process completed with exit code 1.
=== ctest: test
1/2 Test #1: cart .............................   Passed    0.01 sec
2/2 Test #2: total ............................***Failed    0.02 sec
50% tests passed, 1 tests failed out of 2
The following tests FAILED:
>>> 	  2 - total (Failed)
Errors while running CTest
##[error]Process completed with exit code 8.
=== cmake: compile
-- Detecting CXX compile features - done
>>> CMake Error at CMakeLists.txt:12 (find_package):
  By not providing "FindTotal.cmake" in CMAKE_MODULE_PATH this project has
  asked CMake to find a package configuration file provided by "Total", but
  CMake did not find one.
-- Configuring incomplete, errors occurred!
##[error]Process completed with exit code 1.
=== maven: test
[INFO] Running org.example.TotalTest
[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0, Time elapsed: 0.05 s <<< FAILURE! - in org.example.TotalTest
>>> [ERROR] org.example.TotalTest.takesDiscount  Time elapsed: 0.01 s  <<< FAILURE!
org.opentest4j.AssertionFailedError: expected: <90> but was: <100>
	at org.example.TotalTest.takesDiscount(TotalTest.java:14)
[ERROR] Failures:
[ERROR]   TotalTest.takesDiscount:14 expected: <90> but was: <100>
[ERROR] Tests run: 3, Failures: 1, Errors: 0, Skipped: 0
[INFO] BUILD FAILURE
[ERROR] Failed to execute goal org.apache.maven.plugins:maven-surefire-plugin:3.2.5:test (default-test) on project shop: There are test failures.
[ERROR] -> [Help 1]
[ERROR] For more information about the errors and possible solutions, please read the following articles:
##[error]Process completed with exit code 1.
=== gradle: dependencies
> Task :app:compileJava FAILED
FAILURE: Build failed with an exception.
* What went wrong:
Execution failed for task ':app:compileJava'.
>>> > Could not resolve all files for configuration ':app:compileClasspath'.
   > Could not find org.example:total:9.9.
* Try:
> Run with --stacktrace option to get the stack trace.
BUILD FAILED in 12s
##[error]Process completed with exit code 1.
=== dotnet: test
  Determining projects to restore...
[xUnit.net 00:00:00.51]     Shop.Tests.Total.TakesDiscount [FAIL]
>>>   Failed Shop.Tests.Total.TakesDiscount [4 ms]
  Error Message:
   Assert.Equal() Failure: Values differ
Failed!  - Failed:     1, Passed:     7, Skipped:     0, Total:     8
##[error]Process completed with exit code 1.
=== rspec: test
Failures:
  1) Total takes the discount off
     Failure/Error: expect(total(100, 10)).to eq 90
       expected: 90
            got: 100
     # ./spec/total_spec.rb:7:in `block (2 levels) in <top (required)>'
Finished in 0.01 seconds (files took 0.1 seconds to load)
3 examples, 1 failure
Failed examples:
>>> rspec ./spec/total_spec.rb:6 # Total takes the discount off
##[error]Process completed with exit code 1.
=== phpunit: test
..F                                                                 3 / 3 (100%)
There was 1 failure:
>>> 1) Tests\TotalTest::testDiscount
Failed asserting that 100 matches expected 90.
/home/runner/work/shop/tests/TotalTest.php:14
FAILURES!
Tests: 3, Assertions: 3, Failures: 1.
##[error]Process completed with exit code 1.
=== swift: test
Test Case 'TotalTests.testAdds' passed (0.001 seconds)
>>> /src/Tests/TotalTests.swift:14: error: TotalTests.testDiscount : XCTAssertEqual failed: ("100") is not equal to ("90") -
Test Case 'TotalTests.testDiscount' failed (0.002 seconds)
Executed 2 tests, with 1 failure (0 unexpected) in 0.003 (0.003) seconds
##[error]Process completed with exit code 1.
=== tsc: compile
> shop@1.0.0 build
> tsc -p .
>>> src/total.ts:9:3 - error TS2322: Type 'string' is not assignable to type 'number'.
9   return "ninety";
    ~~~~~~
Found 1 error in src/total.ts:9
##[error]Process completed with exit code 2.
=== eslint: lint
/home/runner/work/shop/src/total.js
   3:7   warning  Unexpected console statement          no-console
>>>   9:10  error    'discout' is not defined              no-undef
✖ 2 problems (1 error, 1 warning)
##[error]Process completed with exit code 1.
=== ruff: lint
>>> src/total.py:3:8: F401 [*] `os` imported but unused
Found 1 error.
[*] 1 fixable with the `--fix` option.
##[error]Process completed with exit code 1.
=== mypy: lint
>>> src/total.py:9: error: Incompatible return value type (got "str", expected "int")  [return-value]
Found 1 error in 1 file (checked 12 source files)
##[error]Process completed with exit code 1.
=== npm: dependencies
npm error code EUSAGE
>>> npm error `npm ci` can only install packages when your package.json and package-lock.json are in sync. Please update your lock file with `npm install` before continuing.
npm error Missing: total@9.9.0 from lock file
npm error A complete log of this run can be found in: /home/runner/.npm/_logs/2026-03-01T12_00_00_000Z-debug-0.log
##[error]Process completed with exit code 1.
=== pnpm: dependencies
Scope: all 3 workspace projects
>>>  ERR_PNPM_OUTDATED_LOCKFILE  Cannot install with "frozen-lockfile" because pnpm-lock.yaml is not up to date with package.json
Note that in CI environments this setting is true by default.
##[error]Process completed with exit code 1.
=== yarn: dependencies
yarn install v1.22.22
[1/4] Resolving packages...
>>> error Couldn't find any versions for "total" that matches "^9.9.0"
info Visit https://yarnpkg.com/en/docs/cli/install for documentation about this command.
##[error]Process completed with exit code 1.
=== pip: dependencies
Collecting requests
>>> ERROR: Could not find a version that satisfies the requirement total==9.9 (from versions: 1.0, 1.1)
ERROR: No matching distribution found for total==9.9
##[error]Process completed with exit code 1.
=== uv: dependencies
Using CPython 3.13.1
>>>   × No solution found when resolving dependencies:
  ╰─▶ Because there is no version of total==9.9 and shop depends on total==9.9, we can conclude that shop's requirements are unsatisfiable.
##[error]Process completed with exit code 1.
=== poetry: dependencies
Installing dependencies from lock file
>>> pyproject.toml changed significantly since poetry.lock was last generated. Run `poetry lock` to fix the lock file.
##[error]Process completed with exit code 1.
=== docker build: compile
#9 [build 3/5] RUN make
#9 0.412 cc -c total.c
>>> #9 0.588 total.c:7:9: error: 'discout' undeclared (first use in this function)
#9 ERROR: process "/bin/sh -c make" did not complete successfully: exit code: 2
------
 > [build 3/5] RUN make:
0.588 total.c:7:9: error: 'discout' undeclared (first use in this function)
------
Dockerfile:7
--------------------
   7 | >>> RUN make
--------------------
ERROR: failed to solve: process "/bin/sh -c make" did not complete successfully: exit code: 2
##[error]Process completed with exit code 1.
=== terraform: other
Initializing provider plugins...
╷
>>> │ Error: Unsupported argument
│
│   on main.tf line 12, in resource "aws_s3_bucket" "total":
│   12:   acls = "private"
│
│ An argument named "acls" is not expected here. Did you mean "acl"?
╵
##[error]Terraform exited with code 1.
##[error]Process completed with exit code 1.
=== helm: timeout
Release "shop" does not exist. Installing it now.
>>> Error: INSTALLATION FAILED: timed out waiting for the condition
##[error]Process completed with exit code 1.
=== ansible: other
TASK [shop : install the package] **********************************************
ok: [web2]
>>> fatal: [web1]: FAILED! => {"changed": false, "msg": "No package matching 'total' is available"}
PLAY RECAP *********************************************************************
web1 : ok=3    changed=0    unreachable=0    failed=1    skipped=0
web2 : ok=4    changed=1    unreachable=0    failed=0    skipped=0
##[error]Process completed with exit code 2.
=== bazel: compile
INFO: Analyzed 12 targets (80 packages loaded, 900 targets configured).
>>> ERROR: /src/shop/BUILD:7:11: Compiling shop/total.cc failed: (Exit 1): gcc failed: error executing CppCompile command
Target //shop:total failed to build
INFO: Elapsed time: 12.4s, Critical Path: 3.1s
ERROR: Build did NOT complete successfully
##[error]Process completed with exit code 1.
=== playwright: test
Running 3 tests using 2 workers
  ✓  1 [chromium] › tests/cart.spec.ts:5:1 › adds a product (1.1s)
>>>   1) [chromium] › tests/total.spec.ts:9:1 › takes the discount off ───────────────
    Error: expect(locator).toHaveText(expected)
    Expected string: "90"
    Received string: "100"
  1 failed
    [chromium] › tests/total.spec.ts:9:1 › takes the discount off ──────────────────
  2 passed (4.2s)
##[error]Process completed with exit code 1.
=== cypress: test
  Total
    ✓ adds prices (412ms)
    1) takes the discount off
  1 passing (5s)
  1 failing
  1) Total
       takes the discount off:
>>>      AssertionError: Timed out retrying after 4000ms: expected '<span#total>' to have text '90'
  (Results)
  │ Tests:        2                                                        │
  │ Failing:      1                                                        │
##[error]Process completed with exit code 1.
=== shell: missing
Deploying to stage
>>> ./deploy.sh: line 12: kubectl: command not found
##[error]Process completed with exit code 127.
=== apt: dependencies
Reading package lists...
Building dependency tree...
>>> E: Unable to locate package libtotal-dev
##[error]Process completed with exit code 100.
=== git push: permission
[main 0a1b2c3] Update the totals
>>> remote: Permission to octo-org/shop.git denied to github-actions[bot].
fatal: unable to access 'https://github.com/octo-org/shop/': The requested URL returned error: 403
##[error]Process completed with exit code 128.
=== an action: action
>>> ##[error]Input required and not supplied: path
=== an action without access: permission
Looking for the release
>>> ##[error]Resource not accessible by integration - https://docs.github.com/rest
##[error]Process completed with exit code 1.
=== out of memory: out_of_memory
<--- Last few GCs --->
[4711:0x6f00]    41235 ms: Mark-Compact 2046.9 (2082.1) -> 2046.4 (2082.6) MB, 812.5 / 0.0 ms
>>> FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory
 1: 0xb76dc5 node::OOMErrorHandler(char const*, v8::OOMDetails const&) [node]
Aborted (core dumped)
##[error]Process completed with exit code 134.
=== disk full: disk_full
#12 exporting layers
>>> write /var/lib/docker/tmp/layer.tar: no space left on device
##[error]Process completed with exit code 1.
=== lost runner: runner_lost
test 41 of 900 ok
##[error]Process completed with exit code 143.
>>> ##[error]The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually started runner is canceled.
=== time limit of a step: timeout
test 41 of 900 ok
>>> ##[error]The action 'Run the slow tests' has timed out after 30 minutes.
=== cancelled: cancelled
test 41 of 900 ok
>>> ##[error]The operation was canceled.
=== a crash: crash
loading the model
>>> run.sh: line 3:  4711 Segmentation fault      (core dumped) ./total --all
##[error]Process completed with exit code 139.
=== a network: network
Fetching the model
>>> curl: (6) Could not resolve host: models.example.org
##[error]Process completed with exit code 6.
=== an exception: other
Traceback (most recent call last):
  File "/home/runner/work/shop/total.py", line 9, in <module>
    print(int(price))
>>> ValueError: invalid literal for int() with base 10: 'ninety'
##[error]Process completed with exit code 1.
=== a tool of no name: other
checking 12 totals
sum of march is wrong
>>> totals: error: march is 100, but the books have 90
finished in 3 s
##[error]Process completed with exit code 3.
"""
