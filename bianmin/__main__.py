"""`python -m bianmin` is the command `bianmin`."""

from bianmin.cli import main

if __name__ == "__main__":
    main()
