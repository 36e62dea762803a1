# SPDX-License-Identifier: GPL-3.0-or-later
"""The source tree as the style checks see it, and how they report.

A check is a script here named check-*: it prints one line for each fault, with the file and the
line, and exits 1 if there was one, 77 (skipped) when a tool it needs is missing."""
import pathlib
import re
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
C_DIRS = ("common", "fetch", "server", "dbadmin", "agent", "connector", "cli", "tests")
GENERATED = {"_build", "_inst", "build", "build-aux", "autom4te.cache", ".git", "__pycache__"}


def files(*suffixes, under=("",)):
    """Every file of the tree with one of the suffixes, build directories left out."""
    found = set()
    for top in under:
        for suffix in suffixes:
            found.update((ROOT / top).rglob("*" + suffix))
    return sorted(path for path in found
                  if path.is_file() and not GENERATED & set(path.relative_to(ROOT).parts)
                  and not path.relative_to(ROOT).parts[0].startswith("build-"))


def c_files(*suffixes):
    return files(*(suffixes or (".c", ".h")), under=[d for d in C_DIRS if (ROOT / d).is_dir()])


def name(path):
    return str(path.relative_to(ROOT))


def strip_comments(text):
    """C without its comments and texts; lines keep their numbers."""
    def blank(match):
        token = match.group(0)
        if token.startswith("/"):
            return re.sub(r"[^\n]", " ", token)
        return token[0] + token[0]
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', blank, text,
                  flags=re.S)


def need(tool):
    """The tool's path, or the end of the check as skipped."""
    path = shutil.which(tool)
    if not path:
        print(f"skipped: {tool} is not installed")
        sys.exit(77)
    return path


def run(*command, errors=subprocess.STDOUT):
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, timeout=300,
                          cwd=ROOT, check=False)


def finish(faults):
    for fault in faults:
        print(fault)
    sys.exit(1 if faults else 0)
