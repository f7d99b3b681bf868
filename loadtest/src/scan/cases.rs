//! What is asked: links of codes as labels carry them, good ones and every hundredth tampered with.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::Mode;
use crate::{
    check::{Expected, tampered},
    demo::Demo,
    http::{Client, Request, bearer},
    load::Case,
};

/// One in so many is tampered with.
const TAMPERED_EVERY: usize = 100;
/// Pages of a list; more than any demo has.
const PAGES_MAX: u32 = 10_000;
/// Digits of a code.
const CODE_DIGITS: usize = 20;

/// The demo's warm code amid those of its run: every other request is the warm one's.
pub fn of_run(client: &mut Client, demo: &Demo, mode: Mode) -> Result<Vec<Case>> {
    let path = format!("/v1/runs/{}/codes?form=uri", demo.run);
    let mut links = links(client.expect(&demo.codes_of(&path), 200)?)?;
    ensure!(links.len() == 1_000, "{} codes found in run {} where 1,000 are expected", links.len(), demo.run);
    shuffle(&mut links);
    let warm = format!("/{}", demo.codes.warm);
    let links = links.into_iter().flat_map(|link| [warm.clone(), link]).collect();
    let mut cases = cases(links, mode)?;
    let (request, code) = (get(&format!("/{}", demo.codes.forged), mode), demo.codes.forged.clone());
    let expected = if mode == Mode::Page { Expected::ForgedPage(code) } else { Expected::Forged(code) };
    cases.push(Case { request, expected });
    Ok(cases)
}

/// Codes of up to `batches` batches, `codes` of each.
pub fn at_random(client: &mut Client, demo: &Demo, batches: u32, codes: u32) -> Result<Vec<Case>> {
    let mut all = Vec::new();
    for batch in list_batches(client, demo, batches as usize)? {
        let path = format!("/v1/batches/{batch}/codes?form=uri&count={codes}");
        // An inspector sees batches that are not this importer's.
        let request = Request::get(&path, &[("authorization", &bearer(&demo.keys.inspector))]);
        all.append(&mut links(client.expect(&request, 200)?).with_context(|| path)?);
    }
    ensure!(!all.is_empty(), "no batch has codes");
    shuffle(&mut all);
    cases(all, Mode::Random)
}

#[derive(Deserialize)]
struct List {
    items: Vec<Item>,
    next: Option<u64>,
}

#[derive(Deserialize)]
struct Item {
    id: u64,
}

/// Numbers of batches, in pages.
fn list_batches(client: &mut Client, demo: &Demo, batches_max: usize) -> Result<Vec<u64>> {
    let key = bearer(&demo.keys.inspector);
    let (mut batches, mut after) = (Vec::new(), 0);
    for _ in 0..PAGES_MAX {
        let request = Request::get(&format!("/v1/batches?limit=100&after={after}"), &[("authorization", &key)]);
        let list: List = serde_json::from_slice(client.expect(&request, 200)?).context("the list of batches")?;
        batches.extend(list.items.into_iter().map(|item| item.id));
        match list.next {
            Some(next) if batches.len() < batches_max => after = next,
            _ => break,
        }
    }
    batches.truncate(batches_max);
    Ok(batches)
}

/// The paths of links, one a line.
fn links(body: &[u8]) -> Result<Vec<String>> {
    let text = std::str::from_utf8(body).context("links that are not text")?;
    let path = |line: &str| {
        let (_, host_and_path) = line.split_once("://")?;
        let (_, path) = host_and_path.split_once('/')?;
        Some(format!("/{path}"))
    };
    text.lines().map(|line| path(line).with_context(|| format!("{line:?} is no link"))).collect()
}

fn cases(links: Vec<String>, mode: Mode) -> Result<Vec<Case>> {
    links
        .into_iter()
        .enumerate()
        .map(|(at, link)| case(&link, at % TAMPERED_EVERY == TAMPERED_EVERY - 1, mode))
        .collect()
}

fn case(link: &str, is_tampered: bool, mode: Mode) -> Result<Case> {
    let link = if is_tampered { tampered(link) } else { link.to_owned() };
    let start = link.len().checked_sub(CODE_DIGITS).with_context(|| format!("{link:?} has no code"))?;
    let code = link.get(start..).unwrap_or_default().to_owned();
    let expected = match (mode, is_tampered) {
        (Mode::Page, false) => Expected::GenuinePage { code },
        (Mode::Page, true) => Expected::ForgedPage(code),
        (Mode::Json, false) => Expected::Genuine { code, sound: true },
        // Some batches are expired or recalled: which ones is the demo's affair.
        (Mode::Random, false) => Expected::Genuine { code, sound: false },
        (Mode::Json | Mode::Random, true) => Expected::Forged(code),
    };
    Ok(Case { request: get(&link, mode), expected })
}

fn get(link: &str, mode: Mode) -> Request {
    let accept = if mode == Mode::Page { "text/html" } else { "application/json" };
    Request::get(link, &[("accept", accept)])
}

/// Puts them in an order that is the same every time and follows nothing.
fn shuffle<T>(items: &mut [T]) {
    // Marsaglia's xorshift64: good enough to defeat caches, and repeatable.
    let mut state: u64 = 0x9E37_79B9_7F4A_7C15;
    for at in (1..items.len()).rev() {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        items.swap(at, (state % (at as u64 + 1)) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_case_in_a_hundred_is_tampered_with() {
        let links = (0..1000).map(|at| format!("/01/09506000134352/21/00000300000000000{at:03}")).collect();
        let cases = cases(links, Mode::Json).unwrap();
        let tampered = cases.iter().filter(|case| matches!(case.expected, Expected::Forged(_)));
        assert_eq!(tampered.count(), 10);
    }

    #[test]
    fn links_are_asked_by_their_paths() {
        let links = links(b"HTTPS://COLD.EXAMPLE/01/09506000134352/21/AB\nHTTPS://COLD.EXAMPLE/CD\n").unwrap();
        assert_eq!(links, ["/01/09506000134352/21/AB", "/CD"]);
        assert!(super::links(b"nothing\n").is_err());
    }

    #[test]
    fn shuffling_keeps_all_and_leaves_little_in_its_place() {
        let mut items: Vec<usize> = (0..1000).collect();
        shuffle(&mut items);
        assert!(items.iter().enumerate().filter(|(at, item)| at == *item).count() < 20);
        items.sort_unstable();
        assert!(items.into_iter().eq(0..1000));
    }
}
