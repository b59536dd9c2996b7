"""Run the command line with ``python -m handrail``."""

from handrail.cli import main

if __name__ == "__main__":
    main()
