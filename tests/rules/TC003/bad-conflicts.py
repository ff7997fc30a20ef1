# /// script
# requires-python = ">=3.12"
# dependencies = ["torch"]
#
# [tool.uv]
# conflicts = [[{ extra = "a" }, { extra = "b" }]]
# default-groups = ["dev"]
# ///
