"""{{ cookiecutter.description|replace("\\", "\\\\")|replace('"', '\\"') }}"""
