"""Run torchconf to write the torch tables and the files that depend on the targets."""

import json
import subprocess
import sys

# As JSON inside a string: whatever somebody has answered stays a value, and never becomes code.
answers = json.loads({{ cookiecutter|tojson|tojson }})
command = ["torchconf", "new", "app", ".", "--finish", "--quiet"]
for target in answers["targets"].split():
    command.append(f"--target={target}")
for key in ("name", "package", "python", "license"):
    command.append(f"--{key}={answers[key]}")
command.append(f"--set=description={answers['description']}")
sys.exit(subprocess.call(command, stdout=subprocess.DEVNULL))
