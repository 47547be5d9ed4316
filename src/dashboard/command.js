// The commands of an emergency, each behind a dialog that says what it would do.
const COMMANDS = {
  rollback: {
    button: ({ rollback_target: target }) => (target === null ? "Roll back" : `Roll back to ${target}`),
    title: (model) => `Roll back ${model.model}?`,
    text: ({ rollback_target: target, stable }) => {
      const which = target === stable ? "is tagged stable" : "was the stable before";
      return `All traffic goes to ${target}, which ${which}. A rollout that is under way ends.`;
    },
    body: () => ({ action: "rollback" }),
    isDanger: true,
    fault: ({ rollback_target: target, split, rollout }) => {
      if (target === null) return "No version was ever the stable and is not rolled back: there is nothing to roll back to";
      const isUnderWay = ["stepping", "paused", "promoted"].includes(rollout.state);
      return split[target] === 1 && !isUnderWay ? `All traffic goes to ${target} already` : "";
    },
  },
  pause: {
    button: () => "Pause rollout",
    title: (model) => `Pause the rollout of ${model.model}?`,
    text: () => "The split stays as it is until the rollout is resumed. Rules go on watching.",
    body: () => ({ action: "pause" }),
  },
  resume: {
    button: () => "Resume rollout",
    title: (model) => `Resume the rollout of ${model.model}?`,
    text: () => "The step goes on, and the next ones follow when their time has come.",
    body: () => ({ action: "resume" }),
  },
  promote: {
    button: () => "Promote",
    title: (model) => `Promote ${model.rollout.version} of ${model.model}?`,
    text: (model) => `${model.rollout.version} gets all traffic at once and the tag stable. The steps that are left are skipped.`,
    body: (model) => ({ action: "promote", version: model.rollout.version }),
  },
  abort: {
    button: () => "Abort rollout",
    title: (model) => `Abort the rollout of ${model.model}?`,
    text: (model) => `The traffic of ${model.rollout.version} goes back to ${model.stable ?? "the stable"}.`,
    body: () => ({ action: "abort" }),
    isDanger: true,
  },
};

// Without encryption browsers have no randomUUID: a gateway may be reached by plain HTTP.
const unique = () => {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
};

const actionButton = (name, act) => {
  const command = COMMANDS[name];
  const root = make("button", { type: "button", className: command.isDanger ? "danger" : "" });
  if (name === "rollback") root.classList.add("big");
  root.addEventListener("click", act);
  const show = (model) => {
    put(root, `${command.button(model)}…`);
    const fault = command.fault?.(model) ?? "";
    root.disabled = fault !== "";
    attribute(root, "title", fault);
  };
  return { root, show };
};

const splitWords = (split) => versions(Object.entries(split));

// `send` posts a body to a path with headers and answers the response; `age` says how old the
// figures are.
const commandDialog = (send, age) => {
  const dialog = byId("dialog");
  const [title, text, answer] = ["title", "text", "answer"].map((part) => byId(`dialog-${part}`));
  const [facts, no, yes] = ["facts", "no", "yes"].map((part) => byId(`dialog-${part}`));
  let current = null;

  const say = (words, tone) => {
    attribute(answer, "class", tone);
    put(answer, words);
  };

  const carryOut = async () => {
    const { model, command, repeat } = current;
    yes.disabled = true;
    say("Asking the gateway…", "note");
    const asked = current;
    const path = `/v1/models/${encodeURIComponent(model.model)}/deploy`;
    const headers = { "Content-Type": "application/json", "Idempotency-Key": repeat };
    const outcome = await send(path, headers, JSON.stringify(command.body(model)));
    if (current !== asked) return;
    if (outcome.error !== undefined) {
      // The same key again: if the command came through after all, it is not carried out twice.
      yes.disabled = false;
      put(yes, "Try again");
      return say(outcome.error, "error");
    }
    const { status, split, journal_entry: entry } = outcome.body;
    const where = entry === null ? "Nothing had to change." : `Journal entry ${entry}.`;
    say(`Done: ${status.replaceAll("_", " ")}. The split is ${splitWords(split)}. ${where}`, "done");
    yes.hidden = true;
    put(no, "Close");
    no.focus();
  };

  yes.addEventListener("click", carryOut);
  no.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    current = null;
  });

  const ask = (name, model) => {
    const command = COMMANDS[name];
    current = { model, command, repeat: unique() };
    put(title, command.title(model));
    put(text, command.text(model));
    const now = age();
    const rows = [["Model", model.model], ["Split now", splitWords(model.split)]];
    if (now !== "") rows.push(["Beware", `these figures are ${now} old`]);
    facts.replaceChildren(...rows.flatMap(([term, value]) => [make("dt", {}, term), make("dd", {}, value)]));
    say("", "");
    put(yes, command.button(model));
    attribute(yes, "class", command.isDanger ? "danger" : "primary");
    yes.hidden = yes.disabled = false;
    put(no, "Cancel");
    dialog.showModal();
    // A key that is pressed twice changes nothing.
    no.focus();
  };
  return { ask, close: () => dialog.open && dialog.close() };
};
