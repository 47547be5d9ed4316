"""Who is measured: how each is configured and started. Each takes requests at a port of its own."""

import os
import re
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

import traffic
from processes import Failure, Server, free_port

HERE = Path(__file__).parent
REPOSITORY = HERE.parent.parent


@dataclass
class Contender:
    """A running contender."""

    name: str
    server: Server
    port: int
    # Where its paths begin, for plain requests and for streams.
    prefix: str = "/v1"
    stream_prefix: str = "/v1"
    model_prefix: str = ""
    headers: dict = field(default_factory=dict)
    # Whether it reads answers and writes them anew.
    is_rewriting: bool = False
    # For a slow one: how many connections it gets at most, and how many times the seconds.
    most_connections: int = 256
    patience: int = 1

    def path(self, workload):
        prefix = self.stream_prefix if workload.is_stream else self.prefix
        return f"{prefix}/chat/completions"


class Kit:
    """What contenders are started with: programs, a folder for their files, and the mock's port."""

    def __init__(self, installed, folder):
        self.installed = Path(installed)
        self.folder = Path(folder)
        self.mock_port = free_port()
        self.servers = []

    def program(self, name):
        """Where a program is that `run` has installed or found."""
        found = self.installed / "programs" / name
        if not found.exists():
            why = self.installed / "programs" / f"{name}.missing"
            raise Failure(f"not installed: {why.read_text().strip() if why.exists() else name}")
        return str(found.resolve())

    def environment(self):
        """Lets Debian's programs find the libraries that were unpacked beside them."""
        libraries = sorted(str(path) for path in self.installed.glob("debian/usr/lib/*-linux-gnu*"))
        return {"LD_LIBRARY_PATH": ":".join(libraries)} if libraries else {}

    def config(self, name, **values):
        """A configuration with its places filled in."""
        text = (HERE / "config" / name).read_text()
        values |= {"MOCK": self.mock_port, "DIR": self.folder, "RULES": REPOSITORY / "fixtures/rollback-rules.json"}
        for key, value in values.items():
            text = text.replace(f"@{key}@", str(value))
        if left := re.search(r"@[A-Z]+@", text):
            raise Failure(f"{name} has {left[0]}, which nothing was put in for")
        path = self.folder / name
        path.write_text(text)
        return str(path)

    def start(self, name, command, environment=None):
        server = Server(name, command, self.folder / f"{name}.log", environment)
        self.servers.append(server)
        return server

    def end(self):
        for server in self.servers:
            server.end()


def mock(kit):
    """The upstream, which is also the contender `direct`; whether it can stream."""
    module = next(
        (
            path
            for folder in (kit.installed / "debian/usr/lib/nginx/modules", Path("/usr/lib/nginx/modules"))
            for path in folder.glob("ngx_http_echo_module.so")
        ),
        None,
    )
    path = kit.config(
        "mock.conf",
        ANSWER=traffic.answer(),
        MODULE=f"load_module {module.resolve()};" if module else "",
        STREAM=traffic.mock_stream_location() if module else "",
    )
    command = [kit.program("nginx"), "-p", str(kit.folder), "-c", path]
    server = kit.start("mock", command, kit.environment())
    server.listens(kit.mock_port)
    return Contender("direct", server, kit.mock_port, stream_prefix="/stream/v1"), module is not None


def nginx(kit):
    port = free_port()
    path = kit.config("nginx.conf", PORT=port)
    command = [kit.program("nginx"), "-p", str(kit.folder), "-c", path]
    server = kit.start("nginx", command, kit.environment())
    server.listens(port)
    return Contender("nginx", server, port, stream_prefix="/stream/v1")


def haproxy(kit):
    port = free_port()
    command = [kit.program("haproxy"), "-db", "-f", kit.config("haproxy.cfg", PORT=port)]
    server = kit.start("haproxy", command, kit.environment())
    server.listens(port)
    return Contender("HAProxy", server, port, stream_prefix="/stream/v1")


def envoy(kit):
    port = free_port()
    path = kit.config("envoy.yaml", PORT=port)
    # The wheel's command is a Python script that becomes the server.
    command = [kit.program("envoy"), "-c", path, "--concurrency", "2", "--log-level", "error", "--use-dynamic-base-id"]
    server = kit.start("envoy", command)
    server.listens(port)
    return Contender("Envoy", server, port, stream_prefix="/stream/v1")


def tensorzero(kit):
    python = kit.program("tensorzero-python")
    command = [python, str(HERE / "tensorzero_gateway.py"), kit.config("tensorzero.toml")]
    server = kit.start("tensorzero", command)
    address = server.wait_for(lambda: re.search(r"^BASE http://[^:]+:(\d+)(/\S*)$", server.log.read_text(), re.M))
    prefix = address[2].rstrip("/")
    return Contender(
        "TensorZero",
        server,
        int(address[1]),
        prefix=prefix,
        stream_prefix=prefix,
        model_prefix="tensorzero::model_name::",
        is_rewriting=True,
    )


def litellm(kit):
    port = free_port()
    path = kit.config("litellm.yaml")
    program = kit.program("litellm")
    command = [program, "--config", path, "--host", "127.0.0.1", "--port", str(port), "--num_workers", "2"]
    # It does not start without a key. Its list of prices would be fetched from the network.
    key = "sk-" + secrets.token_hex(32)
    settings = {"LITELLM_MASTER_KEY": key, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR"}
    server = kit.start("litellm", command, settings)
    server.listens(port)
    headers = {"Authorization": f"Bearer {key}"}
    # With some ten milliseconds for an answer it would answer no stream of 256 in a round.
    return Contender("LiteLLM", server, port, headers=headers, is_rewriting=True, most_connections=8, patience=3)


def coalmine(kit):
    port = free_port()
    path = kit.config("coalmine.yaml", PORT=port)
    command = [kit.program("coalmine"), "serve", path, "--threads", "2", "--allow-outside"]
    server = kit.start("coalmine", command)
    server.listens(port)
    # The first start prints an access key.
    key = server.wait_for(lambda: re.search(r"^Access key .*: (\S+)$", server.log.read_text(), re.M))
    return Contender("coalmine", server, port, headers={"Authorization": f"Bearer {key[1]}"})


ALL = {
    "nginx": nginx,
    "HAProxy": haproxy,
    "Envoy": envoy,
    "TensorZero": tensorzero,
    "LiteLLM": litellm,
    "coalmine": coalmine,
}


def check(contender, workload):
    """Whether it answers as the mock does; of coalmine also whether it splits."""
    body = traffic.request_body(workload, contender.model_prefix)
    served = {}
    for _ in range(100 if contender.name == "coalmine" else 3):
        status, headers, pieces = traffic.ask(contender.port, contender.path(workload), body, contender.headers)
        if wrong := traffic.complaint(workload, status, pieces, contender.is_rewriting):
            raise Failure(f"{contender.name}, {workload.name}: {wrong}")
        version = headers.get("X-Served-Version")
        served[version] = served.get(version, 0) + 1
    # A fair coin falls on one side less than 20 times of 100 once in 10^10.
    if contender.name == "coalmine" and (set(served) != {"v1", "v2"} or min(served.values()) < 20):
        raise Failure(f"coalmine does not split 50/50: {served}")


def hold_to_two_cores():
    """Holds this process and all that it starts to two cores."""
    cores = sorted(os.sched_getaffinity(0))[:2]
    if len(cores) < 2:
        print("only one core: figures are not comparable with those of two", file=sys.stderr)
    os.sched_setaffinity(0, cores)
