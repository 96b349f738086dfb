"""`python -m cexspec`."""

from cexspec.cli import main

if __name__ == "__main__":
    main()
