"""The benchmarks, one module a subcommand of `tools/benchmark`."""
