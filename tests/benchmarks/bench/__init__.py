"""The harness of the benchmarks: data, server, one measured process, contenders, report, plot."""
