"""One layout of recorded files a module; see :class:`driftgate.benchmarks.recorded.Preset`."""
