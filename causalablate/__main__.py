"""`python -m causalablate`."""

from causalablate.cli.app import main

if __name__ == "__main__":
    main()
