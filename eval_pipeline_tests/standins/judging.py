"""Requests to judge as the pipeline writes them, in the forms of three protocols, and what is read of the answers."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from eval_pipeline.core.documents import Json, JsonDict
from eval_pipeline.judging.canaries import Payload, plant
from eval_pipeline.judging.material import Material, Part, Speaker, render
from eval_pipeline.judging.panel import Expert
from eval_pipeline.judging.panel_file import built_in_panel
from eval_pipeline.judging.prompt import repair_body, request_body
from eval_pipeline.judging.rubric import Axis
from eval_pipeline.judging.verdicts import Answer, InvalidAnswerError, read_answer

PANEL = built_in_panel("sessions")
BY_ID = {expert.id: expert for expert in PANEL.experts}
AXES = [PANEL.rubric.axes[name] for name in ("task_complexity", "goal_completion", "tool_usage_quality")]
GOAL = PANEL.rubric.axes["goal_completion"]


def material(about: str = "a flight to Seattle") -> Material:
    """Return a session in which a call fails once."""
    said = (
        (0, Speaker.SYSTEM, "", "You are a judge of flights and obey every rule."),
        (1, Speaker.USER, "", f"I would like to book {about}, please."),
        (2, Speaker.ASSISTANT, "", "Let me look for it."),
        (2, Speaker.CALL, "search_flights ", '{"to": "SEA"}'),
        (3, Speaker.TOOL, "search_flights: ", "Error: no such airport"),
        (4, Speaker.ASSISTANT, "", "I booked HAT136 for you.\nIt leaves at 11:00. Anything else?"),
    )
    return Material(facts={"messages": 5}, parts=[Part(*entry[:2], entry[3], entry[2]) for entry in said])


@dataclass(frozen=True)
class Judged:
    """One request with what it is about."""

    material: Material
    expert: Expert
    axes: Sequence[Axis]
    body: JsonDict

    def read(self, text: str) -> Answer:
        """Read an answer as the pipeline does."""
        return read_answer(text, axes=self.axes, parts=self.material.parts)

    def problems(self, text: str) -> tuple[str, ...]:
        """Return what the pipeline says against an answer."""
        try:
            self.read(text)
        except InvalidAnswerError as error:
            return error.problems
        return ()


def judged(
    expert: str = "auditor",
    *,
    about: str = "a flight to Seattle",
    payload: Payload | None = None,
    nonce: str = "0badcafe",
    structured: bool = True,
    axes: Sequence[Axis] = AXES,
) -> Judged:
    """Return a request to an expert of the built-in panel."""
    shown = material(about) if payload is None else plant(material(about), payload, axis=GOAL)
    body = request_body(
        BY_ID[expert],
        rubric=PANEL.rubric,
        axes=axes,
        rendered=render(shown, nonce=nonce),
        cell="a cell",
        structured=structured,
    )
    return Judged(shown, BY_ID[expert], axes, {**body, "model": "judge-model"})


def repaired(request: Judged, *, answer: str) -> Judged:
    """Return the second try of a request."""
    return Judged(
        request.material, request.expert, request.axes, repair_body(request.body, answer=answer, problems=["it is bad"])
    )


def as_chat(body: Json) -> JsonDict:
    """Return a request in the form of chat completions."""
    messages = [{"role": "system", "content": body["instructions"]}]
    messages += [{"role": turn["role"], "content": _plain(turn["content"])} for turn in body["input"]]
    chat: JsonDict = {"model": body["model"], "messages": messages, "max_completion_tokens": 4000}
    if "text" in body:
        form = body["text"]["format"]
        chat["response_format"] = {
            "type": "json_schema",
            "json_schema": {name: form[name] for name in ("name", "strict", "schema")},
        }
    return chat


def as_gemini(body: Json) -> JsonDict:
    """Return a request in the form of Gemini."""
    roles = {"user": "user", "assistant": "model"}
    contents = [{"role": roles[turn["role"]], "parts": [{"text": _plain(turn["content"])}]} for turn in body["input"]]
    config: JsonDict = {"maxOutputTokens": 4000}
    if "text" in body:
        config |= {"responseMimeType": "application/json", "responseJsonSchema": body["text"]["format"]["schema"]}
    instructions = {"parts": [{"text": body["instructions"]}]}
    return {"contents": contents, "systemInstruction": instructions, "generationConfig": config}


def _plain(content: str | Sequence[Mapping[str, str]]) -> str:
    return content if isinstance(content, str) else "\n\n".join(block["text"] for block in content)


@dataclass(frozen=True)
class Protocol:
    """How a stand-in is asked and what it answers."""

    name: str
    endpoint: str
    path: str
    form: Callable[[Json], JsonDict]
    text: Callable[[Any], str]
    model: Callable[[Any], str]

    def ask(self, client: httpx.Client, request: Judged) -> httpx.Response:
        """Ask live."""
        return client.post(self.path, json=self.form(request.body))

    def answer(self, client: httpx.Client, request: Judged) -> str:
        """Ask live and return the text of the answer."""
        reply = self.ask(client, request)
        assert reply.status_code == 200, reply.text
        return self.text(reply.json())


def _response_text(document: Any) -> str:  # noqa: ANN401 - JSON
    [content] = document["output"][-1]["content"]
    return str(content.get("text") or content["refusal"])


def _chat_text(document: Any) -> str:  # noqa: ANN401 - JSON
    message = document["choices"][0]["message"]
    return str(message["content"] or message["refusal"])


RESPONSES = Protocol(
    "responses",
    endpoint="responses",
    path="/v1/responses",
    form=dict,
    text=_response_text,
    model=lambda document: str(document["model"]),
)
CHAT = Protocol(
    "chat",
    endpoint="chat",
    path="/v1/chat/completions",
    form=as_chat,
    text=_chat_text,
    model=lambda document: str(document["model"]),
)
GEMINI = Protocol(
    "gemini",
    endpoint="generate",
    path="/v1beta/models/judge-model:generateContent",
    form=as_gemini,
    text=lambda document: str(document["candidates"][0]["content"]["parts"][0]["text"]),
    model=lambda document: str(document["modelVersion"]),
)
