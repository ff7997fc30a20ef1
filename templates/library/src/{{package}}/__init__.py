"""{{ description }}"""

from {{ package }}.scaling import standardize

__all__ = ["standardize"]
