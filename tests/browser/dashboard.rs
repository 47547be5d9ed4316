//! The gateway's dashboard in a real browser: what it shows is what the gateway says, what its
//! buttons do is what the gateway does, and whom it does not let in.

use serde_json::Value;

use crate::gateway::{MARKUP, World};
use crate::reports::folder;
use crate::tab::{Tab, View};
use crate::{AXE, LAYOUT, SCREENS, axe};

const WIDE: View = View::screen("light", 1280);

/// What of the open dialog cannot be seen.
const DIALOG: &str = "[...document.querySelectorAll('dialog, dialog *')].filter((part) => {
    const { left, right, top, bottom, width } = part.getBoundingClientRect();
    return width > 0 && (left < 0 || right > innerWidth || top < 0 || bottom > innerHeight);
}).map((part) => `reaches out of the window: ${part.outerHTML}`)";

/// Types a key and presses Enter, as a reader does.
fn enter(tab: &mut Tab, key: &str) {
    tab.until("document.activeElement.id === 'key'");
    tab.type_text(key);
    tab.press("Enter");
}

/// A tab with the dashboard of `world`, which knows its key.
fn open(world: &World, view: View) -> Option<Tab> {
    let mut tab = Tab::open()?;
    tab.show(&world.url(), view);
    enter(&mut tab, &world.key);
    tab.until("document.querySelectorAll('.model tbody tr').length >= 4");
    tab.until("document.querySelector('#link').textContent === 'Live'");
    Some(tab)
}

/// What the page did that it must not: asked anybody but its gateway, told the key, or failed.
fn misdeeds(tab: &Tab, world: &World) -> Vec<String> {
    let (own, key) = (world.url(), &world.key);
    let strange = |asked: &String| {
        !asked.starts_with("data:") && (!asked.starts_with(&own) || asked.contains(key))
    };
    let strange = tab.requests().into_iter().filter(strange);
    strange.map(|asked| format!("asks for {asked}")).chain(tab.exceptions()).collect()
}

/// The card of a model, as an expression.
fn card(model: &str) -> String {
    format!(
        "[...document.querySelectorAll('.model')].find((card) => \
         card.querySelector('h2').textContent === '{model}')"
    )
}

/// The lines of the table of versions that the status should make: id, then weight, error rate,
/// requests and attempts in flight.
fn lines(status: &Value, model: &str) -> Vec<String> {
    let models = status["models"].as_array().unwrap();
    let model = models.iter().find(|found| found["model"] == model).unwrap();
    let line = |version: &Value| {
        let seen = &version["window"];
        let weight = version["weight"].as_f64().unwrap() * 100.0;
        let rate = seen["error_rate"].as_f64().map_or_else(
            || "–".to_owned(),
            |rate| {
                let digits = if rate == 0.0 || rate >= 0.1 { 1 } else { 2 };
                format!("{:.digits$}%", rate * 100.0)
            },
        );
        let (id, requests) = (version["id"].as_str().unwrap(), &seen["requests"]);
        format!("{id}|{weight}%|{rate}|{requests}|{}", version["in_flight"])
    };
    model["versions"].as_array().unwrap().iter().map(line).collect()
}

/// The same as the page has it, of the columns of these names.
fn shown_lines(tab: &mut Tab, model: &str) -> Vec<String> {
    tab.list(&format!(
        "(() => {{
            const table = {}.querySelector('table');
            const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
            const places = ['Weight', 'Error rate', 'Requests', 'In flight'].map((name) => names.indexOf(name));
            return [...table.tBodies[0].rows].map((row) => [
                row.querySelector('strong').textContent,
                ...places.map((place) => row.cells[place].textContent),
            ].join('|'));
        }})()",
        card(model)
    ))
}

#[test]
fn the_dashboard_shows_what_the_status_says() {
    let world = World::new();
    world.ask("gpt-4", "v1", 20);
    world.ask("gpt-4", "v2", 5);
    let Some(mut tab) = open(&world, WIDE) else { return };
    tab.evaluate(&format!("{}.querySelector('button.quiet').click()", card("gpt-4")));
    // Windows move on: what is told next is compared, until both are of one second.
    let mut tries = 0;
    loop {
        let told = lines(&world.status(), "gpt-4");
        let shown = shown_lines(&mut tab, "gpt-4");
        if told == shown {
            assert!(told.contains(&"v2|30%|100.0%|5|0".to_owned()), "{told:?}");
            assert!(told.contains(&"v1|70%|0.0%|20|0".to_owned()), "{told:?}");
            assert!(told.contains(&"spare|0%|–|0|0".to_owned()), "{told:?}");
            break;
        }
        tries += 1;
        assert!(tries < 200, "{shown:?} instead of {told:?}");
        tab.next_frame();
    }
    let split = format!("{}.querySelector('.split').getAttribute('aria-label')", card("gpt-4"));
    assert_eq!(tab.evaluate(&split), "Split: v1 70%, v2 30%");
    // The name of a rule is a text, whatever stands in it; its action comes with another answer.
    let rule = format!("{}.querySelector('.rules tbody th')", card("gpt-4"));
    tab.until(&format!("{rule}.textContent.endsWith('rolls back to the last stable')"));
    assert_eq!(tab.evaluate(&format!("{rule}.firstChild.textContent")), MARKUP);
    assert_eq!(tab.evaluate("document.querySelectorAll('img').length"), 0);
    let text = tab.evaluate("document.documentElement.textContent");
    assert!(!text.as_str().unwrap().contains(&world.key));
    assert_eq!(tab.evaluate("sessionStorage.length + localStorage.length"), 1);
    assert_eq!(tab.evaluate("document.cookie"), "");
    assert_eq!(misdeeds(&tab, &world), [""; 0]);
}

/// Of the table of a model's card whose caption begins so, the cells of these columns.
fn cells(tab: &mut Tab, model: &str, caption: &str, columns: &str) -> Vec<String> {
    tab.list(&format!(
        "(() => {{
            const table = [...{}.querySelectorAll('table')]
                .find((table) => table.caption.textContent.startsWith('{caption}'));
            if (table === undefined) return [];
            const names = [...table.tHead.rows[0].cells].map((cell) => cell.textContent);
            const places = {columns}.map((name) => names.indexOf(name));
            const told = (row) => places.map((place) => row.cells[place].textContent);
            return [...table.tBodies[0].rows].map((row) => told(row).join('|'));
        }})()",
        card(model)
    ))
}

#[test]
fn the_dashboard_shows_latencies_since_the_activation_and_how_far_a_judge_has_come() {
    let world = World::new();
    world.ask("org/name", "name-2", 3);
    world.ask("org/name", "auto", 40);
    let Some(mut tab) = open(&world, WIDE) else { return };
    let successes = |status: &Value| {
        let versions = status["models"][1]["versions"].as_array().unwrap();
        let latency = |id: &str| &versions.iter().find(|one| one["id"] == id).unwrap()["latency"];
        [latency("name-1")["successes"].clone(), latency("name-2")["successes"].clone()]
    };
    let [stable, canary] = successes(&world.status());
    // Those that were pinned have no part in it.
    let all = stable.as_u64().unwrap() + canary.as_u64().unwrap_or(0);
    assert_eq!(all, 40);
    let caption = "Latency of successes since the activation";
    let columns = "['Successes', 'Waiting', 'p99']";
    let mut tries = 0;
    let shown = loop {
        let shown = cells(&mut tab, "org/name", caption, columns);
        let wanted = format!("{stable}|0|");
        if let Some(shown) = shown.into_iter().find(|row| row.starts_with(&wanted)) {
            break shown;
        }
        tries += 1;
        assert!(tries < 200, "no row begins {wanted}");
        tab.next_frame();
    };
    assert!(shown.ends_with(", ?]"), "so few do not bound a P99: {shown}");
    let judged = cells(&mut tab, "org/name", "Rollback rules", "['Watches', 'Timer']");
    let [judged] = judged.as_slice() else { panic!("{judged:?}") };
    assert!(judged.starts_with("name-2|0.0% of the way to a breach"), "{judged}");
    assert_eq!(misdeeds(&tab, &world), [""; 0]);
}

/// Presses the button of a model's card whose text begins so, and confirms.
fn command(tab: &mut Tab, model: &str, button: &str) -> String {
    tab.evaluate(&format!(
        "[...{}.querySelectorAll('.actions button')].find((button) => \
         button.textContent.startsWith('{button}')).focus()",
        card(model)
    ));
    tab.press("Enter");
    // Enter alone, pressed twice, must change nothing: the focus is on what leaves the dialog.
    let focused = "document.querySelector('dialog').open && document.activeElement.textContent";
    assert_eq!(tab.evaluate(focused), "Cancel");
    tab.press("Tab");
    tab.press("Enter");
    tab.until("document.querySelector('#dialog-answer').textContent.startsWith('Done')");
    let answer = tab.evaluate("document.querySelector('#dialog-answer').textContent");
    tab.press("Enter");
    tab.until("!document.querySelector('dialog').open");
    answer.as_str().unwrap().to_owned()
}

#[test]
fn commands_are_carried_out_once_they_are_confirmed() {
    let world = World::new();
    let Some(mut tab) = open(&world, WIDE) else { return };
    let rollout = format!("{}.querySelector('.rollout').textContent", card("org/name"));
    // How many steps there are is known from the journal.
    let words = "Rollout 1 of name-2: under way at step 1 of 2, weight 5%.";
    tab.until(&format!("{rollout} === '{words}'"));
    command(&mut tab, "org/name", "Pause rollout");
    tab.until(&format!("{rollout}.includes('paused at step 1')"));
    assert_eq!(world.status()["models"][1]["rollout"]["state"], "paused");
    let answer = command(&mut tab, "org/name", "Roll back to name-1");
    let split = format!("{}.querySelector('.split').getAttribute('aria-label')", card("org/name"));
    tab.until(&format!("{split} === 'Split: name-1 100%'"));
    let status = world.status();
    assert_eq!(status["models"][1]["split"], serde_json::json!({"name-1": 1.0}));
    let number = &status["models"][1]["last_rollback"]["journal_entry"];
    assert!(answer.contains(&format!("Journal entry {number}.")), "{answer}");
    tab.until("document.querySelector('#entries tr').textContent.includes('Rolled back')");
    let cells = "[...document.querySelector('#entries tr').cells].map((cell) => cell.textContent)";
    let cells = tab.list(cells);
    assert_eq!(
        (&cells[0], &cells[2], &cells[4]),
        (&number.to_string(), &"org/name".into(), &"admin".into())
    );
    assert!(cells[3].contains("to name-1: name-1 100% (before: "), "{cells:?}");
    let last = format!("{}.querySelector('.last').textContent", card("org/name"));
    tab.until(&format!("{last}.includes('to name-1, by admin (entry {number})')"));
    // A rollout that has ended has no commands.
    let buttons = format!("{}.querySelectorAll('.actions button').length", card("org/name"));
    assert_eq!(tab.evaluate(&buttons), 1);
    assert_eq!(misdeeds(&tab, &world), [""; 0]);
}

#[test]
fn a_command_that_is_refused_says_why() {
    let world = World::new();
    let Some(mut tab) = open(&world, WIDE) else { return };
    let pause = format!(
        "[...{}.querySelectorAll('.actions button')].find((button) => \
         button.textContent.startsWith('Pause')).click()",
        card("org/name")
    );
    tab.evaluate(&pause);
    // Somebody else is faster.
    let line = "POST /v1/models/org%2Fname/deploy";
    assert_eq!(world.call(&world.key, line, "", r#"{"action": "abort"}"#).0, 200);
    let (status, refusal) = world.call(&world.key, line, "", r#"{"action": "pause"}"#);
    assert_eq!(status, 409);
    tab.evaluate("document.querySelector('#dialog-yes').click()");
    tab.until("document.querySelector('#dialog-answer').className === 'error'");
    let said = tab.evaluate("document.querySelector('#dialog-answer').textContent");
    assert_eq!(said, refusal["error"]["message"]);
}

#[test]
fn a_key_that_is_not_taken_is_asked_for_again_and_a_key_can_be_forgotten() {
    let world = World::new();
    let body = r#"{"id": "reader", "scope": "inference"}"#;
    let (status, reader) = world.call(&world.key, "POST /v1/auth/keys", "", body);
    assert_eq!(status, 201, "{reader}");
    let Some(mut tab) = Tab::open() else { return };
    tab.show(&world.url(), WIDE);
    // A strange key, one whose scope is too narrow, and what is none.
    let narrow = reader["api_key"].as_str().unwrap();
    for (key, why) in
        [("admin.0", "does not take"), (narrow, "does not take"), ("ä b", "no spaces")]
    {
        enter(&mut tab, key);
        tab.until(&format!("document.querySelector('#key-error').textContent.includes('{why}')"));
        assert_eq!(tab.evaluate("document.querySelector('#board').checkVisibility()"), false);
        assert_eq!(tab.evaluate("sessionStorage.length"), 0);
        tab.evaluate("document.querySelector('#key').value = ''; document.querySelector('#key-error').textContent = ''; 0");
    }
    enter(&mut tab, &world.key);
    tab.until("document.querySelector('#link').textContent === 'Live'");
    // A reload in the same tab asks for nothing.
    tab.show(&world.url(), WIDE);
    tab.until("document.querySelector('#link').textContent === 'Live'");
    tab.evaluate("document.querySelector('#forget').click()");
    assert_eq!(tab.evaluate("sessionStorage.length"), 0);
    assert_eq!(tab.evaluate("document.querySelector('#models').textContent"), "");
    tab.show(&world.url(), WIDE);
    tab.until("document.activeElement.id === 'key'");
    assert_eq!(misdeeds(&tab, &world), [""; 0]);
}

#[test]
fn figures_of_a_gateway_that_is_gone_are_seen_to_be_old() {
    let mut world = World::new();
    let Some(mut tab) = open(&world, WIDE) else { return };
    assert_eq!(tab.evaluate("document.querySelector('.stale')"), Value::Null);
    world.stop();
    tab.until("document.querySelector('#link').textContent !== 'Live'");
    tab.until("/^These figures are \\d+ s old$/.test(document.querySelector('.stale #headline').textContent)");
    tab.until("document.querySelector('#link').textContent === 'Reconnecting'");
    assert!(tab.evaluate("document.title").as_str().unwrap().contains("stale"));
    tab.picture(&folder("dashboard").join("stale.png"));
    assert_eq!(tab.list(LAYOUT), [""; 0]);
    let Some(axe) = axe() else { return };
    tab.evaluate(&format!("{axe};0"));
    assert_eq!(tab.list(AXE), [""; 0]);
}

#[test]
fn the_dashboard_fits_into_every_window_and_shuts_nobody_out() {
    let world = World::new();
    world.ask("gpt-4", "v1", 20);
    world.ask("gpt-4", "v2", 5);
    let axe = axe();
    let mut found = Vec::new();
    for view in SCREENS {
        let Some(mut tab) = open(&world, view) else { return };
        let View { scheme, width, .. } = view;
        tab.until("document.querySelectorAll('#entries tr').length >= 10");
        let dialog = "document.querySelector('.actions button').click()";
        for (name, act) in [("board", "0"), ("dialog", dialog)] {
            tab.evaluate(act);
            tab.picture(&folder("dashboard").join(format!("{name}-{scheme}-{width}.png")));
            let mut findings = tab.list(if name == "board" { LAYOUT } else { DIALOG });
            if let Some(axe) = &axe {
                tab.evaluate(&format!("{axe};0"));
                findings.extend(tab.list(AXE));
            }
            findings.extend(misdeeds(&tab, &world));
            found.extend(findings.iter().map(|text| format!("{name} {view:?}: {text}")));
        }
    }
    assert!(found.is_empty(), "{} findings:\n{}", found.len(), found.join("\n"));
}

#[test]
fn without_scripts_the_page_says_where_else_to_look() {
    let world = World::new();
    let Some(mut tab) = Tab::open() else { return };
    tab.show(&world.url(), View { scripts: false, ..WIDE });
    let links = "[...document.querySelectorAll('noscript a')].filter((link) => link.checkVisibility())\
                 .map((link) => link.getAttribute('href'))";
    assert_eq!(tab.list(links), ["/openapi.json", "/metrics", "/healthz"]);
    assert_eq!(tab.evaluate("document.querySelector('#enter').checkVisibility()"), false);
    assert_eq!(tab.list(LAYOUT), [""; 0]);
}
