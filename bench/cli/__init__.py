"""The command line, `pilotbench …`."""
