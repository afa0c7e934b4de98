//! The classifier against texts of real servers: those of the shared list, where it is here, and our own.

use super::classify::judge_among;
use super::rule::Rule;
use super::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(default)]
    id: String,
    protocol: Protocol,
    #[serde(default)]
    provider: String,
    auth_mech: Option<String>,
    raw: String,
    reason: Reason,
    class: Option<Class>,
    #[serde(default)]
    alt: Vec<Reason>,
    backoff_ms: Option<u64>,
}

impl Row {
    fn evidence(&self) -> Evidence {
        let mut evidence = read(self.protocol, &self.raw);
        evidence.provider = Provider::from_name(&self.provider);
        evidence.mechanism = self.auth_mech.as_deref().and_then(Mechanism::from_name);
        evidence
    }

    fn accepts(&self, reason: Reason) -> bool {
        reason == self.reason || self.alt.contains(&reason)
    }

    fn judged(&self, allowed: &dyn Fn(&Rule) -> bool) -> Score {
        let found = judge_among(&self.evidence(), allowed);
        if self.accepts(found.reason) {
            Score::Right
        } else if honest(found.reason) {
            Score::Honest
        } else {
            Score::Wrong
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Score {
    Right,
    /// Not right, and it says so.
    Honest,
    /// Sharp and wrong.
    Wrong,
}

fn honest(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::AuthRejected | Reason::ServerUnavailable | Reason::ProtocolError | Reason::Unknown
    )
}

fn rows(file: &Path) -> Option<Vec<Row>> {
    let text = std::fs::read_to_string(file).ok()?;
    let row = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    Some(text.lines().filter(|line| !line.trim().is_empty()).map(row).collect())
}

fn shared() -> Option<Vec<Row>> {
    let rows = rows(Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../../shared/data/disconnect/server_texts.jsonl"
    )));
    if rows.is_none() {
        eprintln!("reasons: SKIPPED, the shared list is not here");
    }
    rows
}

fn ours() -> Vec<Row> {
    rows(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../tests/data/reasons/texts.jsonl"))).unwrap()
}

/// How many rows are right, honest and wrong.
fn score<'a>(rows: impl IntoIterator<Item = &'a Row>, allowed: &dyn Fn(&Rule) -> bool) -> [usize; 3] {
    let mut counts = [0; 3];
    for row in rows {
        counts[row.judged(allowed) as usize] += 1;
    }
    counts
}

/// What is wrong with a list of rows, one line a row.
fn mistakes(rows: &[Row]) -> Vec<String> {
    let mut wrong = Vec::new();
    for row in rows {
        let found = judge(&row.evidence());
        if !row.accepts(found.reason) {
            wrong.push(format!(
                "{} {:?} not {} ({}): {}",
                row.id, found.reason, row.reason, found.rule, row.raw
            ));
        } else if row.reason == found.reason && row.class.is_some_and(|class| class != found.reason.class()) {
            wrong.push(format!("{} class {:?}: {}", row.id, found.reason.class(), row.raw));
        } else if row.backoff_ms != found.pause_ms && row.backoff_ms.is_some() {
            wrong.push(format!("{} pause {:?}: {}", row.id, found.pause_ms, row.raw));
        }
    }
    wrong
}

#[test]
fn every_text_of_the_shared_list_has_its_reason() {
    let Some(rows) = shared() else { return };
    assert!(rows.len() > 80);
    let [right, honest, wrong] = score(&rows, &|_| true);
    println!(
        "shared list: {} rows, right {right}, sharp but wrong {wrong}, honest unknown {honest}",
        rows.len()
    );
    assert_eq!(mistakes(&rows), Vec::<String>::new());
}

#[test]
fn every_text_of_our_own_has_its_reason() {
    let rows = ours();
    assert!(rows.len() > 1_500, "{}", rows.len());
    let [right, honest, wrong] = score(&rows, &|_| true);
    println!(
        "our own texts: {} rows, right {right}, sharp but wrong {wrong}, honest unknown {honest}",
        rows.len()
    );
    assert_eq!(mistakes(&rows), Vec::<String>::new());
}

/// What the rules are worth for texts that nobody has looked at: a provider's rows are judged without the rules that no
/// other provider's row needs, and then without any rule that reads words.
#[test]
fn rules_hold_beyond_the_rows_that_they_were_seen_in() {
    let Some(rows) = shared() else { return };
    let mut providers: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    let mut used: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    let mut rows_of_rule: BTreeMap<&str, usize> = BTreeMap::new();
    for row in &rows {
        providers.entry(&row.provider).or_default().push(row);
        let rule = judge(&row.evidence()).rule;
        used.entry(rule).or_default().insert(&row.provider);
        *rows_of_rule.entry(rule).or_default() += 1;
    }
    let once: Vec<&str> =
        rows_of_rule.iter().filter(|(_, count)| **count == 1).map(|(rule, _)| *rule).collect();
    println!("rules that decide a row: {}, of which one row only: {}", rows_of_rule.len(), once.len());
    let mut total = [[0; 3]; 2];
    for (provider, own) in &providers {
        let by_others = |rule: &Rule| {
            !rule.reads_words()
                || used.get(rule.name).is_none_or(|by| by.iter().any(|other| other != provider))
        };
        let of_others_only =
            |rule: &Rule| by_others(rule) && (!rule.reads_words() || used.contains_key(rule.name));
        let without = score(own.iter().copied(), &of_others_only);
        let bare = score(own.iter().copied(), &|rule| !rule.reads_words());
        for row in own.iter().filter(|row| row.judged(&of_others_only) == Score::Wrong) {
            let found = judge_among(&row.evidence(), &of_others_only);
            println!("    would be {} by {}: {} ({})", found.reason, found.rule, row.id, row.reason);
        }
        println!(
            "{provider}: {} rows; without its own rules right {} honest {} wrong {}; by structure alone {} {} {}",
            own.len(),
            without[0],
            without[1],
            without[2],
            bare[0],
            bare[1],
            bare[2]
        );
        for (sum, part) in total.iter_mut().zip([without, bare]) {
            for (sum, part) in sum.iter_mut().zip(part) {
                *sum += part;
            }
        }
    }
    println!("out of sight [right, honest, wrong]: {:?}; structure alone: {:?}", total[0], total[1]);
    assert!(total[0][0] * 3 > rows.len() * 2 && total[0][2] * 9 < rows.len(), "{total:?}");
}
