"""`python -m sunbreak`: the same as the `sunbreak` command."""

from sunbreak.cli import main

if __name__ == "__main__":
    main()
