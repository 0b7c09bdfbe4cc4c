"""One framework in a process of its own: reads commands as lines of JSON, answers each with one line.

    python -m benchmarks.speed.peers.worker jax

- `{"prepare": {...}}` builds a workload and runs it once; answers with `seconds`, tracing and compiling included, and
  `unit`, the number of steps that this framework is given at once.
- `{"run": n}` runs n steps, a multiple of the unit; answers with `seconds` and those of `processor` time.
- `{"result": "path.npz"}` writes the weights or predictions there.
- `{"memory": true}` answers with `bytes`, the peak of the process so far.
"""

import contextlib
import importlib
import json
import resource
import sys
import time

import numpy as np

from benchmarks.speed.peers.problem import Workload


def answer(command: dict, framework, job) -> tuple[dict, object]:
    """What a command gives, and the job after it."""
    if "prepare" in command:
        work = Workload(**command["prepare"])
        job = framework.job(work)
        began = time.perf_counter()
        job.run(job.unit)
        return {"seconds": time.perf_counter() - began, "unit": job.unit}, job
    if "run" in command:
        began, busy = time.perf_counter(), time.process_time()
        job.run(command["run"])
        return {"seconds": time.perf_counter() - began, "processor": time.process_time() - busy}, job
    if "result" in command:
        np.savez(command["result"], *job.result())
        return {}, job
    scale = 1 if sys.platform == "darwin" else 1024
    return {"bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * scale}, job


def main() -> None:
    """Answer until the other end closes."""
    replies = sys.stdout
    job = None
    with contextlib.redirect_stdout(sys.stderr):
        framework = importlib.import_module(f"benchmarks.speed.peers.with_{sys.argv[1]}")
        print(json.dumps({"version": framework.VERSION}), file=replies, flush=True)
        for line in sys.stdin:
            reply, job = answer(json.loads(line), framework, job)
            print(json.dumps(reply), file=replies, flush=True)


if __name__ == "__main__":
    main()
