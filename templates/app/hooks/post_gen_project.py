"""Run torchconf to write the torch tables and the files that depend on the targets."""

import subprocess
import sys

targets = "{{ cookiecutter.targets }}".split()
command = ["torchconf", "new", "app", ".", "--finish", "--quiet"]
for target in targets:
    command += ["--target", target]
command += ["--name", "{{ cookiecutter.name }}", "--package", "{{ cookiecutter.package }}"]
command += ["--python", "{{ cookiecutter.python }}", "--license", "{{ cookiecutter.license }}"]
command += ["--set", "description={{ cookiecutter.description }}"]
sys.exit(subprocess.call(command, stdout=subprocess.DEVNULL))
