"""Reads a JUnit document of `coalmine gate` as CI systems do, and says where they would err.

    junit_readers.py DOCUMENT SCHEMA

Three readers: the parser of the package junitparser; Jenkins' schema `junit-10.xsd`, by the package
xmlschema; and what GitLab's `lib/gitlab/ci/parsers/test/junit.rb` takes out of each case, restated
here. What each must find is written down below by hand, from the suite that
`src/suite/example.rs` makes. Exits with 1 and the differences where a reader finds another thing.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree

import junitparser
import xmlschema

# Suite, case, how it came out, its type, seconds, attachment. A name that ends in "..." begins so.
CHECKOUT = "time_to_rollback <= 105s (scenarios/checkout.yaml"
EXPECTED = [
    ("broken", "it can be read", "error", "unreadable", 0.0, None),
    ("canary", "time_to_rollback <= 105s", "success", None, 1.25, "canary"),
    ("canary", "error_rate < 2%", "success", None, 0.0, "canary"),
    ("checkout", f"{CHECKOUT}:40)", "success", None, 3.004, "checkout"),
    ("checkout", "error_rate <= baseline(error_rate)", "failed", "fail", 0.0, "checkout"),
    (
        "checkout",
        "latency_p99 / latency_p50 within 2..5",
        "failed",
        "inconclusive",
        0.0,
        "checkout",
    ),
    ("checkout", f"{CHECKOUT}:43)", "failed", "fail", 0.0, "checkout"),
    ("hostile", "error_rate < 1% ]]> <script>alert('x' & \"y\")</script> ...", "failed", "fail", 0.02, "hostile"),
    ("must-fail", "expect: fail", "success", None, 0.045, "must-fail"),
    ("must-fail", "rollbacks == 0", "success", None, 0.0, "must-fail"),
    ("must-fail", "time_to_rollback <= 105s", "success", None, 0.0, "must-fail"),
    ("must-fail-no-more", "expect: fail", "failed", "unexpected", 0.04, None),
    ("must-fail-no-more", "time_to_rollback <= 105s", "success", None, 0.0, None),
    ("no-gate", "it has a gate", "error", "nothing_to_evaluate", 0.007, None),
    ("quiet", "error_rate < 1%", "failed", "inconclusive", 1.0, None),
    ("truncated", "its runs can be trusted", "error", "invalid", 0.333, None),
    (
        "truncated",
        "time_to_rollback <= 105s (scenarios/truncated.yaml:20)",
        "skipped",
        "invalid",
        0.0,
        None,
    ),
    (
        "truncated",
        "time_to_rollback <= 105s (scenarios/truncated.yaml:21)",
        "skipped",
        "invalid",
        0.0,
        None,
    ),
]

# What a reader must be shown of these cases.
TOLD = {
    ("broken", "it can be read"): ["scenarios/broken.yaml:6:32", "                                ^^"],
    ("checkout", f"{CHECKOUT}:43)"): [
        "scenarios/checkout.yaml:43",
        "75 s to 120 s; it does not hold in 2 of 3 runs: seed 2, 3",
        "right: 105 s",
        "again: coalmine gate scenarios/checkout.yaml --seeds 3 --baseline baselines",
    ],
    ("truncated", "its runs can be trusted"): ["the trace ends in the middle of a row"],
    ("must-fail-no-more", "expect: fail"): ["expected fail, found pass"],
    ("no-gate", "it has a gate"): ["the scenario states no gate"],
}

# In Jenkins' schema these are missing; see the head of `src/report/suite_junit.rs`.
BEYOND_SCHEMA = {"testsuites": ["skipped"], "testcase": ["file", "line"]}

problems = []


def check(what, found, wanted):
    if found != wanted:
        problems.append(f"{what}: found {found!r}, wanted {wanted!r}")


def check_name(what, found, wanted):
    if wanted.endswith("..."):
        check(what, found[: len(wanted) - 3], wanted[:-3])
    else:
        check(what, found, wanted)


def with_junitparser(path):
    """Suite, case, outcome, type and seconds of each case."""
    of_kind = {junitparser.Failure: "failed", junitparser.Error: "error", junitparser.Skipped: "skipped"}
    cases = []
    document = junitparser.JUnitXml.fromfile(path)
    for suite in document:
        counts = {"failed": 0, "error": 0, "skipped": 0, "success": 0}
        for case in suite:
            check(f"results of {case.name}", len(case.result) <= 1, True)
            result = case.result[0] if case.result else None
            outcome = of_kind[type(result)] if result is not None else "success"
            counts[outcome] += 1
            cases.append((suite.name, case.name, outcome, result.type if result is not None else None, case.time or 0.0))
        told = (suite.tests, suite.failures, suite.errors, suite.skipped)
        counted = (sum(counts.values()), counts["failed"], counts["error"], counts["skipped"])
        check(f"counts of {suite.name}", told, counted)
        check(f"seconds of {suite.name}", suite.time, sum(case.time or 0.0 for case in suite))
    return cases


def with_gitlab(path):
    """Suite, class, case, outcome, file, seconds, output and attachment of each case.

    Mirrors `create_test_case`: the first of failure, error and skipped that is there; its content
    where it has any, else all of it; an attachment only of a failure. A second element of a name
    makes a list of both there, which the parser cannot read.
    """
    kinds = [("failure", "failed"), ("error", "error"), ("skipped", "skipped")]
    cases = []
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        keys = set()
        for case in suite.findall("testcase"):
            name = case.get("name")
            for child in ["failure", "error", "skipped", "system-out"]:
                check(f"{child} of {name}", len(case.findall(child)) <= 1, True)
            outcome, output, attachment = "success", None, None
            for child, kind in kinds:
                element = case.find(child)
                if element is not None:
                    outcome, output = kind, element.text
                    if child == "failure":
                        found = re.search(r"\[\[ATTACHMENT\|(.+?)\]\]", case.findtext("system-out") or "")
                        attachment = found and found[1]
                    break
            key = (suite.get("name"), case.get("classname"), name)
            check(f"a second case {key}", key in keys, False)
            keys.add(key)
            cases.append((*key, outcome, case.get("file"), float(case.get("time") or 0), output, attachment))
    return cases


def with_schema(path, schema_path):
    """What Jenkins' schema has against the document, beside what it is known to lack."""
    schema = xmlschema.XMLSchema(schema_path)
    tree = ElementTree.parse(path)
    whole = list(schema.iter_errors(tree))
    check("what the schema lacks is there", bool(whole), True)
    for element in tree.iter():
        for name in BEYOND_SCHEMA.get(element.tag, []):
            element.attrib.pop(name, None)
    return [str(error.reason) for error in schema.iter_errors(tree)]


def jenkins_attachments(path):
    """The attachments of each case, by the pattern of Jenkins' plugin: greedy, line by line."""
    cases = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        output = case.findtext("system-out") or ""
        # Of a case that passes it keeps so much of the beginning.
        if all(case.find(kind) is None for kind in ["failure", "error"]):
            output = output[:500]
        found = re.findall(r"\[\[ATTACHMENT\|(.+)\]\]", output)
        cases.append([path.split("|")[0] for path in found])
    return cases


def main(document, schema):
    parsed = with_junitparser(document)
    gitlab = with_gitlab(document)
    jenkins = jenkins_attachments(document)
    check("cases for junitparser", len(parsed), len(EXPECTED))
    check("cases for GitLab", len(gitlab), len(EXPECTED))
    for wanted, case, seen, attached in zip(EXPECTED, parsed, gitlab, jenkins):
        suite, name, outcome, kind, seconds, report = wanted
        check("suite", case[0], suite)
        check_name("case", case[1], name)
        check(f"{suite}: {name}", case[2:], (outcome, kind, seconds))
        check("GitLab: suite and class", seen[:2], (suite, suite))
        check_name("GitLab: case", seen[2], name)
        check(f"GitLab: {suite}: {name}", (seen[3], seen[5]), (outcome, seconds))
        check(f"GitLab: file of {suite}: {name}", seen[4].endswith(f"scenarios/{suite}.yaml"), True)
        chart = f"reports/{report}/charts/timeline.png"
        check(f"GitLab: chart of {suite}: {name}", seen[7], chart if report and outcome == "failed" else None)
        files = [chart, f"reports/{report}/report.html"] if report else []
        check(f"Jenkins: attachments of {suite}: {name}", attached, files)
        check(f"GitLab: output of {suite}: {name}", bool(seen[6]), outcome != "success")
        for text in TOLD.get((suite, name), []):
            check(f"{suite}: {name} tells {text!r}", text in (seen[6] or ""), True)
    for reason in with_schema(document, schema):
        problems.append(f"Jenkins' schema: {reason}")
    print(f"{len(parsed)} cases read by junitparser, as GitLab does, and by Jenkins' schema")
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
