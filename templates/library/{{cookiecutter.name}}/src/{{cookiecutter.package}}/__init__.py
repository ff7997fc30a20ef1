"""{{ cookiecutter.description|replace("\\", "\\\\")|replace('"', '\\"') }}"""

from {{ cookiecutter.package }}.scaling import standardize

__all__ = ["standardize"]
