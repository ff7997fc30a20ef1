"""{{ cookiecutter.description }}"""

from {{ cookiecutter.package }}.scaling import standardize

__all__ = ["standardize"]
