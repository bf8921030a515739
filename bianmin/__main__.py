"""`python -m bianmin` is the command `bianmin`.

Imported only when it is the program: spawned image processes load this file once more, and need
nothing of the house.
"""

if __name__ == "__main__":
    from bianmin.cli import main

    main()
