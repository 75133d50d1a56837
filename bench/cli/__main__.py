"""`python -m pilotbench.bench.cli`: the same as the `pilotbench` command."""

from .main import main

if __name__ == "__main__":
    main()
