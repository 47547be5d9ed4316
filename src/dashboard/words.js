// Journal entries and the evidence of rules, in words. Addresses of webhooks are in none of them.
const versions = (weights) => {
  const named = weights.map(([id, share]) => `${id} ${weight(share)}`);
  return named.length > 0 ? named.join(", ") : "nothing";
};

const moved = ({ split, previous }) => `${versions(split)} (before: ${versions(previous)})`;

const stepOf = (state) => Object.values(typeof state === "object" ? state : {})[0];

// What each change is called, with what somebody wants to know of it.
const CHANGES = {
  registered: ({ version }) => `Version ${version.id} registered`,
  evaluated: ({ version, evaluation }) =>
    `Rehearsal of ${version}, scenario ${evaluation.scenario}: ${evaluation.verdict}`,
  tagged: ({ tag, version, previous }) =>
    `Tag ${tag} names ${version}${previous ? ` (before: ${previous})` : ""}`,
  split: ({ shift }) => `Split: ${moved(shift)}`,
  assignment: ({ assignment }) => `Requests are assigned: ${assignment}`,
  policies: () => "Policies set",
  rules: ({ rules }) =>
    `Rules set: ${plural(rules.conditions.length, "condition")}${rules.enable ? "" : ", switched off"}`,
  rolled_back: ({ version, target, shift }) =>
    `Rolled back${version ? ` ${version}` : ""} to ${target}: ${moved(shift)}`,
  rollout_started: ({ version, steps, shift }) =>
    `Rollout of ${version} in ${plural(steps.length, "step")}: ${moved(shift)}`,
  rollout_stepped: ({ state, shift }) => {
    const step = stepOf(state);
    const where = step === undefined ? "the next step" : `step ${step + 1}`;
    return `Rollout at ${where}${state.paused === undefined ? "" : ", paused"}: ${moved(shift)}`;
  },
  rollout_paused: ({ stage }) => `Rollout paused at step ${stage + 1}`,
  rollout_resumed: ({ stage }) => `Rollout resumed at step ${stage + 1}`,
  rollout_aborted: ({ shift }) => `Rollout aborted: ${moved(shift)}`,
  promoted: ({ version, shift }) => `Promoted ${version} to stable: ${moved(shift)}`,
  bake_over: () => "The promoted version is no longer covered by rules",
  observation_lost: ({ versions: lost }) =>
    `Restart: what was seen of ${lost.join(", ")} is lost, the rules begin anew`,
  key_created: ({ key, scope }) => `Access key ${key} made, of scope ${scope}`,
  key_regenerated: ({ key, grace }) =>
    `Access key ${key} has a new secret; the old one holds for ${seconds(grace)}`,
  key_revoked: ({ key }) => `Access key ${key} revoked`,
  keys_invalidated: ({ keys }) => `Access keys invalidated: ${keys.join(", ")}`,
  default_rules: ({ rules }) =>
    `Rules of all models without their own set: ${rules.triggers.length}`,
  default_rules_followed: () => "The rules are those of all models from now on",
  notified: ({ refused }) =>
    refused === undefined
      ? "A firing is told to those whom the rules name"
      : "A rollback was refused: it has nowhere to go, traffic stays",
  delivered: ({ message }) => {
    const about = message.about === null ? "" : ` about entry ${message.about}`;
    return `A message by ${message.channel}${about} was delivered`;
  },
  undelivered: ({ message }) => {
    const about = message.about === null ? "" : ` about entry ${message.about}`;
    return `A message by ${message.channel}${about} was not delivered: ${message.outcome}`;
  },
};

const change = (entry) => {
  const [name, data] =
    typeof entry.change === "string" ? [entry.change, {}] : Object.entries(entry.change)[0];
  // A gateway that is newer than this page has changes that it does not know.
  return Object.hasOwn(CHANGES, name) ? CHANGES[name](data) : name.replaceAll("_", " ");
};

// What somebody should look at first.
const isGrave = ({ change: made }) =>
  ["rolled_back", "keys_invalidated", "undelivered", "rollout_aborted"].some(
    (name) => typeof made === "object" && Object.hasOwn(made, name),
  );

const actor = ({ by, cause }) => {
  if (cause === "restart") return "a restart";
  if (cause === "rollout") return "the rollout";
  if (cause === "delivery") return "the notifier";
  return cause.trigger ? `rule ${by}` : by;
};

// What a rule saw when it fired, in figures.
const READINGS = {
  share: ({ metric, hits, requests, operator, threshold }) =>
    `${metric} ${percent(hits / requests)} (${count(hits)} of ${count(requests)} requests) ` +
    `${operator} ${weight(threshold)}`,
  time: ({ metric, value, above, requests, in_flight, operator, threshold }) => {
    const beyond = above === undefined ? "" : `, ${count(above)} of ${count(requests)} beyond`;
    const waiting = in_flight > 0 ? `, ${count(in_flight)} still in flight` : "";
    const seen = value === undefined ? "" : ` ${millis(value / 1e6)}`;
    return `${metric}${seen} ${operator} ${millis(threshold / 1e6)}${beyond}${waiting}`;
  },
  count: ({ metric, requests, operator, threshold }) =>
    `${metric} ${count(requests)} ${operator} ${count(threshold)}`,
  amount: ({ metric, value, operator, threshold }) =>
    `${metric} ${Number(value.toPrecision(3))} ${operator} ${threshold}`,
  compared: ({ metric, value, requests, operator, threshold, stable, limit }) => {
    const figure = (number) => {
      if (number === undefined || number === null) return "nothing yet";
      if (/latency|ttft/.test(metric)) return millis(number / 1e6);
      return /rate/.test(metric) ? percent(number) : String(Number(number.toPrecision(3)));
    };
    const how = threshold.times === undefined ? "" : `, ${threshold.times} times the stable's`;
    return (
      `${metric} ${figure(value)} of ${plural(requests, "request")} ${operator} ` +
      `${figure(limit)}${how} ${figure(stable.value)}`
    );
  },
  no_data: ({ metric, requests, min_requests }) =>
    `${metric}: ${plural(requests, "request")} where ${count(min_requests)} are needed`,
  sequential: ({ canary_errors, stable_errors, expected_share }) =>
    `${plural(canary_errors, "error")} of the canary, ${count(stable_errors)} of the stable, ` +
    `with ${weight(expected_share)} of the requests`,
  event_ratio: ({ slow_above, canary_events, stable_events, expected_share, allowed_excess }) => {
    const events = slow_above === undefined ? "error" : "slow request";
    return (
      `${plural(canary_events, events)} of the canary, ${count(stable_events)} of the stable, ` +
      `with ${weight(expected_share)} of the requests: more than ${percent(allowed_excess)} more frequent`
    );
  },
  objective: ({ metric, hits, requests, objective }) =>
    `${metric}: ${count(hits)} of ${plural(requests, "request")} > ${percent(objective)}`,
  ranks: ({ metric, canary_buckets, bucket, confidence }) =>
    `${metric} is worse than the stable's over ${plural(canary_buckets, "stretch", "stretches")} ` +
    `of ${seconds(bucket)}, with ${percent(confidence)} confidence for one look`,
};

const evidence = (trigger) => {
  const [form, reading] = Object.entries(trigger.reading)[0];
  const seen = Object.hasOwn(READINGS, form) ? READINGS[form](reading) : form;
  const held = trigger.duration > 0 ? `, for ${seconds(trigger.held)}` : "";
  return `${seen}${held}`;
};
