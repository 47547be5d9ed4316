"""Carries out what the manifests of deploy/kubernetes have pods do, one after the other and without a cluster.

Arguments: the program, and a folder that stands for the volume, in which plan.json lies. What is left out is what only a
cluster does: images, the volume, rights, and to begin again what was lost.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import yaml

MANIFESTS = pathlib.Path(__file__).parents[2] / "deploy/kubernetes"


def carry_out(container, volume, index):
    (mount,) = [mount["mountPath"] for mount in container["volumeMounts"]]
    words = [word.replace(mount + "/", f"{volume}/") for word in container["command"]]
    variables = {} if index is None else {"JOB_COMPLETION_INDEX": str(index)}
    for name, value in variables.items():
        words = [word.replace(f"$({name})", value) for word in words]
    place = container["workingDir"].replace(mount, volume)
    subprocess.run(words, cwd=place, env={"PATH": os.environ["PATH"], **variables}, check=True)


def main():
    program, volume = sys.argv[1:]
    shutil.copy(program, pathlib.Path(volume, "coalmine"))
    for name in ("sweep-job.yaml", "merge-job.yaml"):
        job = yaml.safe_load((MANIFESTS / name).read_text())["spec"]
        (container,) = job["template"]["spec"]["containers"]
        indices = range(job["completions"]) if job.get("completionMode") == "Indexed" else [None]
        for index in indices:
            carry_out(container, volume, index)
    print(len(list(pathlib.Path(volume, "shards").iterdir())), "shards")


main()
