"""The benchmarks: data, server, one measured process, contenders, report and plot."""
