"""The official client of OpenAI against a gateway: base URL and access key are arguments."""

import asyncio
import sys

import openai

BASE, KEY = sys.argv[1], sys.argv[2]
ASK = {"model": "gpt-4", "messages": [{"role": "user", "content": "hi there"}], "max_tokens": 5}


def plain(client):
    answer = client.chat.completions.create(**ASK)
    assert answer.usage.completion_tokens == 5 and answer.usage.prompt_tokens == 2, answer.usage
    assert answer.choices[0].finish_reason == "stop"
    assert len(answer.choices[0].message.content.split()) == 5
    told = client.chat.completions.with_raw_response.create(
        **ASK,
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        response_format={"type": "json_object"},
    )
    assert told.headers["x-served-version"] in ("v1", "v2") and told.headers["x-request-id"]


def streamed(client):
    chunks = list(
        client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True})
    )
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert len(text.split()) == 5, text
    assert chunks[-1].usage.completion_tokens == 5


def models(client):
    assert [model.id for model in client.models.list()] == ["gpt-4"]
    assert client.models.retrieve("gpt-4").object == "model"


def errors(client):
    try:
        client.chat.completions.create(model="nope", messages=[])
        raise AssertionError("an unknown model was answered")
    except openai.NotFoundError as error:
        assert error.code == "model_not_found", error
    try:
        client.chat.completions.create(**{**ASK, "model": "gpt-4@v9"})
        raise AssertionError("an unknown version was answered")
    except openai.NotFoundError as error:
        assert error.code == "version_not_found", error
    try:
        openai.OpenAI(api_key="no.key", base_url=BASE, max_retries=0).models.list()
        raise AssertionError("a wrong key was taken")
    except openai.AuthenticationError as error:
        assert error.code == "invalid_api_key", error


async def concurrent():
    client = openai.AsyncOpenAI(api_key=KEY, base_url=BASE)
    answers = await asyncio.gather(*[client.chat.completions.create(**ASK) for _ in range(20)])
    assert all(answer.usage.completion_tokens == 5 for answer in answers)
    stream = await client.chat.completions.create(**ASK, stream=True)
    text = "".join([c.choices[0].delta.content or "" async for c in stream if c.choices])
    assert len(text.split()) == 5, text


client = openai.OpenAI(api_key=KEY, base_url=BASE)
for check in (plain, streamed, models, errors):
    check(client)
asyncio.run(concurrent())
print("ok")
