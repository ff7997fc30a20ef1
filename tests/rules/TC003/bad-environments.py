# /// script
# requires-python = ">=3.12"
# dependencies = ["torch"]
#
# [tool.uv]
# environments = ["sys_platform == 'linux'"]
# ///
