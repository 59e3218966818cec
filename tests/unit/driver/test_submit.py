"""Job scripts: what they ask for, what they run, and the examples in tools/slurm."""

from __future__ import annotations

import re
import shlex
import stat
import subprocess
from pathlib import Path

import pytest

from cases import TWIN, write_case
from pyland.base.errors import ConfigError
from pyland.config import load_case
from pyland.driver.commands.submit import job_script, plan_job

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "tools" / "slurm"


def asked(script):
    """Return the options of a Slurm script."""
    return dict(re.findall(r"#SBATCH --([a-z-]+)=(.*)", script))


def test_a_script_says_what_the_check_says(command, tmp_path):
    folder = write_case(tmp_path / "a case", TWIN)
    code, script, _ = command("submit", folder, "--print", "--ranks", 4, "--nodes", 2, "--threads", 3, "--time",
                              "02:30:00", "--account", "hydro", "--partition", "long", "--set",
                              "parallel.member_groups=2")
    assert code == 0
    options = asked(script)
    assert (options["nodes"], options["ntasks"], options["ntasks-per-node"]) == ("2", "4", "2")
    assert (options["cpus-per-task"], options["time"]) == ("3", "02:30:00")
    assert (options["account"], options["partition"]) == ("hydro", "long")
    assert int(options["mem"].rstrip("M")) >= 2 * 250
    assert "4 = 2 member group(s) x 2 tile(s)" in script and "OMP_NUM_THREADS=3" in script
    line = script.splitlines()[-1]
    words = shlex.split(line)
    assert words[:3] == ["srun", "--cpu-bind=cores", "--kill-on-bad-exit=1"]
    assert words[3:] == ["pyland", "run", str(folder), "--resume", "--set=parallel.member_groups=2"]
    assert subprocess.run(["bash", "-n"], input=script, text=True, check=False).returncode == 0


def test_memory_grows_with_the_columns_of_a_rank(tmp_path):
    few, many = (plan_job(load_case(write_case(tmp_path / str(size), TWIN, domain__nx=100, domain__ny=100,
                                               ensemble__size=size)), ranks=2) for size in (4, 16))
    assert many.memory > 3 * few.memory - 4 * 250 * 2**20 and few.memory > 2 * 250 * 2**20


def test_threads_of_the_case_do_not_win(tmp_path):
    folder = write_case(tmp_path / "case", TWIN, parallel__threads=2)
    config = load_case(folder)
    assert plan_job(config, ranks=1).threads == 2
    assert "--threads=4" in job_script(folder, config, plan_job(config, ranks=1, threads=4))
    assert "--threads" not in job_script(folder, config, plan_job(config, ranks=1))


def test_default_ranks_fit(tmp_path, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 7)
    config = load_case(write_case(tmp_path / "case", TWIN))
    assert plan_job(config).ranks == 6  # 7 ranks cannot share 6 cells of 4 members
    assert plan_job(config, nodes=2).ranks == 12


@pytest.mark.parametrize(("arguments", "words"), [
    (["--scheduler", "lsf"], "--scheduler: expected one of slurm, pbs, got 'lsf'"),
    (["--time", "2h"], "--time: expected HH:MM:SS, got '2h'"),
    (["--ranks", "2", "--nodes", "3"], "--nodes: expected at most one for each of 2 rank(s), got 3"),
    (["--ranks", "7"], "7 rank(s) for 6 cell(s) and 4 member(s)"),
])
def test_what_cannot_be_is_told(command, tmp_path, arguments, words):
    code, out, err = command("submit", write_case(tmp_path / "case", TWIN), "--print", *arguments)
    assert code == 2 and out == "" and words in err


def test_submitting(command, tmp_path, monkeypatch):
    folder, programs = write_case(tmp_path / "case", TWIN), tmp_path / "bin"
    programs.mkdir()
    sbatch = programs / "sbatch"
    sbatch.write_text(f"#!/bin/sh\n/bin/cat > {tmp_path}/job\necho Submitted batch job 7\n")
    sbatch.chmod(sbatch.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", str(programs))
    code, out, _ = command("submit", folder, "--ranks", 1)
    assert code == 0 and out.strip() == "Submitted batch job 7"
    assert (tmp_path / "job").read_text().endswith("--resume\n")
    code, _, err = command("submit", folder, "--ranks", 1, "--scheduler", "pbs")
    assert code == 2 and "there is no `qsub` on this machine" in err
    sbatch.write_text("#!/bin/sh\necho 'invalid account' >&2\nexit 1\n")
    code, _, err = command("submit", folder, "--ranks", 1)
    assert code == 2 and "sbatch refuses the job: invalid account" in err


def test_the_examples_are_what_the_command_writes(monkeypatch, command):
    monkeypatch.chdir(ROOT)
    lines = re.findall(r"    pyland (submit .*) > (\S+)", (EXAMPLES / "README.md").read_text())
    assert sorted(Path(file).name for _, file in lines) == sorted(
        path.name for path in EXAMPLES.iterdir() if path.suffix != ".md")
    for arguments, file in lines:
        code, out, _ = command(*arguments.split())
        assert code == 0 and out == (ROOT / file).read_text(), f"run: pyland {arguments} > {file}"


def test_a_case_that_cannot_run_gets_no_job(tmp_path):
    folder = write_case(tmp_path / "case", TWIN, forcing={"format": "alma", "path": "nowhere.nc"})
    with pytest.raises(ConfigError, match=r"nowhere.nc"):
        plan_job(load_case(folder), ranks=1)
