"""``python -m pyland`` is the command ``pyland``."""

from pyland.driver.cli import main

if __name__ == "__main__":
    main()
