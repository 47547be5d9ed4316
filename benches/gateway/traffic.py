"""What is sent and what comes back: the bodies of requests, the mock's answers, and the check of them."""

import http.client
import json
from dataclasses import dataclass

CHUNKS = 20
# Apart enough that a proxy gets each chunk by itself, as it gets the tokens of a model.
PACE_SECONDS = 0.001
WORDS = "the quick brown fox jumps over the lazy dog while a canary sings in the coal mine "


@dataclass(frozen=True)
class Workload:
    """A kind of request."""

    name: str
    body_bytes: int
    is_stream: bool
    connections: int


# A stream lasts some 25 ms, so it takes more of them at once to use up two cores.
WORKLOADS = [
    Workload("1 KiB, plain", 1024, False, 32),
    Workload("16 KiB, plain", 16384, False, 32),
    Workload("1 KiB, 20 chunks", 1024, True, 256),
    Workload("16 KiB, 20 chunks", 16384, True, 256),
]


def request_body(workload, model_prefix=""):
    """A chat completion of exactly the workload's bytes."""
    request = {
        "model": model_prefix + ("chat-stream" if workload.is_stream else "chat"),
        "messages": [
            {"role": "system", "content": "You are a helpful assistant."},
            {"role": "user", "content": ""},
        ],
        "temperature": 0.7,
        "max_tokens": 256,
    }
    if workload.is_stream:
        request["stream"] = True
    room = workload.body_bytes - len(json.dumps(request))
    request["messages"][1]["content"] = (WORDS * (room // len(WORDS) + 1))[:room]
    body = json.dumps(request).encode()
    assert len(body) == workload.body_bytes
    return body


def answer():
    """The mock's plain answer: 60 words."""
    message = {"role": "assistant", "content": (WORDS * 4).strip()}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    usage = {"prompt_tokens": 220, "completion_tokens": 64, "total_tokens": 284}
    return json.dumps(
        {
            "id": "chatcmpl-1",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "chat",
            "choices": [choice],
            "usage": usage,
        }
    )


def events():
    """The mock's stream: a text for each of its chunks; the last has the end as well."""
    words = WORDS.split()

    def event(delta, finish):
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        fields = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000}
        return f"data: {json.dumps(fields | {'model': 'chat', 'choices': [choice]})}\n\n"

    chunks = [
        event({"role": "assistant", "content": words[0]} if n == 0 else {"content": f" {words[n % len(words)]}"}, None)
        for n in range(CHUNKS - 1)
    ]
    return [*chunks, event({}, "stop") + "data: [DONE]\n\n"]


def mock_stream_location():
    """How nginx, with its echo module, sends the stream: each chunk by itself, then a wait."""
    lines = ["location = /stream/v1/chat/completions {", "default_type text/event-stream;"]
    lines.append("echo_read_request_body;")
    for number, chunk in enumerate(events()):
        if number > 0:
            lines.append(f"echo_sleep {PACE_SECONDS};")
        text = chunk.replace("\n", "\\n")
        lines += [f"echo -n '{text}';", "echo_flush;"]
    return "\n".join([*lines, "}"])


def ask(port, path, body, headers):
    """Sends one request; the response's status, headers, and the pieces of its body as they came."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        response = connection.getresponse()
        pieces = []
        while piece := response.read1(65536):
            pieces.append(piece)
        return response.status, response.headers, pieces
    finally:
        connection.close()


def complaint(workload, status, pieces, is_rewritten):
    """What is wrong with an answer; None: nothing.

    Who reads answers and writes them anew changes their bytes: there the text that a client is shown
    is compared, elsewhere every byte.
    """
    body = b"".join(pieces)
    if status != 200:
        return f"status {status}: {body[:200]!r}"
    expected = "".join(events()) if workload.is_stream else answer()
    if workload.is_stream and b"[DONE]" in pieces[0]:
        return "the stream came in one piece: it was held back until its end"
    if not is_rewritten:
        same = body == expected.encode()
    elif workload.is_stream:
        same = streamed_text(body.decode()) == streamed_text(expected)
    else:
        same = plain_text(body) == plain_text(expected)
    return None if same else f"another answer than the mock's: {body[:200]!r}"


def plain_text(body):
    """The content of a plain answer."""
    return json.loads(body)["choices"][0]["message"]["content"]


def streamed_text(body):
    """The contents of a stream's events, joined."""
    lines = [line.removeprefix("data: ") for line in body.splitlines() if line.startswith("data: ")]
    if not lines or lines[-1] != "[DONE]":
        return None
    choices = [choice for line in lines[:-1] for choice in json.loads(line)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)
