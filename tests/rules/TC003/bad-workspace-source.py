# /// script
# requires-python = ">=3.12"
# dependencies = ["torch", "demo"]
#
# [tool.uv.sources]
# demo = { workspace = true }
# ///
