"""The pages of the console, a file each; see :class:`driftgate.service.console._page.Page`."""
