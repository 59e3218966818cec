"""Rules of the source tree that the import contracts cannot see."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pyland

PACKAGE = Path(pyland.__file__).parent
ROOT = Path(__file__).resolve().parents[3]
CHECKER = ROOT / "tools" / "check_fortran_layers.py"

MODULE = """!> A module.
module {name}
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: one
   real(rk), parameter :: one = 1.0_rk
end module {name}
"""


def sources():
    return [path for path in sorted(PACKAGE.rglob("*.py")) if "_wrapped" not in path.parts]


def test_only_core_and_info_touch_the_extension():
    allowed = {PACKAGE / "driver" / "commands" / "info.py"}
    for path in sources():
        if path.parent == PACKAGE / "core" or path in allowed:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "pyland.core":
                assert "wrapped" not in [alias.name for alias in node.names], path
            if isinstance(node, ast.ImportFrom | ast.Import):
                assert "_wrapped" not in ast.unparse(node), path


def test_library_does_not_print():
    for path in sources():
        if path.name == "cli.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            assert not is_print, f"{path}:{getattr(node, 'lineno', 0)}"


def run_checker(folder):
    return subprocess.run([sys.executable, CHECKER, folder], capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path):
    for room in ("base", "land", "subsurface"):
        (tmp_path / room).mkdir()
    (tmp_path / "base" / "pl_kinds.f90").write_text(
        MODULE.format(name="pl_kinds").replace("   use pl_kinds, only: rk\n", "")
    )
    (tmp_path / "land" / "pl_leaf.f90").write_text(MODULE.format(name="pl_leaf"))
    return tmp_path


def test_layer_check_accepts_a_clean_tree(tree):
    result = run_checker(tree)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "use pl_kinds, only: rk",
            "use pl_kinds, only: rk\n   use pl_soil, only: one",
            "land must not use pl_soil of subsurface",
        ),
        ("use pl_kinds, only: rk", "use pl_kinds", "expected `use pl_kinds, only: ...`"),
        ("implicit none (type, external)", "implicit none", "implicit none (type, external)"),
        ("   private\n", "", "expected `private`"),
        ("module pl_leaf", "module pl_other", "expected exactly the module 'pl_leaf'"),
        ("   real(rk)", "   use pl_nowhere, only: x\n   real(rk)", "module 'pl_nowhere' is in no room"),
        (
            "end module",
            "contains\n   subroutine s()\n      print *, 1\n   end subroutine s\nend module",
            "in library code",
        ),
    ],
)
def test_layer_check_catches_planted_violations(tree, old, new, words):
    (tree / "subsurface" / "pl_soil.f90").write_text(MODULE.format(name="pl_soil"))
    file = tree / "land" / "pl_leaf.f90"
    file.write_text(file.read_text().replace(old, new))
    result = run_checker(tree)
    assert result.returncode == 1
    assert words in result.stderr


def test_layer_check_is_not_fooled_by_comments_and_strings(tree):
    file = tree / "land" / "pl_leaf.f90"
    file.write_text(file.read_text().replace("   private\n", "   private\n   ! use pl_soil\n   ! stop here\n"))
    assert run_checker(tree).returncode == 0
