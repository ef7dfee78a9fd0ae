"""`python -m graders`: the command line, where the command itself is not on the path."""

from graders.cli import main

if __name__ == "__main__":
    main()
