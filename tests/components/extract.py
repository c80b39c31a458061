#!/usr/bin/python3
"""Prints the code block that a documentation page calls NAME (```c NAME)."""
import re
import sys

page, name = sys.argv[1:]
blocks = re.findall(r"^```c (\w+)\n(.*?)^```$", open(page).read(), re.M | re.S)
code = dict(blocks).get(name)
if code is None:
    sys.exit(f"{page}: there is no code block '{name}'")
sys.stdout.write(code)
