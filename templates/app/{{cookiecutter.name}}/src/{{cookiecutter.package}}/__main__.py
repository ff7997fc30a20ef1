"""Run the program, by `python -m {{ cookiecutter.package }}`."""

from {{ cookiecutter.package }}.main import main

if __name__ == "__main__":
    main()
