"""One layout of recorded files a module; see :class:`benchmarks.recorded.Preset`."""
