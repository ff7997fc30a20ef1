"""Train, by `python -m {{ cookiecutter.package }}`."""

from {{ cookiecutter.package }}.train import main

if __name__ == "__main__":
    main()
