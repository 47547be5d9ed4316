"""Streams from one mock as three load generators see them, in one table. Started by `peers`, which
installs them, with the Python of AIPerf: that has the library which makes the tokenizer.

Each of them meets a mock of its own, started anew with the same seed: the mock draws by the number of
the request, so the n-th stream of each has the same plan.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

INPUT, OUTPUT = 100, 60
# By how much two may differ.
TOLERANCE = 0.02
SCENARIO = """
schema: 1
name: peers
seed: 1
workload: {arrivals: {constant: 10/s}, requests: 100, tokens: {input: 100, output: 60}}
models:
  m:
    versions:
      m1:
        tags: [stable]
        upstream:
          latency: {first_token: {lognormal: {mean: 200ms, p99: 500ms}}, per_output_token: 10ms}
phases: [{name: all, for: rest, split: {m1: 100%}}]
gate: [error_rate <= 100%]
"""


def tokenizer(folder):
    """Writes one that needs no hub into `folder`: every byte is a token, of which none is counted here."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    pieces = ["<s>", "</s>", *sorted(pre_tokenizers.ByteLevel.alphabet())]
    made = Tokenizer(models.BPE(vocab={piece: place for place, piece in enumerate(pieces)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.add_special_tokens(["<s>", "</s>"])
    folder.mkdir()
    made.save(str(folder / "tokenizer.json"))
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(about))


class Mock:
    """A mock that has not been asked for anything yet."""

    def __init__(self, coalmine, scenario):
        command = [coalmine, "mock", scenario, "--listen", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        line = self.process.stderr.readline()
        self.url = "http://" + re.match(r"answering on (\S+) ", line)[1]

    def requests(self):
        """Ends it; how many requests it was asked for."""
        self.process.terminate()
        _, told = self.process.communicate()
        return int(re.search(r"stopped after ([\d,]+) request", told)[1].replace(",", ""))


def run(command, folder):
    ran = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        sys.exit(f"{command[0]} ended with {ran.returncode}:\n{ran.stdout[-2000:]}\n{ran.stderr[-2000:]}")
    return ran.stdout


def of_coalmine(program, url, options, folder):
    command = [program, "load", url, "--model", "m1", "--rate", f"{options.rate}/s", "--stream"]
    command += ["--requests", str(options.requests), "--tokens", f"{INPUT},{OUTPUT}", "--format", "json"]
    times = json.loads(run(command, folder))["times"]
    first = times["ttft_from_send"]
    told = [first["mean_ns"], first["p50_ns"], first["p90_ns"], times["itl"]["mean_ns"]]
    return figures(*(nanoseconds / 1e6 for nanoseconds in told))


def of_aiperf(program, url, options, folder):
    command = [program, "profile", "--model", "m1", "--url", url, "--endpoint-type", "chat", "--streaming"]
    command += ["--tokenizer", str(folder / "m1"), "--use-server-token-count", "--use-legacy-max-tokens"]
    command += ["--request-rate", str(options.rate), "--arrival-pattern", "constant"]
    command += ["--request-count", str(options.requests), "--random-seed", "1"]
    command += ["--prompt-input-tokens-mean", str(INPUT), "--prompt-input-tokens-stddev", "0"]
    command += ["--prompt-output-tokens-mean", str(OUTPUT), "--prompt-output-tokens-stddev", "0"]
    run([*command, "--output-artifact-dir", str(folder / "aiperf")], folder)
    told = json.loads((folder / "aiperf" / "profile_export_aiperf.json").read_text())
    first = told["time_to_first_token"]
    between = told["inter_token_latency"]["avg"]
    return figures(first["avg"], first["p50"], first["p90"], between)


def of_guidellm(program, url, options, folder):
    # It finds the tokenizer by the name of the model, which is that of the folder.
    command = [program, "run", "--disable-console"]
    command += ["--backend", f"kind=openai_http,target={url},model=m1,validate_backend=false"]
    command += ["--profile", f"kind=constant,rate={options.rate}"]
    command += ["--constraint", f"kind=max_requests,count={options.requests}"]
    command += ["--data", f"kind=synthetic_text,prompt_tokens={INPUT},output_tokens={OUTPUT}"]
    run([*command, "--output", f"kind=json,path={folder / 'guidellm.json'}"], folder)
    told = json.loads((folder / "guidellm.json").read_text())["benchmarks"][0]["metrics"]
    first = told["time_to_first_token_ms"]["successful"]
    between = told["inter_token_latency_ms"]["successful"]["mean"]
    return figures(first["mean"], first["median"], first["percentiles"]["p90"], between)


def figures(mean, median, tenth, between):
    return {"TTFT mean": mean, "TTFT P50": median, "TTFT P90": tenth, "between tokens": between}


def main():
    parser = argparse.ArgumentParser()
    for program in ["coalmine", "aiperf", "guidellm"]:
        parser.add_argument(f"--{program}", type=lambda path: Path(path).absolute(), required=True)
    parser.add_argument("--requests", type=int, required=True)
    parser.add_argument("--rate", type=int, required=True)
    options = parser.parse_args()
    coalmine = str(options.coalmine)
    generators = [
        ("coalmine load", of_coalmine, coalmine),
        ("AIPerf", of_aiperf, str(options.aiperf / "bin" / "aiperf")),
        ("GuideLLM", of_guidellm, str(options.guidellm / "bin" / "guidellm")),
    ]
    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "mock.yaml").write_text(SCENARIO)
        tokenizer(folder / "m1")
        for name, measure, program in generators:
            mock = Mock(coalmine, folder / "mock.yaml")
            try:
                row = measure(program, mock.url, options, folder)
            finally:
                asked = mock.requests()
            if asked != options.requests:
                sys.exit(f"{name} asked the mock for {asked} streams, not {options.requests}: no table")
            row["tokens/s a stream"] = 1000 / row["between tokens"]
            rows.append((name, row))
    sys.exit(tell(rows))


def tell(rows):
    """Prints the table; 1 where two differ by more than they may."""
    names = list(rows[0][1])
    print("| | " + " | ".join(names) + " | largest difference |")
    print("| --- " * (len(names) + 2) + "|")
    ours, worst = rows[0][1], 0.0
    for generator, row in rows:
        off = max(names, key=lambda name: abs(row[name] / ours[name] - 1))
        share = row[off] / ours[off] - 1
        worst = max(worst, abs(share))
        told = "-" if row is ours else f"{share:+.2%} ({off})"
        cells = [f"{row[name]:.2f}" for name in names]
        print(f"| {generator} | " + " | ".join(cells) + f" | {told} |")
    print(f"\nTimes in ms. They differ by {worst:.2%} at most; {TOLERANCE:.0%} are allowed.")
    return int(worst > TOLERANCE)


if __name__ == "__main__":
    main()
