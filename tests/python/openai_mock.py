"""The official client of OpenAI against a mock whose address is the argument: what it makes of answers and failures."""

import asyncio
import json
import sys
import urllib.request

import openai
import pydantic

ADDRESS = sys.argv[1]
ASK = {"model": "m", "messages": [{"role": "user", "content": "hi there"}], "max_tokens": 20}
FUNCTION = {
    "name": "weather",
    "strict": True,
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
        "required": ["city", "days"],
        "additionalProperties": False,
    },
}
TOOLS = [{"type": "function", "function": FUNCTION}]

client = openai.OpenAI(api_key="none", base_url=f"{ADDRESS}/v1", max_retries=0)


def behave(failures, **more):
    upstream = {"latency": "2ms", "failures": failures, **more}
    body = json.dumps({"m": upstream}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{ADDRESS}/admin/behaviour", body, method="PUT")).close()


def stream(**more):
    return list(client.chat.completions.create(**ASK, stream=True, **more))


def text_of(chunks, index=0):
    choices = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(choice.delta.content or "" for choice in choices)


def answers():
    answer = client.chat.completions.create(**ASK)
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (2, 20), answer.usage
    assert len(answer.choices[0].message.content.split()) == 20
    assert answer.choices[0].finish_reason == "stop"
    chunks = stream(stream_options={"include_usage": True})
    assert len(text_of(chunks).split()) == 20
    assert chunks[-1].usage.total_tokens == 22 and all(chunk.usage is None for chunk in chunks[:-1])
    assert [model.id for model in client.models.list()] == ["m"]


def choices():
    answer = client.chat.completions.create(**ASK, n=3)
    texts = [choice.message.content for choice in answer.choices]
    assert len(set(texts)) == 3 and answer.usage.completion_tokens == 60, answer
    chunks = stream(n=3)
    assert len({text_of(chunks, index) for index in range(3)}) == 3
    assert all(len(text_of(chunks, index).split()) == 20 for index in range(3))


def tools():
    answer = client.chat.completions.create(**ASK, tools=TOOLS, tool_choice="required")
    assert answer.choices[0].finish_reason == "tool_calls"
    (call,) = answer.choices[0].message.tool_calls
    arguments = json.loads(call.function.arguments)
    assert call.function.name == "weather" and call.id
    assert isinstance(arguments["city"], str) and 1 <= arguments["days"] <= 7, arguments
    with client.chat.completions.stream(**ASK, tools=TOOLS, tool_choice="required") as events:
        for _ in events:
            pass
        message = events.get_final_completion().choices[0].message
    assert message.content == "" and message.tool_calls[0].function.name == "weather", message
    assert set(json.loads(message.tool_calls[0].function.arguments)) == {"city", "days"}
    # Which a model may do without.
    assert client.chat.completions.create(**ASK, tools=TOOLS).choices[0].message.tool_calls is None


class Step(pydantic.BaseModel):
    explanation: str
    output: float


class Proof(pydantic.BaseModel):
    steps: list[Step]
    is_done: bool
    hint: str | None


def structured():
    answer = client.chat.completions.create(**ASK, response_format={"type": "json_object"})
    assert isinstance(json.loads(answer.choices[0].message.content), dict)
    parsed = client.chat.completions.parse(**ASK, response_format=Proof).choices[0].message.parsed
    assert isinstance(parsed, Proof) and parsed.steps, parsed


def errors():
    for status, kind in [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (404, openai.NotFoundError),
        (409, openai.ConflictError),
        (422, openai.UnprocessableEntityError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
        (503, openai.InternalServerError),
    ]:
        behave({str(status): 1})
        for ask in (lambda: client.chat.completions.create(**ASK), stream):
            try:
                ask()
                raise AssertionError(f"{status} was an answer")
            except kind as error:
                assert error.status_code == status and "as the mock is told" in error.message
    behave({"429": 1}, rate_limit={"requests": "1/h"})
    raised(openai.RateLimitError, lambda: client.chat.completions.create(**ASK))
    error = raised(openai.RateLimitError, lambda: client.chat.completions.create(**ASK))
    assert 1 <= int(error.response.headers["retry-after"]) <= 3600
    error = raised(openai.BadRequestError, lambda: client.chat.completions.create(**{**ASK, "n": 0}))
    assert error.param == "n", error
    behave({})
    error = raised(openai.NotFoundError, lambda: client.chat.completions.create(**{**ASK, "model": "x"}))
    assert error.code == "model_not_found", error


def raised(kind, call):
    try:
        call()
    except kind as error:
        return error
    raise AssertionError(f"{kind} was not raised")


def failures():
    for kind in ("reset", "refused"):
        behave({kind: 1})
        raised(openai.APIConnectionError, lambda: client.chat.completions.create(**ASK))
        raised(openai.APIConnectionError, stream)
    behave({"timeout": 1})
    hasty = client.with_options(timeout=0.2)
    raised(openai.APITimeoutError, lambda: hasty.chat.completions.create(**ASK))
    behave({"malformed": 1})
    raised(json.JSONDecodeError, lambda: client.chat.completions.create(**ASK))
    raised(json.JSONDecodeError, stream)
    behave({"truncated": {"probability": 1, "at": "50%"}})
    raised(json.JSONDecodeError, lambda: client.chat.completions.create(**ASK))
    raised(openai.APIConnectionError, stream)
    behave({"error_in_stream": {"probability": 1, "at": "50%"}})
    assert "as the mock is told" in raised(openai.APIError, stream).message
    behave({"wrong_content_type": 1})
    assert client.chat.completions.create(**ASK).startswith("<html>")
    behave({"empty": 1})
    assert text_of(stream()) == "" and client.chat.completions.create(**ASK).usage.completion_tokens == 0
    behave({"duplicate_chunk": 1})
    assert len(text_of(stream()).split()) == 21
    for slow in ({"stall": {"probability": 1, "for": "50ms"}}, {"slow_drip": {"probability": 1, "rate": "1000/s"}}):
        behave(slow)
        assert len(text_of(stream()).split()) == 20
        assert len(client.chat.completions.create(**ASK).choices[0].message.content.split()) == 20
    behave({})


def retries():
    # The first is accepted, and so is one a fiftieth of a second later; the client tries again by itself.
    behave({}, rate_limit={"requests": "1/s"})
    patient = client.with_options(max_retries=5)
    for _ in range(2):
        assert patient.chat.completions.create(**ASK).usage.completion_tokens == 20
    behave({})


async def concurrent():
    patient = openai.AsyncOpenAI(api_key="none", base_url=f"{ADDRESS}/v1", max_retries=0)

    async def one():
        chunks = await patient.chat.completions.create(**ASK, stream=True)
        return text_of([chunk async for chunk in chunks])

    texts = await asyncio.gather(*[one() for _ in range(50)])
    assert all(len(text.split()) == 20 for text in texts) and len(set(texts)) == 50
    answers = await asyncio.gather(*[patient.chat.completions.create(**ASK) for _ in range(50)])
    assert all(answer.usage.completion_tokens == 20 for answer in answers)


for check in (answers, choices, tools, structured, errors, failures, retries):
    check()
asyncio.run(concurrent())
print("ok")
