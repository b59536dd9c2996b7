"""What the files of a bundle refer to, and the words they need in every declared language."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from handrail.guardrails.bundle.compiler import Vocabulary
from handrail.guardrails.bundle.files import Files
from handrail.guardrails.bundle.reading import Parsed
from handrail.guardrails.bundle.sections import HandoffFile, Manifest, SegmentEntry, Tier
from handrail.guardrails.flows.structure import flow_problems
from handrail.guardrails.policy.policyset import NO_RULE, UNKNOWN_FACT
from handrail.guardrails.toolspec import tool_problems
from handrail.guardrails.vocabulary import NeedState
from handrail.guardrails.yamlsource import Document, PathKey, Problem


def references(problems: list[Problem], files: Files, words: Vocabulary, prompts: frozenset[str]) -> None:
    """What flows, tools, the manifest and the handoff file refer to."""
    for flow in files.flows if files.languages else ():
        found = flow_problems(flow.content, languages=files.languages, tools=words.tools, reasons=words.reasons)
        problems.extend(flow.document.problem(path, message) for path, message in found)
    for tool in files.tools:
        wanting = tool_problems(tool.content, languages=files.languages)
        problems.extend(tool.document.problem(path, message) for path, message in wanting)
    if files.handoff is not None:
        problems.extend(_next_steps(files.handoff, words.reasons))
    if files.manifest is not None:
        _manifest(problems, files.manifest, words, prompts, files.segments)


def _next_steps(handoff: Parsed[HandoffFile], reasons: frozenset[str]) -> Iterator[Problem]:
    steps = handoff.content.next_steps
    if "default" not in steps:
        yield handoff.document.problem(("next_steps",), "the next step for `default` is missing; add it")
    for name in steps:
        if name != "default" and name not in set(NeedState) and name not in reasons:
            message = f"{name} is neither a reason code nor a need state; check the spelling"
            yield handoff.document.problem(("next_steps", name), message)


def _manifest(
    problems: list[Problem],
    manifest: Parsed[Manifest],
    words: Vocabulary,
    prompts: frozenset[str],
    segments: Iterable[Parsed[SegmentEntry]],
) -> None:
    document, declared = manifest.document, manifest.content
    if declared.default_queue not in words.queues:
        problems.append(document.problem(("default_queue",), f"there is no queue {declared.default_queue!r}"))
    if declared.prompt not in prompts:
        problems.append(document.problem(("prompt",), f"there is no prompt {declared.prompt!r}"))
    missing = [code for code in (NO_RULE, UNKNOWN_FACT) if code not in words.reasons]
    message = "the catalogue lacks the reason code {}; add it to reasons/"
    problems.extend(document.problem((), message.format(code)) for code in missing)
    entries = {one.content.id: one.content for one in segments}.values()
    running = [entry.id for entry in entries if entry.tier is Tier.RUNTIME and entry.status == "active"]
    if len(running) > declared.limits.runtime_segments:
        message = (
            f"{len(running)} run-time segments are active; the budget is {declared.limits.runtime_segments}: "
            "set one of them to ready"
        )
        problems.append(document.problem(("limits", "runtime_segments"), message))


def texts(problems: list[Problem], files: Files, *, texts_read: bool) -> dict[str, Mapping[str, str]]:
    """The fixed texts by language, and every customer text that a declared language lacks."""
    by_language: dict[str, Mapping[str, str]] = {one.content.language: one.content.texts for one in files.texts}
    keys = {key for texts in by_language.values() for key in texts}
    for one in files.texts:
        missing = sorted(keys - set(one.content.texts))
        language = one.content.language
        problems.extend(one.document.problem(("texts",), f"the text {key} is missing in {language}") for key in missing)
    if files.manifest is not None and texts_read:
        unwritten = [language for language in files.languages if language not in by_language]
        message = "there is no file of texts for the declared language {}; add texts/{}.yaml"
        at = files.manifest.document
        problems.extend(at.problem(("languages",), message.format(language, language)) for language in unwritten)
    for parsed in files.reasons:
        for index, entry in enumerate(parsed.content.root):
            problems.extend(_untold(parsed.document, (index, "customer"), entry.code, entry.customer, files.languages))
    if files.commitments is not None:
        for index, promise in enumerate(files.commitments.content.commitments):
            path = ("commitments", index, "texts")
            problems.extend(_untold(files.commitments.document, path, promise.id, promise.texts, files.languages))
    if files.queues is not None:
        for index, queue in enumerate(files.queues.content.queues):
            path = ("queues", index, "title")
            problems.extend(_untold(files.queues.document, path, queue.id, queue.title, files.languages))
    return by_language


def _untold(
    document: Document, path: PathKey, name: str, texts: Mapping[str, str], languages: Iterable[str]
) -> Iterator[Problem]:
    for language in languages:
        if language not in texts:
            yield document.problem(path, f"{name}: the text is missing in {language}")
